/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resizing a disk that this process serves. */
#include "libwnbd/ioctl.h"

#include <stdio.h>
#include <winioctl.h>

DWORD WnbdIoctlSetDiskSize(HANDLE Adapter, WNBD_CONNECTION_ID ConnectionId, UINT64 BlockCount, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_SET_SIZE_COMMAND command = {
        .IoControlCode = IOCTL_WNBD_SET_DISK_SIZE, .ConnectionId = ConnectionId, .BlockCount = BlockCount};

    if (BlockCount == 0)
        return ERROR_INVALID_PARAMETER;
    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}

/*
 * Programs look at BlockCount to refuse what lies beyond the end. It must not be the smaller size while Windows may use
 * the larger one: it grows before the driver is asked, and shrinks after that.
 */
static DWORD resize(PWNBD_DISK disk, UINT64 block_count)
{
    UINT64 before = disk->Properties.BlockCount;
    DWORD error;

    if (block_count > before)
        disk->Properties.BlockCount = block_count;
    error = WnbdIoctlSetDiskSize(disk->Handle, disk->ConnectionInfo.ConnectionId, block_count, NULL);
    disk->Properties.BlockCount = error == ERROR_SUCCESS ? block_count : before;
    return error;
}

static DWORD tell_drive(INT disk_number)
{
    WCHAR path[32];
    HANDLE drive;
    DWORD error;

    swprintf(path, ARRAYSIZE(path), L"\\\\.\\PhysicalDrive%d", disk_number);
    drive = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                        FILE_FLAG_OVERLAPPED, NULL);
    if (drive == INVALID_HANDLE_VALUE)
        return GetLastError();
    error = ioctl_call(drive, IOCTL_DISK_UPDATE_PROPERTIES, NULL, 0, NULL, 0, NULL);
    CloseHandle(drive);
    return error;
}

/* Windows learns the size from the driver's unit attention as well, but only with the next request of the disk. */
static DWORD tell_windows(PWNBD_DISK disk)
{
    WNBD_CONNECTION_INFO info;
    DWORD error = WnbdIoctlShow(disk->Handle, disk->Properties.InstanceName, &info, NULL);

    if (error != ERROR_SUCCESS || info.DiskNumber == -1)
        return error;
    return tell_drive(info.DiskNumber);
}

DWORD WnbdSetDiskSize(PWNBD_DISK Disk, UINT64 BlockCount)
{
    DWORD error;

    if (!Disk || BlockCount == 0)
        return ERROR_INVALID_PARAMETER;
    if (!Disk->Handle || Disk->Handle == INVALID_HANDLE_VALUE)
        return ERROR_NOT_FOUND;
    error = resize(Disk, BlockCount);
    return error == ERROR_SUCCESS ? tell_windows(Disk) : error;
}
