/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* \\.\BedControl: control.h. What takes time (removal, resets) runs in a worker. */
#include "bed/port/internal.h"
#include "bed/port/control.h"
#include "bed/port/relations.h"
#include "bed/pcw/pcw.h"
#include "bed/wine/patch.h"

static DEVICE_OBJECT *control_device;
static DRIVER_OBJECT *control_owner;

void control_create(DRIVER_OBJECT *driver)
{
    UNICODE_STRING name;
    UNICODE_STRING link;
    struct device *device;

    if (control_device != NULL) {
        return;
    }
    RtlInitUnicodeString(&name, BED_CONTROL_DEVICE);
    RtlInitUnicodeString(&link, BED_CONTROL_LINK);
    if (!NT_SUCCESS(
            IoCreateDevice(driver, sizeof(struct device), &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &control_device))) {
        control_device = NULL;
        return;
    }
    device = control_device->DeviceExtension;
    RtlZeroMemory(device, sizeof(*device));
    device->kind = DEVICE_CONTROL;
    device->object = control_device;
    control_owner = driver;
    IoCreateSymbolicLink(&link, &name);
    control_device->Flags &= ~DO_DEVICE_INITIALIZING;
}

void control_delete(DRIVER_OBJECT *driver)
{
    UNICODE_STRING link;

    if (control_device != NULL && control_owner == driver) {
        RtlInitUnicodeString(&link, BED_CONTROL_LINK);
        IoDeleteSymbolicLink(&link);
        IoDeleteDevice(control_device);
        control_device = NULL;
    }
}

/* Makes the PnP manager ask about the control device, which has nothing to tell. FALSE: there is none. */
BOOLEAN control_invalidate(void)
{
    if (control_device == NULL) {
        return FALSE;
    }
    IoInvalidateDeviceRelations(control_device, BusRelations);
    return TRUE;
}

/* ---- finding devices; with the topology lock held ---- */

static BOOLEAN same_path(const WCHAR *left, const WCHAR *right)
{
    UNICODE_STRING one;
    UNICODE_STRING other;

    RtlInitUnicodeString(&one, left);
    RtlInitUnicodeString(&other, right);
    return RtlCompareUnicodeString(&one, &other, TRUE) == 0;
}

static struct disk *disk_of_adapter(struct adapter *adapter, const WCHAR *instance)
{
    WCHAR path[BED_INSTANCE_LENGTH];

    for (struct list_link *at = adapter->units.next; at != &adapter->units; at = at->next) {
        struct disk *disk = list_member(at, struct unit, link)->disk;

        if (disk == NULL) {
            continue;
        }
        disk_instance_path(disk, path, BED_INSTANCE_LENGTH);
        if (same_path(path, instance)) {
            return disk;
        }
    }
    return NULL;
}

static struct disk *find_disk(const WCHAR *instance)
{
    struct disk *disk = NULL;

    for (struct adapter *adapter = adapters; adapter != NULL && disk == NULL; adapter = adapter->next) {
        disk = disk_of_adapter(adapter, instance);
    }
    return disk;
}

static struct adapter *find_adapter(const WCHAR *instance)
{
    WCHAR path[BED_INSTANCE_LENGTH];

    for (struct adapter *adapter = adapters; adapter != NULL; adapter = adapter->next) {
        adapter_instance_path(adapter, path, BED_INSTANCE_LENGTH);
        if (same_path(path, instance)) {
            return adapter;
        }
    }
    return NULL;
}

/* ---- BED_CONTROL_LIST ---- */

void device_arrives(struct device *device)
{
    static volatile LONG arrivals;

    InterlockedExchange(&device->arrival, InterlockedIncrement(&arrivals));
}

