/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/daemon.h"

#include <stdio.h>

static DWORD WINAPI run(void *context)
{
    struct daemon *daemon = context;
    DWORD error;

    words_forget();
    error = WnbdRunNbdDaemon(&daemon->properties);
    if (error != ERROR_SUCCESS)
        words_of_failure(error, daemon->properties.InstanceName, daemon->reason);
    return error;
}

DWORD daemon_start(struct daemon *daemon, const WNBD_PROPERTIES *properties)
{
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
