/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device controls of adapters. */
#include "bed/port/internal.h"

static NTSTATUS get_capabilities(struct adapter *adapter, IRP *irp, ULONG_PTR *information)
{
    IO_SCSI_CAPABILITIES capabilities = {0};

    capabilities.Length = sizeof(capabilities);
    capabilities.MaximumTransferLength = adapter->config.MaximumTransferLength;
    capabilities.MaximumPhysicalPages = adapter->config.MaximumTransferLength / PAGE_SIZE + 1;
    capabilities.AlignmentMask = adapter->config.AlignmentMask;
    capabilities.TaggedQueuing = TRUE;
    return ioctl_answer(irp, &capabilities, sizeof(capabilities), information);
}

NTSTATUS adapter_ioctl(struct adapter *adapter, IRP *irp)
{
    ULONG_PTR information = 0;
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    switch (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_MINIPORT_PROCESS_SERVICE_IRP:
        return service_begin(adapter, irp);
    case IOCTL_STORAGE_QUERY_PROPERTY:
        status = query_property(adapter, NULL, irp, &information);
        break;
    case IOCTL_SCSI_GET_CAPABILITIES:
        status = get_capabilities(adapter, irp, &information);
        break;
    case IOCTL_SCSI_RESCAN_BUS:
        adapter_rescan_soon(adapter);
        status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    return irp_finish(irp, status, information);
}
