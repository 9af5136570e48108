/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "records/online.h"

#include <windows.h>
#include <winioctl.h>

#include <assert.h>
#include <stdio.h>

#ifndef IOCTL_DISK_GET_DISK_ATTRIBUTES /* mingw-w64's winioctl.h lacks it and what belongs to it */
#define IOCTL_DISK_GET_DISK_ATTRIBUTES CTL_CODE(IOCTL_DISK_BASE, 0x003c, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define DISK_ATTRIBUTE_OFFLINE         1
#define DISK_ATTRIBUTE_READ_ONLY       2
typedef struct {
    DWORD Version;
    DWORD Reserved1;
    DWORDLONG Attributes;
} GET_DISK_ATTRIBUTES;
#endif

static_assert(IOCTL_DISK_GET_DISK_ATTRIBUTES == 0x700F0 && sizeof(GET_DISK_ATTRIBUTES) == 16, "winioctl.h");

#define BRING_ONLINE  "'Set-Disk -Number %d -IsOffline $false'"
#define MAKE_WRITABLE "'Set-Disk -Number %d -IsReadOnly $false'"
#define POLICY        "; what new disks are is the SAN policy, 'san' in diskpart"

/* No access to data is needed, and an offline disk can be opened like any other. */
static HANDLE open_disk(int disk_number)
{
    WCHAR path[32];

    swprintf(path, ARRAYSIZE(path), L"\\\\.\\PhysicalDrive%d", disk_number);
    return CreateFileW(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

void online_ask(int disk_number, struct online *online)
{
    GET_DISK_ATTRIBUTES answer = {0};
    HANDLE disk = disk_number < 0 ? INVALID_HANDLE_VALUE : open_disk(disk_number);
    DWORD length = 0;

    *online = (struct online){0};
    if (disk == INVALID_HANDLE_VALUE)
        return;
    online->is_known =
        DeviceIoControl(disk, IOCTL_DISK_GET_DISK_ATTRIBUTES, NULL, 0, &answer, sizeof(answer), &length, NULL) &&
        length == sizeof(answer);
    online->is_offline = online->is_known && (answer.Attributes & DISK_ATTRIBUTE_OFFLINE);
    online->is_read_only = online->is_known && (answer.Attributes & DISK_ATTRIBUTE_READ_ONLY);
    CloseHandle(disk);
}

bool online_advise(const struct online *online, int disk_number, bool is_writable, char advice[ONLINE_ADVICE_SIZE])
{
    bool is_protected = online->is_read_only && is_writable;

    if (online->is_offline && is_protected)
        snprintf(advice, ONLINE_ADVICE_SIZE,
                 "Windows left the disk offline and read-only: in PowerShell " BRING_ONLINE " and " MAKE_WRITABLE
                 " change that" POLICY,
                 disk_number, disk_number);
    else if (online->is_offline)
        snprintf(advice, ONLINE_ADVICE_SIZE,
                 "Windows left the disk offline: in PowerShell " BRING_ONLINE " changes that" POLICY, disk_number);
    else if (is_protected)
        snprintf(advice, ONLINE_ADVICE_SIZE,
                 "Windows left the disk read-only: in PowerShell " MAKE_WRITABLE " changes that" POLICY, disk_number);
    return online->is_offline || is_protected;
}
