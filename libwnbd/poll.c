/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting until Windows has made the disk device. */
#include "libwnbd/deadline.h"

#include <stdio.h>

#ifndef ERROR_NO_SUCH_DEVICE /* mingw-w64's winerror.h lacks it */
#define ERROR_NO_SUCH_DEVICE 433L
#endif

#define NO_DISK_YET ERROR_IO_PENDING /* never comes from WnbdShow or from opening a drive */

static DWORD try_open(INT disk_number)
{
    WCHAR path[32];
    HANDLE drive;
    DWORD error;

    swprintf(path, ARRAYSIZE(path), L"\\\\.\\PhysicalDrive%d", disk_number);
    drive = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (drive != INVALID_HANDLE_VALUE) {
        CloseHandle(drive);
        return ERROR_SUCCESS;
    }
    error = GetLastError();
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_NO_SUCH_DEVICE ? NO_DISK_YET : error;
}

static DWORD look(const char *name, BOOLEAN expect_mapped, BOOLEAN open, PDWORD disk_number)
{
    WNBD_CONNECTION_INFO info;
    DWORD error = WnbdShow(name, &info);

    if (error == ERROR_FILE_NOT_FOUND && !expect_mapped)
        return NO_DISK_YET;
    if (error != ERROR_SUCCESS)
        return error;
    if (info.DiskNumber == -1)
        return NO_DISK_YET;
    if (open)
        error = try_open(info.DiskNumber);
    if (error == ERROR_SUCCESS)
        *disk_number = (DWORD)info.DiskNumber;
    return error;
}

DWORD WnbdPollDiskNumber(const char *InstanceName, BOOLEAN ExpectMapped, BOOLEAN TryOpen, DWORD TimeoutMs,
                         DWORD RetryIntervalMs, PDWORD DiskNumber)
{
    struct deadline deadline;
    DWORD error;

    if (!InstanceName || !DiskNumber)
        return ERROR_INVALID_PARAMETER;
    deadline_start(&deadline, TimeoutMs);
    for (;;) {
        error = look(InstanceName, ExpectMapped, TryOpen, DiskNumber);
        if (error != NO_DISK_YET)
            return error;
        if (!deadline_sleep(&deadline, RetryIntervalMs))
            return WAIT_TIMEOUT;
    }
}
