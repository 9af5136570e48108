/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where IRPs enter: by the kind of the device and the major function. */
#include "bed/port/internal.h"

NTSTATUS irp_finish(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    irp_complete(irp);
    return status;
}

void irp_complete(IRP *irp)
{
    bed_irp_end(irp);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

/* Whether a client may have sent it. */
static BOOLEAN is_of_client(IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MajorFunction) {
    case IRP_MJ_PNP:
    case IRP_MJ_POWER:
    case IRP_MJ_SYSTEM_CONTROL:
        return FALSE;
    default:
        return TRUE;
    }
}

static NTSTATUS adapter_dispatch(struct adapter *adapter, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MajorFunction) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return file_dispatch(&adapter->device, irp);
    case IRP_MJ_DEVICE_CONTROL:
        return adapter_ioctl(adapter, irp);
    case IRP_MJ_PNP:
        return adapter_pnp(adapter, irp);
    case IRP_MJ_POWER:
        PoStartNextPowerIrp(irp);
        IoSkipCurrentIrpStackLocation(irp);
        return PoCallDriver(adapter->lower, irp);
    case IRP_MJ_SYSTEM_CONTROL:
        IoSkipCurrentIrpStackLocation(irp);
        return IoCallDriver(adapter->lower, irp);
    default:
        return irp_finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS disk_dispatch(struct disk *disk, IRP *irp)
{
    switch (IoGetCurrentIrpStackLocation(irp)->MajorFunction) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return file_dispatch(&disk->device, irp);
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        return disk_transfer(disk, irp);
    case IRP_MJ_FLUSH_BUFFERS:
        return disk_flush(disk, irp);
    case IRP_MJ_DEVICE_CONTROL:
        return disk_ioctl(disk, irp);
    case IRP_MJ_PNP:
        return disk_pnp(disk, irp);
    case IRP_MJ_POWER:
        PoStartNextPowerIrp(irp);
        return irp_finish(irp, STATUS_SUCCESS, 0);
    case IRP_MJ_SYSTEM_CONTROL:
        return irp_finish(irp, irp->IoStatus.Status, 0);
    default:
        return irp_finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

NTSTATUS NTAPI port_dispatch(DEVICE_OBJECT *object, IRP *irp)
{
    struct device *device = object->DeviceExtension;

    if (is_of_client(irp)) {
        bed_irp_begin(irp);
    }
    switch (device->kind) {
    case DEVICE_ADAPTER:
        return adapter_dispatch((struct adapter *)device, irp);
    case DEVICE_DISK:
        return disk_dispatch((struct disk *)device, irp);
    case DEVICE_CONTROL:
        return control_dispatch(device, irp);
    }
    return irp_finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}
