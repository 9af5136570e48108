/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Driver options. */
#include "libwnbd/adapter.h"
#include "libwnbd/ioctl.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* More than any driver has. */
#define LIST_CAPACITY 64

/* What does not fit or is not UTF-8 names no option. */
static DWORD copy_name(WCHAR destination[WNBD_MAX_NAME_LENGTH], const char *name)
{
    if (!name)
        return ERROR_INVALID_PARAMETER;
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, destination, WNBD_MAX_NAME_LENGTH) == 0)
        return ERROR_FILE_NOT_FOUND;
    return ERROR_SUCCESS;
}

/* ---- One option ---- */

DWORD WnbdIoctlGetDrvOpt(HANDLE Adapter, const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent,
                         LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_GET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_GET_DRV_OPT, .Persistent = Persistent};
    DWORD error = Value ? copy_name(command.Name, Name) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    return ioctl_command(Adapter, &command, sizeof(command), Value, sizeof(*Value), Overlapped);
}

DWORD WnbdIoctlSetDrvOpt(HANDLE Adapter, const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent,
                         LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_SET_DRV_OPT, .Persistent = Persistent};
    DWORD error = Value ? copy_name(command.Name, Name) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    command.Value = *Value;
    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}

DWORD WnbdIoctlResetDrvOpt(HANDLE Adapter, const char *Name, BOOLEAN Persistent, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_RESET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_RESET_DRV_OPT, .Persistent = Persistent};
    DWORD error = copy_name(command.Name, Name);

    if (error != ERROR_SUCCESS)
        return error;
    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}

DWORD WnbdGetDrvOpt(const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlGetDrvOpt(adapter, Name, Value, Persistent, NULL);
    CloseHandle(adapter);
    return error;
}

DWORD WnbdSetDrvOpt(const char *Name, PWNBD_OPTION_VALUE Value, BOOLEAN Persistent)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlSetDrvOpt(adapter, Name, Value, Persistent, NULL);
    CloseHandle(adapter);
    return error;
}

DWORD WnbdResetDrvOpt(const char *Name, BOOLEAN Persistent)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlResetDrvOpt(adapter, Name, Persistent, NULL);
    CloseHandle(adapter);
    return error;
}

/* ---- All of them ---- */

static DWORD list_size(UINT32 count)
{
    return (DWORD)(offsetof(WNBD_OPTION_LIST, Options) + count * sizeof(WNBD_OPTION));
}

static DWORD read_list(HANDLE adapter, BOOLEAN persistent, PWNBD_OPTION_LIST list)
{
    WNBD_IOCTL_LIST_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST_DRV_OPT, .Persistent = persistent};
    DWORD used;
    DWORD error = ioctl_command_wait(adapter, &command, sizeof(command), list, list_size(LIST_CAPACITY), &used);

    if (error != ERROR_SUCCESS)
        return error;
    if (used < list_size(0) || list->Count > LIST_CAPACITY || used < list_size(list->Count))
        return ERROR_INVALID_DATA;
    return ERROR_SUCCESS;
}

/* The sizing is done here and not by the driver, as for the list of disks. */
static void hand_over(const WNBD_OPTION_LIST *from, PWNBD_OPTION_LIST to, DWORD *size)
{
    DWORD used = list_size(from->Count);

    if (!to || *size < used) {
        *size = list_size(from->Count + 1); /* never 0: a caller takes that for the size of nothing */
        return;
    }
    memcpy(to, from, used);
    to->ElementSize = sizeof(WNBD_OPTION);
    *size = used;
}

DWORD WnbdIoctlListDrvOpt(HANDLE Adapter, PWNBD_OPTION_LIST OptionList, PDWORD BufferSize, BOOLEAN Persistent,
                          LPOVERLAPPED Overlapped)
{
    PWNBD_OPTION_LIST list;
    DWORD error;

    if (!BufferSize || (!OptionList && *BufferSize != 0))
        return ERROR_INVALID_PARAMETER;
    list = malloc(list_size(LIST_CAPACITY));
    if (!list)
        return ERROR_NOT_ENOUGH_MEMORY;
    error = read_list(Adapter, Persistent, list);
    if (error == ERROR_SUCCESS) {
        hand_over(list, OptionList, BufferSize);
        ioctl_mark_done(Overlapped, *BufferSize);
    }
    free(list);
    return error;
}

DWORD WnbdListDrvOpt(PWNBD_OPTION_LIST OptionList, PDWORD BufferSize, BOOLEAN Persistent)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlListDrvOpt(adapter, OptionList, BufferSize, Persistent, NULL);
    CloseHandle(adapter);
    return error;
}
