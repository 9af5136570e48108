/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What disks there are. */
#include "libwnbd/list.h"
#include "libwnbd/adapter.h"
#include "libwnbd/disk_device.h"
#include "libwnbd/ioctl.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* More than an adapter has addresses: the driver's answer always fits. */
#define LIST_CAPACITY 256

static DWORD list_size(UINT32 count)
{
    return (DWORD)(offsetof(WNBD_CONNECTION_LIST, Connections) + count * sizeof(WNBD_CONNECTION_INFO));
}

static DWORD fill(HANDLE adapter, PWNBD_CONNECTION_LIST list)
{
    WNBD_IOCTL_LIST_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST};
    DWORD used;
    DWORD error = ioctl_command_wait(adapter, &command, sizeof(command), list, list_size(LIST_CAPACITY), &used);

    if (error != ERROR_SUCCESS)
        return error;
    if (used < list_size(0) || list->ElementSize != sizeof(WNBD_CONNECTION_INFO) || list->Count > LIST_CAPACITY ||
        used < list_size(list->Count))
        return ERROR_INVALID_DATA;
    return ERROR_SUCCESS;
}

DWORD list_read(HANDLE adapter, PWNBD_CONNECTION_LIST *list)
{
    DWORD error;

    *list = malloc(list_size(LIST_CAPACITY));
    if (!*list)
        return ERROR_NOT_ENOUGH_MEMORY;
    error = fill(adapter, *list);
    if (error != ERROR_SUCCESS) {
        free(*list);
        *list = NULL;
    }
    return error;
}

/* The sizing is done here and not by the driver, which would have to report more bytes than it was given. */
static void hand_over(PWNBD_CONNECTION_LIST from, PWNBD_CONNECTION_LIST to, DWORD *size)
{
    DWORD used = list_size(from->Count);

    if (!to || *size < used) {
        *size = list_size(from->Count + 1); /* room for one that appears before the next call */
        return;
    }
    disk_device_fill(from->Connections, from->Count);
    memcpy(to, from, used);
    *size = used;
}

DWORD WnbdIoctlList(HANDLE Adapter, PWNBD_CONNECTION_LIST ConnectionList, PDWORD BufferSize, LPOVERLAPPED Overlapped)
{
    PWNBD_CONNECTION_LIST list;
    DWORD error;

    if (!BufferSize || (!ConnectionList && *BufferSize != 0))
        return ERROR_INVALID_PARAMETER;
    error = list_read(Adapter, &list);
    if (error != ERROR_SUCCESS)
        return error;
    hand_over(list, ConnectionList, BufferSize);
    ioctl_mark_done(Overlapped, *BufferSize);
    free(list);
    return ERROR_SUCCESS;
}

DWORD WnbdIoctlShow(HANDLE Adapter, const char *InstanceName, PWNBD_CONNECTION_INFO ConnectionInfo,
                    LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_SHOW_COMMAND command = {.IoControlCode = IOCTL_WNBD_SHOW};
    DWORD error = ConnectionInfo ? ioctl_copy_name(command.InstanceName, InstanceName) : ERROR_INVALID_PARAMETER;

    if (error == ERROR_SUCCESS)
        error = ioctl_command(Adapter, &command, sizeof(command), ConnectionInfo, sizeof(*ConnectionInfo), NULL);
    if (error != ERROR_SUCCESS)
        return error;
    disk_device_fill(ConnectionInfo, 1);
    ioctl_mark_done(Overlapped, sizeof(*ConnectionInfo));
    return ERROR_SUCCESS;
}

DWORD WnbdList(PWNBD_CONNECTION_LIST ConnectionList, PDWORD BufferSize)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlList(adapter, ConnectionList, BufferSize, NULL);
    CloseHandle(adapter);
    return error;
}

DWORD WnbdShow(const char *InstanceName, PWNBD_CONNECTION_INFO ConnectionInfo)
{
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlShow(adapter, InstanceName, ConnectionInfo, NULL);
    CloseHandle(adapter);
    return error;
}

DWORD WnbdGetServerStatus(const char *InstanceName, PWNBD_SERVER_STATUS Status)
{
    WNBD_IOCTL_SHOW_COMMAND command = {.IoControlCode = IOCTL_WNBD_SHOW};
    DWORD error = Status ? ioctl_copy_name(command.InstanceName, InstanceName) : ERROR_INVALID_PARAMETER;
    WNBD_IOCTL_SHOW_OUTPUT output;
    HANDLE adapter;

    if (error == ERROR_SUCCESS)
        error = adapter_open(&adapter);
    if (error != ERROR_SUCCESS)
        return error;
    error = ioctl_command(adapter, &command, sizeof(command), &output, sizeof(output), NULL);
    CloseHandle(adapter);
    if (error == ERROR_SUCCESS)
        *Status = output.Server;
    return error;
}
