/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library's NBD client, in a thread of its own, as the published cases run it; and the driver's. */
#include "caller.h"

#include <stdio.h>
#include <string.h>

static HANDLE thread;
static WNBD_PROPERTIES properties;

static DWORD WINAPI daemon_main(void *parameter)
{
    return WnbdRunNbdDaemon(parameter);
}

static void copy(CHAR *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

/* NAME --host ADDRESS --port PORT [--export EXPORT] */
static void take_properties(struct arguments *arguments)
{
    PNBD_CONNECTION_PROPERTIES nbd = &properties.NbdProperties;

    memset(&properties, 0, sizeof(properties));
    copy(nbd->Hostname, sizeof(nbd->Hostname), arguments_text(arguments, "--host", "127.0.0.1"));
    nbd->PortNumber = (UINT32)arguments_number(arguments, "--port", 10809);
    copy(nbd->ExportName, sizeof(nbd->ExportName), arguments_text(arguments, "--export", ""));
    copy(properties.InstanceName, sizeof(properties.InstanceName), arguments_word(arguments, "the name"));
    copy(properties.Owner, sizeof(properties.Owner), "WnbdTests");
    properties.BlockSize = WNBD_DEFAULT_BLOCK_SIZE;
}

/* start-daemon, and the properties */
static DWORD start_daemon(struct arguments *arguments)
{
    take_properties(arguments);
    properties.Flags.UseUserspaceNbd = 1;
    thread = CreateThread(NULL, 0, daemon_main, &properties, 0, NULL);
    return thread ? ERROR_SUCCESS : GetLastError();
}

/* What the client has returned. */
static DWORD wait_daemon(struct arguments *arguments)
{
    DWORD error = ERROR_TIMEOUT;

    (void)arguments;
    if (WaitForSingleObject(thread, 30000) == WAIT_OBJECT_0)
        GetExitCodeThread(thread, &error);
    CloseHandle(thread);
    return error;
}

/* map, and the properties: a disk of the driver's */
static DWORD map(struct arguments *arguments)
{
    PWNBD_DISK disk;
    DWORD error;

    take_properties(arguments);
    properties.Flags.UseKernelNbd = 1;
    error = WnbdCreate(&properties, NULL, NULL, &disk);
    if (error == ERROR_SUCCESS)
        WnbdClose(disk);
    return error;
}

const struct order daemon_orders[] = {
    {"start-daemon", start_daemon},
    {"wait-daemon", wait_daemon},
    {"map", map},
    {NULL, NULL},
};
