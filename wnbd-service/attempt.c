/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/attempt.h"

#include "wnbd-service/event.h"

#include "records/online.h"

#include <stdio.h>

#define APPEARS_MS       (30 * 1000)
#define POLL_SLICE_MS    500 /* how soon a stop is noticed */
#define POLL_INTERVAL_MS 50

/* ---- What can be cancelled ---- */

static void set_adapter(struct disk *disk, HANDLE adapter)
{
    AcquireSRWLockExclusive(&disk->lock);
    disk->adapter = adapter;
    ReleaseSRWLockExclusive(&disk->lock);
}

void attempt_cancel(struct disk *disk)
{
    AcquireSRWLockShared(&disk->lock);
    if (disk->adapter)
        CancelIoEx(disk->adapter, NULL);
    ReleaseSRWLockShared(&disk->lock);
}

/* The handle is kept for the attempt only: a program that has the adapter open keeps it from being reset. */
static DWORD create(struct disk *disk, WNBD_CONNECTION_INFO *info)
{
    HANDLE adapter;
    DWORD error = WnbdOpenAdapter(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    set_adapter(disk, adapter);
    error = WnbdIoctlCreate(adapter, &disk->properties, info, NULL);
    set_adapter(disk, NULL);
    CloseHandle(adapter);
    return error;
}

/* ---- Whether it may stay ---- */

static void undo(struct disk *disk)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};

    WnbdRemoveEx(disk->properties.InstanceName, &hard);
}

/* Who deletes a record unmaps the disk after that, and did not find it if it was being mapped. */
static bool is_wanted(struct disk *disk)
{
    return !disk_is_stopping(disk) && record_exists(disk->properties.InstanceName);
}

static DWORD wait_for_number(struct disk *disk, DWORD *number)
{
    ULONGLONG end_ms = GetTickCount64() + APPEARS_MS;
    DWORD error;

    do {
        if (!is_wanted(disk))
            return ERROR_OPERATION_ABORTED;
        error = WnbdPollDiskNumber(disk->properties.InstanceName, TRUE, TRUE, POLL_SLICE_MS, POLL_INTERVAL_MS, number);
    } while (error == WAIT_TIMEOUT && GetTickCount64() < end_ms);
    return is_wanted(disk) ? error : ERROR_OPERATION_ABORTED;
}

/* ---- That it is mapped ---- */

/* By its SAN policy Windows may keep a disk from being used, and the event log is where somebody looks who misses it.
 */
static void tell_mapped(const struct disk *disk, const WNBD_PROPERTIES *mapped, int number)
{
    const char *name = disk->properties.InstanceName;
    char advice[ONLINE_ADVICE_SIZE];
    struct online online;
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    event_report(EVENT_MAPPED, name, text, NULL);
    online_ask(number, &online);
    if (online_advise(&online, number, !mapped->Flags.ReadOnly, advice))
        event_report(EVENT_NOT_ONLINE, name, advice, NULL);
}

/* ---- A disk whose NBD client is the driver ---- */

/* A former run of the service, or the person who recorded it, may have mapped it. */
static DWORD find(struct disk *disk, char reason[WORDS_SIZE])
{
    const char *name = disk->properties.InstanceName;
    WNBD_CONNECTION_INFO info;
    const char *difference;
    DWORD error = WnbdShow(name, &info);

    if (error != ERROR_SUCCESS)
        return error;
    difference = record_difference(&disk->properties, &info.Properties);
    if (!difference) {
        event_report(EVENT_FOUND, name, NULL, NULL);
        return ERROR_SUCCESS;
    }
    snprintf(reason, WORDS_SIZE, "a disk of that name is mapped which is not the recorded one (%s)", difference);
    return ERROR_ALREADY_EXISTS;
}

static DWORD map_in_driver(struct disk *disk, char reason[WORDS_SIZE])
{
    WNBD_CONNECTION_INFO info;
    DWORD number;
    DWORD error = create(disk, &info);

    if (error == ERROR_ALREADY_EXISTS)
        return find(disk, reason);
    if (error != ERROR_SUCCESS)
        return error;
    error = wait_for_number(disk, &number);
    if (error != ERROR_SUCCESS) {
        undo(disk);
        return error;
    }
    tell_mapped(disk, &info.Properties, (int)number);
    return ERROR_SUCCESS;
}

bool attempt_find(struct disk *disk)
{
    char ignored[WORDS_SIZE];

    return find(disk, ignored) == ERROR_SUCCESS;
}

/* ---- A disk whose NBD client is this process ---- */

static bool is_ours(struct disk *disk, WNBD_CONNECTION_INFO *info)
{
    return WnbdShow(disk->properties.InstanceName, info) == ERROR_SUCCESS &&
           info->Properties.Pid == (INT)GetCurrentProcessId();
}

static bool can_be_opened(struct disk *disk, DWORD *number)
{
    return WnbdPollDiskNumber(disk->properties.InstanceName, TRUE, TRUE, 0, 0, number) == ERROR_SUCCESS;
}

/* Connecting is bounded by the driver's option ConnectTimeoutMs; a disk that is made at last is removed. */
static DWORD break_off(struct disk *disk, struct daemon *daemon)
{
    char ignored[WORDS_SIZE];
    WNBD_CONNECTION_INFO info;

    while (!daemon_has_ended(daemon, POLL_INTERVAL_MS)) {
        if (is_ours(disk, &info))
            undo(disk);
    }
    daemon_end(daemon, ignored);
    return ERROR_OPERATION_ABORTED;
}

static DWORD map_here(struct disk *disk, struct daemon *daemon, char reason[WORDS_SIZE])
{
    WNBD_CONNECTION_INFO info;
    DWORD number;
    DWORD error = daemon_start(daemon, &disk->properties);

    if (error != ERROR_SUCCESS)
        return error;
    while (!is_ours(disk, &info) || !can_be_opened(disk, &number)) {
        if (!is_wanted(disk))
            return break_off(disk, daemon);
        if (daemon_has_ended(daemon, POLL_INTERVAL_MS))
            return daemon_end(daemon, reason);
    }
    tell_mapped(disk, &info.Properties, (int)number);
    return ERROR_SUCCESS;
}

DWORD attempt_map(struct disk *disk, struct daemon *daemon, char reason[WORDS_SIZE])
{
    DWORD error;

    words_forget();
    reason[0] = '\0';
    error = disk->properties.Flags.UseKernelNbd ? map_in_driver(disk, reason) : map_here(disk, daemon, reason);
    if (error != ERROR_SUCCESS && !reason[0])
        words_of_failure(error, disk->properties.InstanceName, reason);
    return error;
}
