/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that only carry structures to and fro. */
#include "libwnbd/ioctl.h"

DWORD WnbdIoctlPing(HANDLE Adapter, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_PING_COMMAND command = {.IoControlCode = IOCTL_WNBD_PING};

    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}

DWORD WnbdIoctlReloadConfig(HANDLE Adapter, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_RELOAD_CONFIG_COMMAND command = {.IoControlCode = IOCTL_WNBD_RELOAD_CONFIG};

    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}

DWORD WnbdIoctlVersion(HANDLE Adapter, PWNBD_VERSION Version, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_VERSION_COMMAND command = {.IoControlCode = IOCTL_WNBD_VERSION};

    if (!Version)
        return ERROR_INVALID_PARAMETER;
    return ioctl_command(Adapter, &command, sizeof(command), Version, sizeof(*Version), Overlapped);
}

DWORD WnbdIoctlStats(HANDLE Adapter, const char *InstanceName, PWNBD_DRV_STATS Stats, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = IOCTL_WNBD_STATS};
    DWORD error = Stats ? ioctl_copy_name(command.InstanceName, InstanceName) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    return ioctl_command(Adapter, &command, sizeof(command), Stats, sizeof(*Stats), Overlapped);
}

DWORD WnbdIoctlRemove(HANDLE Adapter, const char *InstanceName, PWNBD_REMOVE_COMMAND_OPTIONS RemoveOptions,
                      LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_REMOVE_COMMAND command = {.IoControlCode = IOCTL_WNBD_REMOVE};
    DWORD error = ioctl_copy_name(command.InstanceName, InstanceName);

    if (error != ERROR_SUCCESS)
        return error;
    if (RemoveOptions)
        command.Options = *RemoveOptions;
    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}
