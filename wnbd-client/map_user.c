/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <winsock2.h>

#include "wnbd-client/map_user.h"
#include "wnbd-client/report.h"

#include <stdbool.h>
#include <stdio.h>

#define POLL_SLICE_MS     500 /* how soon the end of the client is noticed */
#define POLL_INTERVAL_MS  50
#define REMOVE_TIMEOUT_MS 3000 /* a closed console leaves five seconds */
#define REMOVE_RETRY_MS   1000

/* Somebody else's disk may have the name: the client will say so. */
static bool is_ours(const char *name, WNBD_CONNECTION_INFO *info)
{
    return WnbdShow(name, info) == ERROR_SUCCESS && info->Properties.Pid == (INT)GetCurrentProcessId();
}

/* ---- Ctrl-C ---- */

static const char *disk_name;
static HANDLE work_is_over; /* event */
static LONG volatile interruptions;
static bool volatile was_ours; /* the disk of that name */

/* A second Ctrl-C says that it takes too long. */
static DWORD unmap(bool hard)
{
    WNBD_REMOVE_OPTIONS options = {.Flags.HardRemove = hard,
                                   .Flags.HardRemoveFallback = 1,
                                   .SoftRemoveTimeoutMs = REMOVE_TIMEOUT_MS,
                                   .SoftRemoveRetryIntervalMs = REMOVE_RETRY_MS};
    WNBD_CONNECTION_INFO info;

    /* Once is enough: looking at a disk asks Plug and Play, which may hang when the disk does. */
    if (!was_ours && !is_ours(disk_name, &info))
        return ERROR_FILE_NOT_FOUND;
    was_ours = true;
    return WnbdRemoveEx(disk_name, &options);
}

/* Runs in a thread of its own. When it returns after a closed console, Windows ends the process. */
static BOOL WINAPI on_interrupt(DWORD type)
{
    bool again = InterlockedIncrement(&interruptions) > 1;

    (void)type;
    if (unmap(again) == ERROR_FILE_NOT_FOUND && WaitForSingleObject(work_is_over, POLL_SLICE_MS) == WAIT_TIMEOUT) {
        /* There is no disk yet, and if one is being made it goes with the process. */
        report_sentence("cannot map '%s': it was given up before it was ready", disk_name);
        ExitProcess(ERROR_OPERATION_ABORTED);
    }
    WaitForSingleObject(work_is_over, INFINITE);
    return TRUE;
}

static DWORD watch_console(const char *name)
{
    disk_name = name;
    work_is_over = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!work_is_over)
        return GetLastError();
    return SetConsoleCtrlHandler(on_interrupt, TRUE) ? ERROR_SUCCESS : GetLastError();
}

/* ---- The client ---- */

static DWORD WINAPI run(void *properties)
{
    return WnbdRunNbdDaemon(properties);
}

static bool has_ended(HANDLE thread)
{
    return WaitForSingleObject(thread, 0) == WAIT_OBJECT_0;
}

static bool find_disk(const char *name, WNBD_CONNECTION_INFO *info, DWORD *number)
{
    if (WnbdPollDiskNumber(name, FALSE, TRUE, POLL_SLICE_MS, POLL_INTERVAL_MS, number) == ERROR_SUCCESS &&
        is_ours(name, info))
        return true;
    Sleep(POLL_INTERVAL_MS);
    return false;
}

/* False: there was no disk before the client ended. */
static bool announce(HANDLE thread, const char *name, bool json)
{
    WNBD_CONNECTION_INFO info;
    DWORD number;

    while (!find_disk(name, &info, &number)) {
        if (has_ended(thread))
            return false;
    }
    map_print_result(json, &info, number);
    if (!json)
        printf("It stays until it is unmapped, or Ctrl-C is typed here.\n");
    fflush(stdout);
    report_follow();
    return true;
}

static int serve(WNBD_PROPERTIES *properties, bool json)
{
    const char *name = properties->InstanceName;
    HANDLE thread = CreateThread(NULL, 0, run, properties, 0, NULL);
    bool was_there;
    DWORD error;

    if (!thread)
        return report_failure(GetLastError(), "cannot map '%s'", name);
    was_there = announce(thread, name, json);
    WaitForSingleObject(thread, INFINITE);
    GetExitCodeThread(thread, &error);
    CloseHandle(thread);
    if (error == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    return report_failure(error, was_there ? "'%s' is not served any more" : "cannot map '%s'", name);
}

int map_user(WNBD_PROPERTIES *properties, bool json)
{
    WSADATA winsock;
    DWORD error = (DWORD)WSAStartup(MAKEWORD(2, 2), &winsock);
    int code;

    if (error == ERROR_SUCCESS)
        error = watch_console(properties->InstanceName);
    if (error != ERROR_SUCCESS)
        return report_failure(error, "cannot map '%s'", properties->InstanceName);
    code = serve(properties, json);
    SetEvent(work_is_over); /* before the handler is taken off, which may wait for it */
    SetConsoleCtrlHandler(on_interrupt, FALSE);
    WSACleanup();
    return code;
}
