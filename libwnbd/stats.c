/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Windows and the driver count and limit. */
#include "libwnbd/adapter.h"
#include "libwnbd/ioctl.h"

#include <winioctl.h>

/* STORAGE_DEVICE_IO_CAPABILITY_DESCRIPTOR of ntddstor.h, which mingw-w64 lacks. */
struct io_capability {
    DWORD version;
    DWORD size;
    DWORD lun_max_io_count;
    DWORD adapter_max_io_count;
};

DWORD WnbdGetDriverStats(const char *InstanceName, PWNBD_DRV_STATS Stats)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlStats(adapter, InstanceName, Stats, NULL);
    CloseHandle(adapter);
    return error;
}

DWORD WnbdGetDiskStats(const char *InstanceName, PWNBD_IOCTL_STATS_OUTPUT Stats)
{
    WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = IOCTL_WNBD_STATS};
    DWORD error = Stats ? ioctl_copy_name(command.InstanceName, InstanceName) : ERROR_INVALID_PARAMETER;
    HANDLE adapter;

    if (error == ERROR_SUCCESS)
        error = adapter_open(&adapter);
    if (error != ERROR_SUCCESS)
        return error;
    error = ioctl_command(adapter, &command, sizeof(command), Stats, sizeof(*Stats), NULL);
    CloseHandle(adapter);
    return error;
}

DWORD WnbdIoctlGetIOLimits(HANDLE DiskHandle, PDWORD LunMaxIoCount, PDWORD AdapterMaxIoCount, LPOVERLAPPED Overlapped)
{
    STORAGE_PROPERTY_QUERY query = {.PropertyId = StorageDeviceIoCapabilityProperty,
                                    .QueryType = PropertyStandardQuery};
    struct io_capability limits;
    DWORD used;
    DWORD error;

    if (!LunMaxIoCount || !AdapterMaxIoCount)
        return ERROR_INVALID_PARAMETER;
    error = ioctl_call(DiskHandle, IOCTL_STORAGE_QUERY_PROPERTY, &query, sizeof(query), &limits, sizeof(limits), &used);
    if (error == ERROR_SUCCESS && used < sizeof(limits))
        error = ERROR_INVALID_DATA;
    if (error != ERROR_SUCCESS)
        return error;
    *LunMaxIoCount = limits.lun_max_io_count;
    *AdapterMaxIoCount = limits.adapter_max_io_count;
    ioctl_mark_done(Overlapped, sizeof(limits));
    return ERROR_SUCCESS;
}