static void describe_adapter(const struct adapter *adapter, struct bed_device *device)
{
    RtlZeroMemory(device, sizeof(*device));
    device->is_adapter = 1;
    device->disk_number = ~0u;
    device->port = adapter->number;
    device->started = adapter->state == ADAPTER_RUNNING;
    device->open_handles = (ULONG)adapter->device.open_handles;
    device->arrival = (ULONG)adapter->device.arrival;
    adapter_instance_path(adapter, device->instance, BED_INSTANCE_LENGTH);
}

static void describe_disk(const struct disk *disk, struct bed_device *device)
{
    RtlZeroMemory(device, sizeof(*device));
    device->disk_number = disk->number;
    device->port = disk->adapter->number;
    device->path = disk->unit->path;
    device->target = disk->unit->target;
    device->lun = disk->unit->lun;
    device->started = disk_state(disk) == DISK_STARTED;
    device->open_handles = (ULONG)disk->device.open_handles;
    device->arrival = (ULONG)disk->device.arrival;
    disk_instance_path(disk, device->instance, BED_INSTANCE_LENGTH);
    adapter_instance_path(disk->adapter, device->parent, BED_INSTANCE_LENGTH);
}

static NTSTATUS list(IRP *irp, ULONG_PTR *information)
{
    struct bed_device *devices = irp->AssociatedIrp.SystemBuffer;
    ULONG room =
        IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength / sizeof(struct bed_device);
    ULONG count = 0;

    topology_lock();
    for (struct adapter *adapter = adapters; adapter != NULL; adapter = adapter->next) {
        if (count < room) {
            describe_adapter(adapter, &devices[count++]);
        }
        for (struct list_link *at = adapter->units.next; at != &adapter->units; at = at->next) {
            const struct disk *disk = list_member(at, struct unit, link)->disk;

            if (disk != NULL && count < room) {
                describe_disk(disk, &devices[count++]);
            }
        }
    }
    topology_unlock();
    *information = count * sizeof(struct bed_device);
    return STATUS_SUCCESS;
}

static NTSTATUS violations(IRP *irp, ULONG_PTR *information)
{
    struct bed_violations *all = irp->AssociatedIrp.SystemBuffer;

    C_ASSERT(sizeof(all->text[0]) == PORT_VIOLATION_TEXT_LENGTH);
    C_ASSERT(sizeof(all->text) / sizeof(all->text[0]) == PORT_VIOLATION_TEXTS);
    if (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength < sizeof(*all)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlZeroMemory(all, sizeof(*all));
    all->count = port_violation_count();
    while (all->text_count < PORT_VIOLATION_TEXTS && port_violation_text(all->text_count, all->text[all->text_count])) {
        all->text_count++;
    }
    *information = sizeof(*all);
    return STATUS_SUCCESS;
}

static BOOLEAN count(const struct miniport *miniport, struct bed_counts *counts)
{
    KIRQL irql;

    if (!bed_driver_count(miniport->driver, counts)) {
        return FALSE;
    }
    KeAcquireSpinLock(&miniports_lock, &irql);
    counts->nonpaged_bytes += miniport->memory_bytes;
    counts->blocks += miniport->memory_blocks;
    counts->blocks_made += miniport->memory_made;
    KeReleaseSpinLock(&miniports_lock, irql);
    return TRUE;
}

/* Not to be asked while a driver is being unloaded. */
static NTSTATUS counts(IRP *irp, ULONG_PTR *information)
{
    struct bed_counts *all = irp->AssociatedIrp.SystemBuffer;
    ULONG room =
        IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength / sizeof(struct bed_counts);
    ULONG used = 0;

    for (const struct miniport *miniport = miniports; miniport != NULL && used < room; miniport = miniport->next) {
        used += count(miniport, &all[used]);
    }
    *information = used * sizeof(struct bed_counts);
    return STATUS_SUCCESS;
}

/* In the caller's thread, as consumers are. */
static NTSTATUS collect(IRP *irp, ULONG_PTR *information)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG room = stack->Parameters.DeviceIoControl.OutputBufferLength / sizeof(struct bed_instance);
    struct bed_counter_set set;
    UNICODE_STRING name;

    if (stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(set)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(&set, irp->AssociatedIrp.SystemBuffer, sizeof(set)); /* the output goes there too */
    set.name[ARRAYSIZE(set.name) - 1] = 0;
    RtlInitUnicodeString(&name, set.name);
    *information = bed_pcw_collect(&name, set.with_values != 0, irp->AssociatedIrp.SystemBuffer, room) *
                   sizeof(struct bed_instance);
    return STATUS_SUCCESS;
}

static NTSTATUS serve(IRP *irp, ULONG code, ULONG_PTR *information)
{
    struct bed_target *target = irp->AssociatedIrp.SystemBuffer;
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG input = stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG output = stack->Parameters.DeviceIoControl.OutputBufferLength;
    struct bed_verdict verdict = {0};
    NTSTATUS status;

    if (code == BED_CONTROL_INJECT) {
        return input >= sizeof(struct bed_injection) ? control_inject(irp->AssociatedIrp.SystemBuffer)
                                                     : STATUS_INVALID_PARAMETER;
    }
    if (input < sizeof(*target) || output < sizeof(verdict)) {
        return STATUS_INVALID_PARAMETER;
    }
    target->instance[BED_INSTANCE_LENGTH - 1] = 0;
    status = control_pnp(code, target->instance, &verdict);
    if (NT_SUCCESS(status)) {
        RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, &verdict, sizeof(verdict));
        *information = sizeof(verdict);
    }
    return status;
}

