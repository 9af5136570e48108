/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device controls of disks. All are METHOD_BUFFERED but those that passthrough.c takes. PASSIVE_LEVEL. */
#include "bed/port/internal.h"
#include "bed/port/control.h"
#include "core/base/bytes.h"

#ifndef IOCTL_DISK_GET_DISK_ATTRIBUTES
#define IOCTL_DISK_GET_DISK_ATTRIBUTES CTL_CODE(IOCTL_DISK_BASE, 0x003c, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_DISK_SET_DISK_ATTRIBUTES                                                                                 \
    CTL_CODE(IOCTL_DISK_BASE, 0x003d, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
#endif
#ifndef IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES
#define IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES                                                                       \
    CTL_CODE(IOCTL_STORAGE_BASE, 0x0501, METHOD_BUFFERED, FILE_WRITE_ACCESS)
#endif
#ifndef IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES
#define IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES                                                                \
    CTL_CODE(IOCTL_STORAGE_BASE, 0x0502, METHOD_BUFFERED, FILE_READ_ACCESS)
#endif

/* GET_DISK_ATTRIBUTES and SET_DISK_ATTRIBUTES, which not every winioctl.h has. */
struct disk_attributes {
    ULONG version;
    ULONG reserved;
    ULONGLONG attributes;
};

struct disk_attributes_change {
    ULONG version;
    BOOLEAN persist;
    UCHAR reserved[3];
    ULONGLONG attributes;
    ULONGLONG mask;
    ULONG reserved2[4];
};

#define DISK_ATTRIBUTES_KNOWN (BED_DISK_OFFLINE | BED_DISK_READ_ONLY)

static ULONG output_room(IRP *irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength;
}

static ULONG input_length(IRP *irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.InputBufferLength;
}

/* Puts a whole answer into the caller's buffer, or says that it does not fit. */
NTSTATUS ioctl_answer(IRP *irp, const void *data, ULONG length, ULONG_PTR *information)
{
    if (output_room(irp) < length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, data, length);
    *information = length;
    return STATUS_SUCCESS;
}

static void fill_geometry(const struct disk *disk, DISK_GEOMETRY *geometry)
{
    RtlZeroMemory(geometry, sizeof(*geometry));
    geometry->MediaType = FixedMedia;
    geometry->TracksPerCylinder = 255;
    geometry->SectorsPerTrack = 63;
    geometry->BytesPerSector = disk->capacity.block_size;
    geometry->Cylinders.QuadPart = (LONGLONG)(disk_blocks(disk) / (255 * 63));
}

static NTSTATUS get_geometry(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    DISK_GEOMETRY geometry;

    disk_update(disk);
    fill_geometry(disk, &geometry);
    return ioctl_answer(irp, &geometry, sizeof(geometry), information);
}

static NTSTATUS get_geometry_ex(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    struct {
        DISK_GEOMETRY geometry;
        LARGE_INTEGER size;
    } data;

    disk_update(disk);
    fill_geometry(disk, &data.geometry);
    data.size.QuadPart = (LONGLONG)(disk_blocks(disk) * disk->capacity.block_size);
    return ioctl_answer(irp, &data, sizeof(data), information);
}

static NTSTATUS get_length(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    LARGE_INTEGER length;

    length.QuadPart = (LONGLONG)(disk_blocks(disk) * disk->capacity.block_size);
    return ioctl_answer(irp, &length, sizeof(length), information);
}

static NTSTATUS is_writable(struct disk *disk)
{
    UCHAR data[192];
    ULONG got;
    NTSTATUS status = unit_mode_sense(disk->unit, 0x3F, data, sizeof(data), &got);

    if (!NT_SUCCESS(status) || got < 4) {
        return STATUS_SUCCESS; /* what cannot be asked is taken for writable */
    }
    return (data[2] & 0x80) != 0 ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS;
}

static NTSTATUS get_number(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    STORAGE_DEVICE_NUMBER number = {FILE_DEVICE_DISK, disk->number, 0};

    return ioctl_answer(irp, &number, sizeof(number), information);
}

static NTSTATUS get_address(struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    SCSI_ADDRESS address = {0};

    address.Length = sizeof(address);
    address.PortNumber = (UCHAR)disk->adapter->number;
    address.PathId = disk->unit->path;
    address.TargetId = disk->unit->target;
    address.Lun = disk->unit->lun;
    return ioctl_answer(irp, &address, sizeof(address), information);
}

/* ---- what the partition manager keeps of a disk ---- */

static NTSTATUS get_attributes(const struct disk *disk, IRP *irp, ULONG_PTR *information)
{
    struct disk_attributes attributes = {sizeof(attributes), 0, disk->attributes};

    return ioctl_answer(irp, &attributes, sizeof(attributes), information);
}

static NTSTATUS set_attributes(struct disk *disk, IRP *irp)
{
    const struct disk_attributes_change *change = irp->AssociatedIrp.SystemBuffer;

    if (input_length(irp) < sizeof(*change)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    /* The version is not checked: the documentation has GET_DISK_ATTRIBUTES' size there, programs this structure's. */
    if ((change->mask & ~(ULONGLONG)DISK_ATTRIBUTES_KNOWN) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    disk->attributes = (ULONG)((disk->attributes & ~change->mask) | (change->attributes & change->mask));
    return STATUS_SUCCESS;
}

/* VERIFY (16) in steps that the disk class driver takes as well. */
static NTSTATUS verify(struct disk *disk, IRP *irp)
{
    const VERIFY_INFORMATION *range = irp->AssociatedIrp.SystemBuffer;
    ULONG block_size = disk->capacity.block_size;
    struct judgement judgement;
    struct request *request;
    UCHAR cdb[16] = {SCSIOP_VERIFY16};

    if (input_length(irp) < sizeof(*range)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (range->StartingOffset.QuadPart % block_size != 0 || range->Length % block_size != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    request = request_take(disk->unit);
    if (request == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    store_be64(cdb + 2, (ULONGLONG)range->StartingOffset.QuadPart / block_size);
    store_be32(cdb + 10, range->Length / block_size);
    command_scsi(&request->command, cdb, sizeof(cdb), SRB_FLAGS_NO_DATA_TRANSFER, 60);
    request_run(request);
    judge(&request->outcome, &judgement);
    request_give(request);
    return judgement.status;
}

static NTSTATUS serve(struct disk *disk, IRP *irp, MDL *user, ULONG_PTR *information)
{
    switch (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
        return get_geometry(disk, irp, information);
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
        return get_geometry_ex(disk, irp, information);
    case IOCTL_DISK_GET_LENGTH_INFO:
        return get_length(disk, irp, information);
    case IOCTL_DISK_IS_WRITABLE:
        return is_writable(disk);
    case IOCTL_DISK_GET_DISK_ATTRIBUTES:
        return get_attributes(disk, irp, information);
    case IOCTL_DISK_SET_DISK_ATTRIBUTES:
        return set_attributes(disk, irp);
    case IOCTL_DISK_UPDATE_PROPERTIES:
        disk_update(disk);
        return STATUS_SUCCESS;
    case IOCTL_DISK_VERIFY:
        return verify(disk, irp);
    case IOCTL_DISK_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY2:
        return STATUS_SUCCESS;
    case IOCTL_STORAGE_GET_DEVICE_NUMBER:
        return get_number(disk, irp, information);
    case IOCTL_STORAGE_QUERY_PROPERTY:
        return query_property(disk->adapter, disk, irp, information);
    case IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES:
        return manage_data_set(disk, irp, information);
    case IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES:
        return map_resources(disk, irp, information);
    case IOCTL_SCSI_GET_ADDRESS:
        return get_address(disk, irp, information);
    case IOCTL_SCSI_PASS_THROUGH:
        return pass_through(disk, irp, FALSE, NULL, information);
    case IOCTL_SCSI_PASS_THROUGH_DIRECT:
        return pass_through(disk, irp, TRUE, user, information);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/*
 * These controls wait for the miniport. On Windows each runs in its caller's thread; a host with one dispatching thread
 * would be blocked by a slow one, so those that need the miniport are handed to a worker.
 */
static BOOLEAN needs_miniport(ULONG code)
{
    switch (code) {
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
    case IOCTL_DISK_IS_WRITABLE:
    case IOCTL_DISK_UPDATE_PROPERTIES:
    case IOCTL_DISK_VERIFY:
    case IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES:
    case IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES:
    case IOCTL_SCSI_PASS_THROUGH:
    case IOCTL_SCSI_PASS_THROUGH_DIRECT:
        return TRUE;
    default:
        return FALSE;
    }
}

struct work {
    PIO_WORKITEM item;
    IRP *irp;
    MDL *user; /* of a direct pass-through */
};

static void NTAPI serve_later(DEVICE_OBJECT *object, void *context)
{
    struct work *work = context;
    PIO_WORKITEM item = work->item;
    IRP *irp = work->irp;
    ULONG_PTR information = 0;
    NTSTATUS status = serve(object->DeviceExtension, irp, work->user, &information);

    pass_through_unlock(work->user);
    disk_leave(object->DeviceExtension);
    ExFreePoolWithTag(work, PORT_TAG);
    irp_finish(irp, status, information);
    IoFreeWorkItem(item);
}

static NTSTATUS queue(struct disk *disk, IRP *irp, ULONG code)
{
    struct work *work = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*work), PORT_TAG);
    PIO_WORKITEM item = IoAllocateWorkItem(disk->device.object);
    NTSTATUS status = STATUS_SUCCESS;

    if (work == NULL || item == NULL) {
        disk_leave(disk);
        return irp_finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    work->item = item;
    work->irp = irp;
    work->user = NULL;
    if (code == IOCTL_SCSI_PASS_THROUGH_DIRECT) {
        status = pass_through_lock(irp, &work->user);
    }
    if (!NT_SUCCESS(status)) {
        IoFreeWorkItem(item);
        ExFreePoolWithTag(work, PORT_TAG);
        disk_leave(disk);
        return irp_finish(irp, status, 0);
    }
    IoMarkIrpPending(irp);
    IoQueueWorkItem(item, serve_later, DelayedWorkQueue, work);
    return STATUS_PENDING;
}

NTSTATUS disk_ioctl(struct disk *disk, IRP *irp)
{
    ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG_PTR information = 0;
    NTSTATUS status;

    if (!disk_enter(disk)) {
        return irp_finish(irp, STATUS_NO_SUCH_DEVICE, 0);
    }
    if (needs_miniport(code)) {
        return queue(disk, irp, code); /* which leaves the disk */
    }
    status = serve(disk, irp, NULL, &information);
    disk_leave(disk);
    return irp_finish(irp, status, information);
}
