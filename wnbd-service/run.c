/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/run.h"

#include "records/records.h"
#include "wnbd-service/adapter.h"
#include "wnbd-service/disk.h"
#include "wnbd-service/disks.h"
#include "wnbd-service/event.h"
#include "wnbd-service/words.h"

#include <stdio.h>

#define SETTINGS_KEY       L"SOFTWARE\\WNBD"
#define DEFAULT_START_WAIT 30 /* seconds */
#define LONGEST_START_WAIT 3600
#define REPORT_EVERY_MS    1000
#define HINT_MS            10000
#define LOOK_EVERY_MS      100
#define QUIET_MS           1000 /* a record is written value by value */

/* What the main thread waits for, events. */
enum news { NEWS_STOP, NEWS_RECORDS, NEWS_COME, NEWS_GONE, NEWS_COUNT };

/* ---- The start: whoever depends on the service is to find its disks ---- */

static DWORD start_wait_s(void)
{
    DWORD seconds = DEFAULT_START_WAIT;
    DWORD size = sizeof(seconds);

    if (RegGetValueW(HKEY_LOCAL_MACHINE, SETTINGS_KEY, L"StartWaitSeconds", RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY,
                     NULL, &seconds, &size) != ERROR_SUCCESS ||
        seconds > LONGEST_START_WAIT)
        return DEFAULT_START_WAIT;
    return seconds;
}

static bool all_are_mapped(void)
{
    struct disks_count count = disks_count();

    return count.mapped + count.bad == count.all;
}

static void wait_for_disks(HANDLE stop, run_report *report)
{
    ULONGLONG end_ms = GetTickCount64() + start_wait_s() * 1000ULL;
    ULONGLONG report_ms = 0;

    while (!all_are_mapped() && GetTickCount64() < end_ms) {
        if (GetTickCount64() >= report_ms) {
            report(SERVICE_START_PENDING, HINT_MS);
            report_ms = GetTickCount64() + REPORT_EVERY_MS;
        }
        if (WaitForSingleObject(stop, LOOK_EVERY_MS) == WAIT_OBJECT_0)
            return;
    }
}

/* A stop that came meanwhile is the news, not how far it got until then. */
static void tell_running(HANDLE stop)
{
    struct disks_count count = disks_count();
    char mapped[16];
    char all[16];

    if (WaitForSingleObject(stop, 0) == WAIT_OBJECT_0)
        return;
    snprintf(mapped, sizeof(mapped), "%u", count.mapped);
    snprintf(all, sizeof(all), "%u", count.all);
    event_report(EVENT_RUNNING, mapped, all, NULL);
}

/* ---- While it runs: records come and go ---- */

/* The key must exist for that. */
static DWORD open_records(HKEY *records)
{
    return (DWORD)RegCreateKeyExW(HKEY_LOCAL_MACHINE, RECORDS_KEY, 0, NULL, 0,
                                  KEY_READ | KEY_NOTIFY | KEY_CREATE_SUB_KEY | KEY_WOW64_64KEY, NULL, records, NULL);
}

/* `changed` is set at the next change, once. */
static DWORD watch(HKEY records, HANDLE changed)
{
    return (DWORD)RegNotifyChangeKeyValue(records, TRUE, REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET, changed,
                                          TRUE);
}

/* Changes that come meanwhile are seen as well: the watch begins before the records are read. */
static DWORD read_again(HKEY records, HANDLE changed)
{
    DWORD error = watch(records, changed);

    return error == ERROR_SUCCESS ? disks_read() : error;
}

static DWORD follow(HKEY records, const HANDLE events[NEWS_COUNT])
{
    DWORD error = ERROR_SUCCESS;

    while (error == ERROR_SUCCESS) {
        switch ((enum news)(WaitForMultipleObjects(NEWS_COUNT, events, FALSE, INFINITE) - WAIT_OBJECT_0)) {
        case NEWS_STOP:
            return ERROR_SUCCESS;
        case NEWS_RECORDS:
            if (WaitForSingleObject(events[NEWS_STOP], QUIET_MS) == WAIT_TIMEOUT)
                error = read_again(records, events[NEWS_RECORDS]);
            break;
        case NEWS_COME:
            disks_tell(true);
            break;
        case NEWS_GONE:
            disks_tell(false);
            break;
        case NEWS_COUNT:
            break;
        }
    }
    return error;
}

/* ---- The stop ---- */

static void unmap_disks(run_report *report)
{
    ULONGLONG report_ms = 0;

    disks_stop(GetTickCount64() + RUN_UNMAP_MS);
    while (!disks_have_ended()) {
        if (GetTickCount64() >= report_ms) {
            report(SERVICE_STOP_PENDING, HINT_MS);
            report_ms = GetTickCount64() + REPORT_EVERY_MS;
        }
        Sleep(LOOK_EVERY_MS);
    }
}

static DWORD work(HKEY records, const HANDLE events[NEWS_COUNT], run_report *report)
{
    DWORD error = adapter_watch_start(events[NEWS_COME], events[NEWS_GONE]);

    if (error == ERROR_SUCCESS)
        error = read_again(records, events[NEWS_RECORDS]);
    if (error == ERROR_SUCCESS) {
        wait_for_disks(events[NEWS_STOP], report);
        report(SERVICE_RUNNING, 0);
        tell_running(events[NEWS_STOP]);
        error = follow(records, events);
    }
    adapter_watch_end();
    report(SERVICE_STOP_PENDING, HINT_MS);
    unmap_disks(report);
    return error;
}

static DWORD make_events(HANDLE events[NEWS_COUNT])
{
    for (enum news i = NEWS_RECORDS; i < NEWS_COUNT; i++) {
        events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
        if (!events[i])
            return GetLastError();
    }
    return ERROR_SUCCESS;
}

DWORD run(HANDLE stop, run_report *report)
{
    HANDLE events[NEWS_COUNT] = {[NEWS_STOP] = stop};
    DWORD error = make_events(events);
    char reason[WORDS_SIZE];
    HKEY records;

    if (error == ERROR_SUCCESS)
        error = disk_prepare();
    if (error == ERROR_SUCCESS)
        error = open_records(&records);
    if (error == ERROR_SUCCESS) {
        error = work(records, events, report);
        RegCloseKey(records);
    }
    words_of_error(error, reason);
    event_report(error == ERROR_SUCCESS ? EVENT_STOPPED : EVENT_FAILED, error == ERROR_SUCCESS ? NULL : reason, NULL,
                 NULL);
    return error;
}
