/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WNBD_DISK: a disk as an object of this process. */
#include "include/wnbd.h"

#include <stdlib.h>

static DWORD connect_disk(PWNBD_DISK disk)
{
    DWORD error = WnbdOpenAdapter(&disk->Handle);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdIoctlCreate(disk->Handle, &disk->Properties, &disk->ConnectionInfo, NULL);
    if (error != ERROR_SUCCESS) {
        CloseHandle(disk->Handle);
        return error;
    }
    /* The export, not the caller, knows how large it is. */
    disk->Properties.BlockCount = disk->ConnectionInfo.Properties.BlockCount;
    disk->Properties.BlockSize = disk->ConnectionInfo.Properties.BlockSize;
    return ERROR_SUCCESS;
}

DWORD WnbdCreate(const PWNBD_PROPERTIES Properties, const PWNBD_INTERFACE Interface, PVOID Context, PWNBD_DISK *PDisk)
{
    PWNBD_DISK disk;
    DWORD error;

    if (!Properties || !PDisk)
        return ERROR_INVALID_PARAMETER;
    disk = calloc(1, sizeof(*disk));
    if (!disk)
        return ERROR_OUTOFMEMORY;
    disk->Context = Context;
    disk->Interface = Interface;
    disk->Properties = *Properties;
    error = connect_disk(disk);
    if (error != ERROR_SUCCESS)
        free(disk);
    else
        *PDisk = disk;
    return error;
}

DWORD WnbdRemove(PWNBD_DISK Disk, PWNBD_REMOVE_OPTIONS RemoveOptions)
{
    if (!Disk)
        return ERROR_INVALID_PARAMETER;
    if (!Disk->Handle || Disk->Handle == INVALID_HANDLE_VALUE)
        return ERROR_SUCCESS;
    return WnbdRemoveEx(Disk->Properties.InstanceName, RemoveOptions);
}

VOID WnbdClose(PWNBD_DISK Disk)
{
    if (!Disk)
        return;
    CloseHandle(Disk->Handle);
    free(Disk);
}

DWORD WnbdGetUserContext(PWNBD_DISK Disk, PVOID *Context)
{
    if (!Disk || !Context)
        return ERROR_INVALID_PARAMETER;
    *Context = Disk->Context;
    return ERROR_SUCCESS;
}

DWORD WnbdGetConnectionInfo(PWNBD_DISK Disk, PWNBD_CONNECTION_INFO ConnectionInfo)
{
    if (!Disk || !ConnectionInfo)
        return ERROR_INVALID_PARAMETER;
    *ConnectionInfo = Disk->ConnectionInfo;
    return ERROR_SUCCESS;
}
