/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/disk.h"

#include "wnbd-service/attempt.h"
#include "wnbd-service/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_A_TIME        8 /* disks that are being mapped */
#define FIRST_PAUSE_MS   1000
#define LONGEST_PAUSE_MS (60 * 1000)
#define REMOVE_RETRY_MS  1000
#define STACK_BYTES      (256 * 1024)

static HANDLE places; /* semaphore: to map */
static HANDLE turn;   /* mutex: to unmap */
static ULONGLONG volatile end_of_asking_ms;

DWORD disk_prepare(void)
{
    places = CreateSemaphoreW(NULL, AT_A_TIME, AT_A_TIME, NULL);
    turn = CreateMutexW(NULL, FALSE, NULL);
    return places && turn ? ERROR_SUCCESS : GetLastError();
}

void disk_set_end(ULONGLONG end_ms)
{
    end_of_asking_ms = end_ms;
}

static void set_state(struct disk *disk, enum disk_state state)
{
    InterlockedExchange(&disk->state, (LONG)state);
}

enum disk_state disk_state(struct disk *disk)
{
    return (enum disk_state)InterlockedCompareExchange(&disk->state, 0, 0);
}

bool disk_is_stopping(struct disk *disk)
{
    return WaitForSingleObject(disk->stop, 0) == WAIT_OBJECT_0;
}

/* ---- Mapping ---- */

static DWORD try_to_map(struct disk *disk, struct daemon *daemon, char reason[WORDS_SIZE])
{
    HANDLE either[] = {disk->stop, places};
    DWORD error;

    if (WaitForMultipleObjects(ARRAYSIZE(either), either, FALSE, INFINITE) == WAIT_OBJECT_0)
        return ERROR_OPERATION_ABORTED;
    error = attempt_map(disk, daemon, reason);
    ReleaseSemaphore(places, 1, NULL);
    return error;
}

/* The same reason is not told again and again: that would fill the log while a server is down for a night. */
static void tell_failure(struct disk *disk, const char *reason, char last_reason[WORDS_SIZE], DWORD pause_ms)
{
    char seconds[16];

    if (strcmp(reason, last_reason) == 0)
        return;
    snprintf(last_reason, WORDS_SIZE, "%s", reason);
    snprintf(seconds, sizeof(seconds), "%lu", pause_ms / 1000);
    event_report(EVENT_NOT_MAPPED, disk->properties.InstanceName, reason, seconds);
}

/* Tries without end. False: it is stopped. */
static bool map(struct disk *disk, struct daemon *daemon)
{
    char last_reason[WORDS_SIZE] = "";
    char reason[WORDS_SIZE];
    DWORD pause_ms = FIRST_PAUSE_MS;

    while (try_to_map(disk, daemon, reason) != ERROR_SUCCESS) {
        if (disk_is_stopping(disk))
            return false;
        tell_failure(disk, reason, last_reason, pause_ms);
        set_state(disk, DISK_WAITING);
        if (WaitForSingleObject(disk->stop, pause_ms) == WAIT_OBJECT_0)
            return false;
        pause_ms = min(pause_ms * 2, LONGEST_PAUSE_MS);
    }
    set_state(disk, DISK_MAPPED);
    return true;
}

/* ---- While it is mapped ---- */

/* The disk went with its client. True: it is to be mapped again. */
static bool daemon_is_over(struct disk *disk, struct daemon *daemon)
{
    const char *name = disk->properties.InstanceName;
    char reason[WORDS_SIZE];
    DWORD error = daemon_end(daemon, reason);

    set_state(disk, DISK_WAITING);
    if (error != ERROR_SUCCESS) {
        event_report(EVENT_DAEMON_ENDED, name, reason, NULL);
        return WaitForSingleObject(disk->stop, FIRST_PAUSE_MS) == WAIT_TIMEOUT;
    }
    if (record_exists(name))
        event_report(EVENT_TAKEN_AWAY, name, NULL, NULL);
    WaitForSingleObject(disk->stop, INFINITE);
    return false;
}

