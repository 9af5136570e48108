/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/disk.h"

#include "wnbd-service/adapter.h"
#include "wnbd-service/attempt.h"
#include "wnbd-service/event.h"
#include "wnbd-service/guard.h"

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

void disk_set_state(struct disk *disk, enum disk_state state)
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
    disk->turns = adapter_turns();
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

/* An adapter that has come is tried at once. False: it is stopped. */
static bool pause(struct disk *disk, DWORD pause_ms)
{
    HANDLE either[] = {disk->stop, disk->news};
    ULONGLONG end_ms = GetTickCount64() + pause_ms;
    DWORD result;

    do {
        ULONGLONG now_ms = GetTickCount64();

        result = WaitForMultipleObjects(ARRAYSIZE(either), either, FALSE, (DWORD)(max(now_ms, end_ms) - now_ms));
    } while (result == WAIT_OBJECT_0 + 1 && adapter_turns() == disk->turns);
    return result != WAIT_OBJECT_0;
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
        disk_set_state(disk, DISK_WAITING);
        if (!pause(disk, pause_ms))
            return false;
        pause_ms = min(pause_ms * 2, LONGEST_PAUSE_MS);
    }
    disk_set_state(disk, DISK_MAPPED);
    return true;
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

/* The disk has, or the whole adapter. */
static bool is_gone(DWORD error)
{
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_OPEN_FAILED;
}

/* A disk that is in use keeps no other one waiting. */
static DWORD remove_softly(struct disk *disk)
{
    DWORD error = remove_once(disk);

    while (error != ERROR_SUCCESS && !is_gone(error) && GetTickCount64() < end_of_asking_ms) {
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
    else if (!is_gone(error))
        tell_vetoed(disk, daemon, error);
    if (daemon->thread)
        daemon_end(daemon, ignored);
}

/* ---- Its thread ---- */

static DWORD WINAPI run(void *context)
{
    struct disk *disk = context;
    struct daemon *daemon = calloc(1, sizeof(*daemon));

    while (daemon && map(disk, daemon) && guard(disk, daemon) && pause(disk, FIRST_PAUSE_MS))
        ;
    if (daemon && disk_state(disk) == DISK_MAPPED && (daemon->thread || !disk->is_forgotten))
        unmap(disk, daemon);
    free(daemon);
    return 0;
}

static bool start_thread(struct disk *disk)
{
    disk->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    disk->news = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!disk->stop || !disk->news)
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

/* A mapped disk may have gone, another one may be there again. */
void disk_tell(struct disk *disk, bool has_come)
{
    if (disk->news && has_come != (disk_state(disk) == DISK_MAPPED))
        SetEvent(disk->news);
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
    if (disk->news)
        CloseHandle(disk->news);
    free(disk);
}
