/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/disks.h"

#include <stdio.h>
#include <stdlib.h>

DWORD disks_read(PWNBD_CONNECTION_LIST *list)
{
    DWORD size = 0;
    DWORD given;
    DWORD error;

    *list = NULL;
    do {
        given = size;
        free(*list);
        *list = given ? malloc(given) : NULL;
        if (given && !*list)
            return ERROR_NOT_ENOUGH_MEMORY;
        error = WnbdList(*list, &size);
    } while (error == ERROR_SUCCESS && size > given);
    return error;
}

bool disk_is_nbd(const WNBD_PROPERTIES *properties)
{
    return properties->Flags.UseKernelNbd || properties->Flags.UseUserspaceNbd;
}

bool disk_is_served(const WNBD_PROPERTIES *properties)
{
    return !properties->Flags.UseKernelNbd;
}

const char *disk_state_word(const WNBD_PROPERTIES *properties, UINT32 state)
{
    switch (state) {
    case WnbdServerConnected:
        return disk_is_served(properties) ? "served" : "connected";
    case WnbdServerReconnecting:
        return "reconnecting";
    case WnbdServerLost:
        return "lost";
    default:
        return "unknown";
    }
}

const char *disk_replies_word(UINT32 replies)
{
    switch (replies) {
    case WnbdRepliesSimple:
        return "simple";
    case WnbdRepliesStructured:
        return "structured";
    case WnbdRepliesExtended:
        return "extended";
    default:
        return "unknown";
    }
}

bool disk_read_limits(INT disk_number, DWORD *lun, DWORD *adapter)
{
    WCHAR path[32];
    HANDLE disk;
    DWORD error;

    if (disk_number < 0)
        return false;
    swprintf(path, ARRAYSIZE(path), L"\\\\.\\PhysicalDrive%d", disk_number);
    disk = CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (disk == INVALID_HANDLE_VALUE)
        return false;
    error = WnbdIoctlGetIOLimits(disk, lun, adapter, NULL);
    CloseHandle(disk);
    return error == ERROR_SUCCESS;
}
