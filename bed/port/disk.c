/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk's device: the PDO that Storport makes and, in one, the disk class driver that Windows puts on it. */
#include "bed/port/internal.h"

#define DISK_NUMBERS 1024

static UCHAR numbers[DISK_NUMBERS / 8]; /* guarded by miniports_lock */

/* The lowest free number; Windows counts in the same way. */
static ULONG number_take(void)
{
    ULONG number;
    KIRQL irql;

    KeAcquireSpinLock(&miniports_lock, &irql);
    for (number = PORT_FIRST_DISK_NUMBER; number < DISK_NUMBERS && (numbers[number / 8] & (1u << (number % 8)));) {
        number++;
    }
    if (number < DISK_NUMBERS) {
        numbers[number / 8] |= (UCHAR)(1u << (number % 8));
    }
    KeReleaseSpinLock(&miniports_lock, irql);
    return number;
}

static void number_give(ULONG number)
{
    KIRQL irql;

    KeAcquireSpinLock(&miniports_lock, &irql);
    numbers[number / 8] &= (UCHAR) ~(1u << (number % 8));
    KeReleaseSpinLock(&miniports_lock, irql);
}

/* The device's name is never used twice, unlike its number: an old device may live on while a handle is open. */
static NTSTATUS create_device(struct adapter *adapter, DEVICE_OBJECT **object)
{
    static volatile LONG serial;
    WCHAR buffer[40];
    UNICODE_STRING name;

    _snwprintf(buffer, 40, L"\\Device\\BedDisk%lu", (ULONG)InterlockedIncrement(&serial));
    RtlInitUnicodeString(&name, buffer);
    return IoCreateDevice(adapter->miniport->driver, sizeof(struct disk), &name, FILE_DEVICE_DISK,
                          FILE_DEVICE_SECURE_OPEN, FALSE, object);
}

/* Makes the device of a new disk; keeps the caller's reference to the unit until disk_delete. */
NTSTATUS disk_create(struct unit *unit, const struct identity *identity)
{
    struct adapter *adapter = unit->adapter;
    DEVICE_OBJECT *object;
    struct disk *disk;
    NTSTATUS status = create_device(adapter, &object);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    disk = object->DeviceExtension;
    RtlZeroMemory(disk, sizeof(*disk));
    disk->device.kind = DEVICE_DISK;
    disk->device.object = object;
    disk->unit = unit;
    disk->adapter = adapter;
    disk->identity = *identity;
    disk->number = number_take();
    disk->attributes = adapter->new_disks;
    InterlockedIncrement(&adapter->disks);
    unit_reference(unit);
    unit->disk = disk;
    object->AlignmentRequirement = adapter->config.AlignmentMask;
    object->Flags |= DO_DIRECT_IO;
    object->Flags &= ~DO_DEVICE_INITIALIZING;
    port_log("new disk at bus %u target %u LUN %u", unit->path, unit->target, unit->lun);
    return STATUS_SUCCESS;
}

static void link_name(const struct disk *disk, WCHAR buffer[40], UNICODE_STRING *name)
{
    _snwprintf(buffer, 40, L"\\DosDevices\\PhysicalDrive%lu", disk->number);
    RtlInitUnicodeString(name, buffer);
}

static void make_link(struct disk *disk)
{
    UCHAR buffer[sizeof(OBJECT_NAME_INFORMATION) + 64 * sizeof(WCHAR)] __attribute__((aligned(8)));
    OBJECT_NAME_INFORMATION *device = (OBJECT_NAME_INFORMATION *)buffer;
    WCHAR link_buffer[40];
    UNICODE_STRING link;
    ULONG length;

    if (!NT_SUCCESS(ObQueryNameString(disk->device.object, device, sizeof(buffer), &length))) {
        port_log("the name of disk %lu is not known", disk->number);
        return;
    }
    link_name(disk, link_buffer, &link);
    disk->linked = NT_SUCCESS(IoCreateSymbolicLink(&link, &device->Name));
}

static void set_state(struct disk *disk, enum disk_state state)
{
    __atomic_store_n(&disk->state, state, __ATOMIC_SEQ_CST);
}

enum disk_state disk_state(const struct disk *disk)
{
    return __atomic_load_n(&disk->state, __ATOMIC_SEQ_CST);
}

