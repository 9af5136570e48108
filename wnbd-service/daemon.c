/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <winsock2.h>

#include "wnbd-service/daemon.h"

#include <stdio.h>

typedef DWORD run_nbd_daemon(const PWNBD_PROPERTIES);

/* A library that is older than this program has no such function. */
static run_nbd_daemon *find_function(void)
{
    HMODULE library = GetModuleHandleW(L"wnbd.dll");

    return library ? (run_nbd_daemon *)(void (*)(void))GetProcAddress(library, "WnbdRunNbdDaemon") : NULL;
}

static DWORD WINAPI run(void *context)
{
    struct daemon *daemon = context;
    DWORD error;

    words_forget();
    error = find_function()(&daemon->properties);
    if (error != ERROR_SUCCESS)
        words_of_failure(error, daemon->properties.InstanceName, daemon->reason);
    return error;
}

DWORD daemon_start(struct daemon *daemon, const WNBD_PROPERTIES *properties, char reason[WORDS_SIZE])
{
    if (!find_function()) {
        snprintf(reason, WORDS_SIZE, "the installed wnbd.dll has no NBD client of its own");
        return ERROR_NOT_SUPPORTED;
    }
    daemon->properties = *properties;
    daemon->reason[0] = '\0';
    daemon->thread = CreateThread(NULL, 0, run, daemon, 0, NULL);
    return daemon->thread ? ERROR_SUCCESS : GetLastError();
}

bool daemon_has_ended(struct daemon *daemon, DWORD timeout_ms)
{
    return WaitForSingleObject(daemon->thread, timeout_ms) == WAIT_OBJECT_0;
}

DWORD daemon_end(struct daemon *daemon, char reason[WORDS_SIZE])
{
    DWORD error;

    WaitForSingleObject(daemon->thread, INFINITE);
    GetExitCodeThread(daemon->thread, &error);
    CloseHandle(daemon->thread);
    daemon->thread = NULL;
    snprintf(reason, WORDS_SIZE, "%s", daemon->reason);
    return error;
}