struct disk *control_find_disk(const WCHAR *instance)
{
    return find_disk(instance);
}

struct adapter *control_find_adapter(const WCHAR *instance)
{
    return find_adapter(instance);
}

struct work {
    PIO_WORKITEM item;
    IRP *irp;
    ULONG code;
};

static void NTAPI serve_later(DEVICE_OBJECT *object, void *context)
{
    struct work *work = context;
    PIO_WORKITEM item = work->item;
    ULONG_PTR information = 0;
    NTSTATUS status = serve(work->irp, work->code, &information);

    UNREFERENCED_PARAMETER(object);
    irp_finish(work->irp, status, information);
    ExFreePoolWithTag(work, PORT_TAG);
    IoFreeWorkItem(item);
}

static NTSTATUS queue(IRP *irp, ULONG code)
{
    struct work *work = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*work), PORT_TAG);
    PIO_WORKITEM item = IoAllocateWorkItem(control_device);

    if (work == NULL || item == NULL) {
        return irp_finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    work->item = item;
    work->irp = irp;
    work->code = code;
    IoMarkIrpPending(irp);
    IoQueueWorkItem(item, serve_later, DelayedWorkQueue, work);
    return STATUS_PENDING;
}

static NTSTATUS device_control(IRP *irp)
{
    ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG_PTR information = 0;
    NTSTATUS status;

    switch (code) {
    case BED_CONTROL_LIST:
        status = list(irp, &information);
        break;
    case BED_CONTROL_VIOLATIONS:
        status = violations(irp, &information);
        break;
    case BED_CONTROL_COUNTS:
        status = counts(irp, &information);
        break;
    case BED_CONTROL_COLLECT:
        status = collect(irp, &information);
        break;
    case BED_CONTROL_QUERY_REMOVE:
    case BED_CONTROL_DISABLE:
    case BED_CONTROL_ENABLE:
    case BED_CONTROL_INJECT:
        return queue(irp, code);
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    return irp_finish(irp, status, information);
}

NTSTATUS control_dispatch(struct device *device, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MajorFunction) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return file_dispatch(device, irp);
    case IRP_MJ_DEVICE_CONTROL:
        return device_control(irp);
    case IRP_MJ_PNP:
        relations_barrier_reached();
        return irp_finish(irp, STATUS_NOT_SUPPORTED, 0);
    default:
        return irp_finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}
