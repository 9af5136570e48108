/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dispatcher of a disk: its threads as a whole. */
#include "libwnbd/dispatch.h"
#include "libwnbd/ioctl.h"
#include "libwnbd/log.h"
#include "libwnbd/worker.h"

#include <stdlib.h>

#define CANCEL_INTERVAL_MS 10

static DWORD map_arena(struct served *served)
{
    WNBD_IOCTL_MAP_ARENA_COMMAND command = {.IoControlCode = IOCTL_WNBD_MAP_ARENA,
                                            .ConnectionId = served->disk.ConnectionInfo.ConnectionId};

    if (served->arena.Address != 0) /* an earlier start got this far */
        return ERROR_SUCCESS;
    return ioctl_command(served->disk.Handle, &command, sizeof(command), &served->arena, sizeof(served->arena), NULL);
}

static DWORD allocate(struct served *served, DWORD count)
{
    served->workers = calloc(count, sizeof(*served->workers));
    served->disk.DispatcherThreads = calloc(count, sizeof(*served->disk.DispatcherThreads));
    if (served->workers && served->disk.DispatcherThreads)
        return ERROR_SUCCESS;
    free(served->workers);
    free(served->disk.DispatcherThreads);
    served->workers = NULL;
    served->disk.DispatcherThreads = NULL;
    return ERROR_OUTOFMEMORY;
}

/* FALSE: it was started before. */
static BOOL mark_started(struct served *served)
{
    BOOL is_first;

    AcquireSRWLockExclusive(&served->lock);
    is_first = !served->disk.Started;
    served->disk.Started = TRUE;
    ReleaseSRWLockExclusive(&served->lock);
    return is_first;
}

static void mark_not_started(struct served *served)
{
    AcquireSRWLockExclusive(&served->lock);
    served->disk.Started = FALSE;
    ReleaseSRWLockExclusive(&served->lock);
}

static DWORD start_threads(struct served *served, DWORD count)
{
    UINT32 *started = &served->disk.DispatcherThreadsCount;
    DWORD error = ERROR_SUCCESS;

    while (*started < count && error == ERROR_SUCCESS) {
        error = worker_start(&served->workers[*started], served, &served->disk.DispatcherThreads[*started]);
        if (error == ERROR_SUCCESS)
            ++*started;
        else
            worker_close(&served->workers[*started]);
    }
    return error;
}

/* Half a dispatcher would do, but the program asked for more, and expects a disk or none. */
static void give_up(PWNBD_DISK disk, DWORD error)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};

    log_message(MESSAGE_NOT_SERVED, "cannot serve '%s': the dispatcher's threads cannot be made: Windows error %lu",
                disk->Properties.InstanceName, error);
    WnbdStopDispatcher(disk, &hard);
    WnbdWaitDispatcher(disk);
}

DWORD WnbdStartDispatcher(PWNBD_DISK Disk, DWORD ThreadCount)
{
    struct served *served = served_of(Disk);
    DWORD error;

    if (!Disk || !Disk->Interface || ThreadCount < WNBD_MIN_DISPATCHER_THREAD_COUNT ||
        ThreadCount > WNBD_MAX_DISPATCHER_THREAD_COUNT || !mark_started(served))
        return ERROR_INVALID_PARAMETER;
    error = map_arena(served);
    if (error == ERROR_SUCCESS)
        error = allocate(served, ThreadCount);
    if (error != ERROR_SUCCESS) {
        mark_not_started(served);
        return error;
    }
    error = start_threads(served, ThreadCount);
    if (error != ERROR_SUCCESS)
        give_up(Disk, error);
    return error;
}

DWORD WnbdStopDispatcher(PWNBD_DISK Disk, PWNBD_REMOVE_OPTIONS RemoveOptions)
{
    struct served *served = served_of(Disk);
    BOOL is_first;

    if (!Disk)
        return ERROR_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&served->lock);
    is_first = !Disk->Stopping;
    Disk->Stopping = TRUE;
    ReleaseSRWLockExclusive(&served->lock);
    return is_first ? WnbdRemove(Disk, RemoveOptions) : ERROR_SUCCESS;
}

/* Threads that were killed have not said so: the disk must not be left without anybody who serves it. */
static DWORD remove_deserted(PWNBD_DISK disk)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};

    if (!disk->Stopped && !disk->Properties.Flags.KeepDisk)
        WnbdRemove(disk, &hard);
    return ERROR_SUCCESS;
}

DWORD WnbdWaitDispatcher(PWNBD_DISK Disk)
{
    if (!Disk)
        return ERROR_INVALID_PARAMETER;
    if (!Disk->Started)
        return ERROR_PIPE_NOT_CONNECTED;
    /* One after the other: all must end, and WaitForMultipleObjects takes 64. */
    for (UINT32 i = 0; i < Disk->DispatcherThreadsCount; i++) {
        if (WaitForSingleObject(Disk->DispatcherThreads[i], INFINITE) != WAIT_OBJECT_0)
            return GetLastError();
    }
    return remove_deserted(Disk);
}

/* Its commands to the driver end as if the disk were gone. Again and again: a thread may be about to send one. */
static void wait_and_cancel(struct served *served, UINT32 index)
{
    while (WaitForSingleObject(served->disk.DispatcherThreads[index], CANCEL_INTERVAL_MS) == WAIT_TIMEOUT)
        CancelIoEx(served->disk.Handle, &served->workers[index].enter.overlapped);
}

static BOOL has_ended(const WNBD_DISK *disk)
{
    for (UINT32 i = 0; i < disk->DispatcherThreadsCount; i++) {
        if (WaitForSingleObject(disk->DispatcherThreads[i], 0) == WAIT_TIMEOUT)
            return FALSE;
    }
    return TRUE;
}

/* Nobody looks at the threads any more but to end them. */
static void mark_closing(struct served *served)
{
    AcquireSRWLockExclusive(&served->lock);
    served->closing = TRUE;
    worker_call_all(served);
    ReleaseSRWLockExclusive(&served->lock);
}

static void end_threads(struct served *served)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};

    if (!served->disk.Properties.Flags.KeepDisk)
        WnbdRemove(&served->disk, &hard);
    for (UINT32 i = 0; i < served->disk.DispatcherThreadsCount; i++)
        wait_and_cancel(served, i);
}

void dispatch_close(struct served *served)
{
    mark_closing(served);
    if (!has_ended(&served->disk))
        end_threads(served);
    for (UINT32 i = 0; i < served->disk.DispatcherThreadsCount; i++) {
        CloseHandle(served->disk.DispatcherThreads[i]);
        worker_close(&served->workers[i]);
    }
    free(served->disk.DispatcherThreads);
    free(served->workers);
    if (served->arena.Address != 0)
        UnmapViewOfFile((void *)(ULONG_PTR)served->arena.Address);
}