static void read_modes(struct disk *disk)
{
    UCHAR data[192];
    ULONG got;

    if (!NT_SUCCESS(unit_mode_sense(disk->unit, 0x08, data, sizeof(data), &got)) || got < 4) {
        return;
    }
    disk->fua = (data[2] & 0x10) != 0;
    for (ULONG at = 4 + data[3]; at + 2 < got && at < (ULONG)data[0] + 1;) {
        if ((data[at] & 0x3F) == 0x08) {
            disk->write_cache = (data[at + 2] & 0x04) != 0;
        }
        at += 2 + data[at + 1];
    }
}

/* START_DEVICE: capacity and cache are read, the names appear. PASSIVE_LEVEL. */
void disk_start(struct disk *disk)
{
    if (disk_state(disk) != DISK_PRESENT) {
        return;
    }
    if (!NT_SUCCESS(disk_read_capacity(disk->unit, &disk->capacity))) {
        port_log("READ CAPACITY of disk %lu failed", disk->number);
        disk->capacity.blocks = 0;
        disk->capacity.block_size = 512;
    }
    read_modes(disk);
    set_state(disk, DISK_STARTED);
    device_arrives(&disk->device);
    make_link(disk);
    if (NT_SUCCESS(
            IoRegisterDeviceInterface(disk->device.object, &GUID_DEVINTERFACE_DISK, NULL, &disk->interface_link))) {
        IoSetDeviceInterfaceState(&disk->interface_link, TRUE);
    }
    port_log("disk %lu: %llu blocks of %lu bytes%s", disk->number, disk_blocks(disk), disk->capacity.block_size,
             disk->write_cache ? ", write cache" : "");
}

/* IOCTL_DISK_UPDATE_PROPERTIES and unit attentions about the capacity. Under transfers the number of blocks is all that
 * changes; a disk that could not say it so far has none. PASSIVE_LEVEL. */
void disk_update(struct disk *disk)
{
    struct capacity capacity;

    if (!NT_SUCCESS(disk_read_capacity(disk->unit, &capacity))) {
        return;
    }
    if (disk_blocks(disk) == 0) {
        disk->capacity = capacity;
    } else {
        __atomic_store_n(&disk->capacity.blocks, capacity.blocks, __ATOMIC_RELAXED);
    }
}

ULONGLONG disk_blocks(const struct disk *disk)
{
    return __atomic_load_n(&disk->capacity.blocks, __ATOMIC_RELAXED);
}

/* The names go; open handles stay and fail. May be called more than once. PASSIVE_LEVEL. */
void disk_unlink(struct disk *disk)
{
    WCHAR buffer[40];
    UNICODE_STRING name;

    set_state(disk, DISK_GONE);
    if (disk->linked) {
        disk->linked = FALSE;
        link_name(disk, buffer, &name);
        IoDeleteSymbolicLink(&name);
    }
    if (disk->interface_link.Buffer != NULL) {
        IoSetDeviceInterfaceState(&disk->interface_link, FALSE);
        RtlFreeUnicodeString(&disk->interface_link);
        disk->interface_link.Buffer = NULL;
    }
}

/* Whether the disk may be used; disk_leave follows when so. */
BOOLEAN disk_enter(struct disk *disk)
{
    InterlockedIncrement(&disk->users);
    if (disk_state(disk) == DISK_STARTED) {
        return TRUE;
    }
    disk_leave(disk);
    return FALSE;
}

void disk_leave(struct disk *disk)
{
    InterlockedDecrement(&disk->users);
}

/* FALSE: somebody waits for a miniport that does not answer. */
static BOOLEAN wait_unused(struct disk *disk)
{
    LARGE_INTEGER pause = {.QuadPart = -10 * 10000};

    for (ULONG i = 0; i < 3000 && disk->users != 0; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    return disk->users == 0;
}

/* REMOVE_DEVICE: the device and the number are free again. PASSIVE_LEVEL. */
void disk_delete(struct disk *disk)
{
    struct adapter *adapter = disk->adapter;
    struct unit *unit = disk->unit;

    disk_unlink(disk);
    if (!wait_unused(disk)) {
        unit_reference(unit); /* kept for those who still use it */
    }
    number_give(disk->number);
    unit->disk = NULL;
    IoDeleteDevice(disk->device.object);
    unit_release(unit);
    InterlockedDecrement(&adapter->disks);
}
