/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/service.h"

#include "wnbd-service/event.h"
#include "wnbd-service/run.h"
#include "wnbd-service/words.h"

static SERVICE_STATUS_HANDLE manager;
static HANDLE stop; /* event */

/* ---- Under the service control manager ---- */

/* Only the service's main thread calls it. */
static void set_status(DWORD state, DWORD wait_hint_ms, DWORD error)
{
    static DWORD checkpoint;
    SERVICE_STATUS status = {
        .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
        .dwCurrentState = state,
        .dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN : 0,
        .dwWin32ExitCode = error,
        .dwWaitHint = wait_hint_ms,
    };

    checkpoint = wait_hint_ms == 0 ? 0 : checkpoint + 1;
    status.dwCheckPoint = checkpoint;
    SetServiceStatus(manager, &status);
}

static void report_to_manager(DWORD state, DWORD wait_hint_ms)
{
    set_status(state, wait_hint_ms, NO_ERROR);
}

/* Unmapping takes its time, so it is done at preshutdown, where Windows gives that, and not at shutdown. */
static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    (void)type;
    (void)data;
    (void)context;
    if (control == SERVICE_CONTROL_STOP || control == SERVICE_CONTROL_PRESHUTDOWN)
        SetEvent(stop);
    else if (control != SERVICE_CONTROL_INTERROGATE)
        return ERROR_CALL_NOT_IMPLEMENTED;
    return NO_ERROR;
}

static void WINAPI service_main(DWORD count, WCHAR **words)
{
    (void)count;
    (void)words;
    event_start(false);
    words_start();
    manager = RegisterServiceCtrlHandlerExW(SERVICE_NAME, on_control, NULL);
    if (manager)
        set_status(SERVICE_STOPPED, 0, run(stop, report_to_manager));
}

DWORD service_serve(void)
{
    WCHAR name[] = SERVICE_NAME;
    SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};

    stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!stop || !StartServiceCtrlDispatcherW(table))
        return GetLastError();
    return ERROR_SUCCESS;
}

/* ---- In the foreground ---- */

static void report_to_nobody(DWORD state, DWORD wait_hint_ms)
{
    (void)state;
    (void)wait_hint_ms;
}

/* Runs in a thread of its own. */
static BOOL WINAPI on_interrupt(DWORD type)
{
    (void)type;
    SetEvent(stop);
    return TRUE;
}

DWORD service_serve_in_foreground(void)
{
    stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!stop || !SetConsoleCtrlHandler(on_interrupt, TRUE))
        return GetLastError();
    event_start(true);
    words_start();
    return run(stop, report_to_nobody);
}