/* Until it is stopped; true: it is to be mapped again. */
static bool guard(struct disk *disk, struct daemon *daemon)
{
    HANDLE either[] = {disk->stop, daemon->thread};
    DWORD count = daemon->thread ? 2 : 1;

    if (WaitForMultipleObjects(count, either, FALSE, INFINITE) == WAIT_OBJECT_0)
        return false;
    return daemon_is_over(disk, daemon);
}

/* ---- Unmapping ---- */

/* One attempt. They take turns: a removal makes Windows look for all disks of the adapter, and would find another one
 * whose device is gone already while its mapping is not. */
static DWORD remove_once(struct disk *disk)
{
    WNBD_REMOVE_OPTIONS options = {.SoftRemoveTimeoutMs = 1, .SoftRemoveRetryIntervalMs = 1};
    DWORD error;

    WaitForSingleObject(turn, INFINITE);
    words_forget();
    error = WnbdRemoveEx(disk->properties.InstanceName, &options);
    ReleaseMutex(turn);
    return error;
}

/* A disk that is in use keeps no other one waiting. */
static DWORD remove_softly(struct disk *disk)
{
    DWORD error = remove_once(disk);

    while (error != ERROR_SUCCESS && error != ERROR_FILE_NOT_FOUND && GetTickCount64() < end_of_asking_ms) {
        Sleep(REMOVE_RETRY_MS);
        error = remove_once(disk);
    }
    return error;
}

/* Somebody still uses it. One that this process serves goes with the process. */
static void tell_vetoed(struct disk *disk, struct daemon *daemon, DWORD error)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};
    const char *name = disk->properties.InstanceName;
    char reason[WORDS_SIZE];

    words_of_failure(error, name, reason);
    event_report(daemon->thread ? EVENT_PULLED : EVENT_STAYS, name, reason, NULL);
    if (daemon->thread)
        WnbdRemoveEx(name, &hard);
}

static void unmap(struct disk *disk, struct daemon *daemon)
{
    char ignored[WORDS_SIZE];
    DWORD error = remove_softly(disk);

    if (error == ERROR_SUCCESS)
        event_report(EVENT_UNMAPPED, disk->properties.InstanceName, NULL, NULL);
    else if (error != ERROR_FILE_NOT_FOUND)
        tell_vetoed(disk, daemon, error);
    if (daemon->thread)
        daemon_end(daemon, ignored);
}

/* ---- Its thread ---- */

static DWORD WINAPI run(void *context)
{
    struct disk *disk = context;
    struct daemon *daemon = calloc(1, sizeof(*daemon));

    while (daemon && map(disk, daemon) && guard(disk, daemon))
        ;
    if (daemon && disk_state(disk) == DISK_MAPPED && (daemon->thread || !disk->is_forgotten))
        unmap(disk, daemon);
    free(daemon);
    return 0;
}

static bool start_thread(struct disk *disk)
{
    disk->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!disk->stop)
        return false;
    disk->thread = CreateThread(NULL, STACK_BYTES, run, disk, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    return disk->thread != NULL;
}

struct disk *disk_start(const WNBD_PROPERTIES *properties, const char *problem)
{
    struct disk *disk = calloc(1, sizeof(*disk));

    if (!disk)
        return NULL;
    disk->properties = *properties;
    snprintf(disk->properties.Owner, sizeof(disk->properties.Owner), "wnbd-service");
    snprintf(disk->problem, sizeof(disk->problem), "%s", problem);
    InitializeSRWLock(&disk->lock);
    disk->state = problem[0] ? DISK_BAD : DISK_UNTRIED;
    if (problem[0])
        event_report(EVENT_BAD_RECORD, properties->InstanceName, problem, NULL);
    else if (!start_thread(disk)) {
        disk_free(disk);
        return NULL;
    }
    return disk;
}

void disk_stop(struct disk *disk, bool forget)
{
    if (!disk->thread)
        return;
    InterlockedExchange(&disk->is_forgotten, forget);
    SetEvent(disk->stop);
}

bool disk_has_ended(struct disk *disk)
{
    if (!disk->thread || WaitForSingleObject(disk->thread, 0) == WAIT_OBJECT_0)
        return true;
    attempt_cancel(disk);
    return false;
}

void disk_free(struct disk *disk)
{
    if (disk->thread)
        CloseHandle(disk->thread);
    if (disk->stop)
        CloseHandle(disk->stop);
    free(disk);
}
