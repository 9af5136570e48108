/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks by their names. */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_properties(const WNBD_PROPERTIES *properties)
{
    const WNBD_FLAGS *flags = &properties->Flags;

    printf("name: %s\nserial: %s\nowner: %s\npid: %d\n", properties->InstanceName, properties->SerialNumber,
           properties->Owner, properties->Pid);
    printf("blocks: %llu\nblock_size: %u\nunmap_descriptors: %u\n", (unsigned long long)properties->BlockCount,
           properties->BlockSize, properties->MaxUnmapDescCount);
    printf("read_only: %u\nflush: %u\nfua: %u\nunmap: %u\nreservations: %u\nkernel_nbd: %u\nuser_nbd: %u\n",
           flags->ReadOnly, flags->FlushSupported, flags->FUASupported, flags->UnmapSupported,
           flags->PersistResSupported, flags->UseKernelNbd, flags->UseUserspaceNbd);
}

static void print_info(const WNBD_CONNECTION_INFO *info)
{
    print_properties(&info->Properties);
    printf("number: %d\nid: %llu\nbus: %u\ntarget: %u\nlun: %u\n", info->DiskNumber,
           (unsigned long long)info->ConnectionId, info->BusNumber, info->TargetId, info->Lun);
}

static DWORD show(struct arguments *arguments)
{
    WNBD_CONNECTION_INFO info;
    DWORD error = WnbdShow(name_of(arguments), &info);

    if (error == ERROR_SUCCESS)
        print_info(&info);
    return error;
}

/* Steps of the caller's loop: nothing, one byte less than enough, enough. */
static DWORD list(struct arguments *arguments)
{
    PWNBD_CONNECTION_LIST found;
    DWORD needed = 0;
    DWORD size;
    DWORD error = WnbdList(NULL, &needed);

    (void)arguments;
    printf("needed: %lu\n", needed);
    found = calloc(1, needed ? needed : 1);
    size = needed > sizeof(WNBD_CONNECTION_INFO) ? needed - (DWORD)sizeof(WNBD_CONNECTION_INFO) - 1 : 0;
    if (error == ERROR_SUCCESS && size > 0)
        error = WnbdList(found, &size);
    printf("too_small: %lu\n", size);
    size = needed;
    if (error == ERROR_SUCCESS)
        error = WnbdList(found, &size);
    printf("used: %lu\nelement: %u\ncount: %u\n", size, found->ElementSize, found->Count);
    for (UINT32 i = 0; error == ERROR_SUCCESS && i < found->Count; i++)
        print_info(&found->Connections[i]);
    free(found);
    return error;
}

static DWORD stats(struct arguments *arguments)
{
    WNBD_DRV_STATS stats;
    DWORD error = WnbdGetDriverStats(name_of(arguments), &stats);

    if (error == ERROR_SUCCESS)
        printf("received: %lld\nsubmitted: %lld\nreplies: %lld\nunsubmitted: %lld\npending: %lld\noutstanding: %lld\n"
               "late: %lld\naborted_submitted: %lld\naborted_unsubmitted: %lld\n",
               (long long)stats.TotalReceivedIORequests, (long long)stats.TotalSubmittedIORequests,
               (long long)stats.TotalReceivedIOReplies, (long long)stats.UnsubmittedIORequests,
               (long long)stats.PendingSubmittedIORequests, (long long)stats.OutstandingIOCount,
               (long long)stats.CompletedAbortedIORequests, (long long)stats.AbortedSubmittedIORequests,
               (long long)stats.AbortedUnsubmittedIORequests);
    return error;
}

/* watch NAME, until the driver knows no such disk: quicker than `show`, which asks Windows for the disk's number. */
static DWORD watch(struct arguments *arguments)
{
    const char *name = name_of(arguments);
    WNBD_DRV_STATS stats;
    DWORD error;

    while ((error = WnbdGetDriverStats(name, &stats)) == ERROR_SUCCESS)
        Sleep(5);
    return error;
}

/* poll NAME EXPECT-MAPPED TRY-OPEN TIMEOUT INTERVAL */
static DWORD poll(struct arguments *arguments)
{
    const char *name = name_of(arguments);
    BOOLEAN expect_mapped = (BOOLEAN)arguments_word_number(arguments, "whether it must be mapped");
    BOOLEAN try_open = (BOOLEAN)arguments_word_number(arguments, "whether it must open");
    DWORD timeout_ms = (DWORD)arguments_word_number(arguments, "the time-out");
    DWORD interval_ms = (DWORD)arguments_word_number(arguments, "the interval");
    DWORD number = 0;
    ULONGLONG start = GetTickCount64();
    DWORD error = WnbdPollDiskNumber(name, expect_mapped, try_open, timeout_ms, interval_ms, &number);

    printf("number: %lu\nms: %llu\n", number, GetTickCount64() - start);
    return error;
}

/* remove NAME [--hard] [--fallback] [--timeout MS] [--interval MS] [--default] */
static DWORD remove_disk(struct arguments *arguments)
{
    WNBD_REMOVE_OPTIONS options = {0};
    BOOL by_default = arguments_flag(arguments, "--default");

    options.Flags.HardRemove = arguments_flag(arguments, "--hard");
    options.Flags.HardRemoveFallback = arguments_flag(arguments, "--fallback");
    options.SoftRemoveTimeoutMs = (DWORD)arguments_number(arguments, "--timeout", 1);
    options.SoftRemoveRetryIntervalMs = (DWORD)arguments_number(arguments, "--interval", 1);
    return WnbdRemoveEx(name_of(arguments), by_default ? NULL : &options);
}

/* limits N: a disk opened as the published case opens it. */
static DWORD limits(struct arguments *arguments)
{
    char path[64];
    DWORD of_disk = 0;
    DWORD of_adapter = 0;
    HANDLE disk;
    DWORD error;

    snprintf(path, sizeof(path), "\\\\.\\PhysicalDrive%s", arguments_word(arguments, "the number"));
    disk = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (disk == INVALID_HANDLE_VALUE)
        return GetLastError();
    error = WnbdIoctlGetIOLimits(disk, &of_disk, &of_adapter, NULL);
    printf("disk: %lu\nadapter: %lu\n", of_disk, of_adapter);
    CloseHandle(disk);
    return error;
}

/* exists N: whether Windows has such a disk. */
static DWORD exists(struct arguments *arguments)
{
    char path[64];
    HANDLE disk;

    snprintf(path, sizeof(path), "\\\\.\\PhysicalDrive%s", arguments_word(arguments, "the number"));
    disk = CreateFileA(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (disk == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(disk);
    return ERROR_SUCCESS;
}

const struct order disk_orders[] = {
    {"show", show},     {"list", list},     {"stats", stats}, {"poll", poll}, {"remove", remove_disk},
    {"limits", limits}, {"exists", exists}, {"watch", watch}, {NULL, NULL},
};
