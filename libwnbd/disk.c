/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk as an object of this process: from being made or taken over to being closed. */
#include "libwnbd/dispatch.h"
#include "libwnbd/ioctl.h"
#include "libwnbd/keeper.h"
#include "libwnbd/senders.h"

#include <stdlib.h>

/* Makes, or takes over, the disk of served->disk.Handle and fills disk.Properties and disk.ConnectionInfo. */
typedef DWORD (*get_function)(PWNBD_DISK disk);

static DWORD create(PWNBD_DISK disk)
{
    DWORD error = WnbdIoctlCreate(disk->Handle, &disk->Properties, &disk->ConnectionInfo, NULL);

    if (error != ERROR_SUCCESS)
        return error;
    /* The export, not the caller, knows how large it is; and the caller may have left its blocks open. */
    disk->Properties.BlockCount = disk->ConnectionInfo.Properties.BlockCount;
    disk->Properties.BlockSize = disk->ConnectionInfo.Properties.BlockSize;
    disk->Properties.PhysicalBlockSize = disk->ConnectionInfo.Properties.PhysicalBlockSize;
    return ERROR_SUCCESS;
}

static DWORD attach(PWNBD_DISK disk)
{
    WNBD_IOCTL_ATTACH_COMMAND command = {.IoControlCode = IOCTL_WNBD_ATTACH};
    DWORD error = ioctl_copy_name(command.InstanceName, disk->Properties.InstanceName);

    if (error == ERROR_SUCCESS)
        error = ioctl_command(disk->Handle, &command, sizeof(command), &disk->ConnectionInfo,
                              sizeof(disk->ConnectionInfo), NULL);
    if (error == ERROR_SUCCESS)
        disk->Properties = disk->ConnectionInfo.Properties;
    return error;
}

static DWORD own(struct served *served, get_function get)
{
    WNBD_DISK *disk = &served->disk;
    DWORD error;

    if (disk->Properties.Flags.UseKernelNbd)
        return ERROR_SUCCESS;
    error = keeper_start(served);
    if (error != ERROR_SUCCESS && get == create) /* one that was there before waits for another owner */
        WnbdIoctlRemove(disk->Handle, disk->Properties.InstanceName, NULL, NULL);
    return error;
}

static DWORD open_disk(struct served *served, get_function get)
{
    DWORD error = WnbdOpenAdapter(&served->disk.Handle);

    if (error != ERROR_SUCCESS)
        return error;
    error = get(&served->disk);
    if (error == ERROR_SUCCESS)
        error = own(served, get);
    if (error != ERROR_SUCCESS)
        CloseHandle(served->disk.Handle);
    return error;
}

static DWORD make(const WNBD_PROPERTIES *properties, PWNBD_INTERFACE callbacks, PVOID context, get_function get,
                  PWNBD_DISK *result)
{
    struct served *served = calloc(1, sizeof(*served));
    DWORD error;

    if (!served)
        return ERROR_OUTOFMEMORY;
    InitializeSRWLock(&served->lock);
    crew_start(&served->crew);
    served->disk.Context = context;
    served->disk.Interface = callbacks;
    served->disk.Properties = *properties;
    error = open_disk(served, get);
    if (error == ERROR_SUCCESS)
        *result = &served->disk;
    else
        free(served);
    return error;
}

DWORD WnbdCreate(const PWNBD_PROPERTIES Properties, const PWNBD_INTERFACE Interface, PVOID Context, PWNBD_DISK *PDisk)
{
    if (!Properties || !PDisk)
        return ERROR_INVALID_PARAMETER;
    return make(Properties, Interface, Context, create, PDisk);
}

DWORD WnbdAttach(const char *InstanceName, const PWNBD_INTERFACE Interface, PVOID Context, PWNBD_DISK *PDisk)
{
    WNBD_PROPERTIES properties = {0};
    DWORD error = PDisk ? ioctl_copy_name(properties.InstanceName, InstanceName) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return error;
    return make(&properties, Interface, Context, attach, PDisk);
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
    struct served *served = served_of(Disk);

    if (!Disk)
        return;
    dispatch_close(served);
    if (served_is_ours(served))
        keeper_stop(served);
    CloseHandle(Disk->Handle);
    senders_close(served);
    free(served);
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
