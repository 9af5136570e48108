/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks of this program's own, from the first function to the last: for what goes wrong on the way. */
#include "caller.h"

#include <stdio.h>
#include <string.h>

static WNBD_INTERFACE no_callbacks;

static void take_properties(struct arguments *arguments, PWNBD_PROPERTIES properties)
{
    const char *name = name_of(arguments);

    memset(properties, 0, sizeof(*properties));
    if (name)
        strncpy(properties->InstanceName, name, sizeof(properties->InstanceName));
    if (arguments_flag(arguments, "--long-owner"))
        memset(properties->Owner, 'o', sizeof(properties->Owner));
    properties->BlockCount = 2048;
    properties->BlockSize = 512;
}

/* own NAME [--long-owner]: WnbdCreate. */
static DWORD own(struct arguments *arguments)
{
    WNBD_PROPERTIES properties;
    PWNBD_DISK disk;
    DWORD error;

    take_properties(arguments, &properties);
    error = WnbdCreate(&properties, &no_callbacks, NULL, &disk);
    if (error == ERROR_SUCCESS)
        WnbdClose(disk);
    return error;
}

static DWORD start_and_stop(PWNBD_DISK disk, DWORD threads)
{
    WNBD_REMOVE_OPTIONS hard = {.Flags.HardRemove = 1};
    DWORD error = WnbdStartDispatcher(disk, threads);

    if (error == ERROR_SUCCESS)
        error = WnbdStopDispatcher(disk, &hard);
    return error == ERROR_SUCCESS ? WnbdWaitDispatcher(disk) : error;
}

/* serve NAME [--threads N]: what the first function that fails has returned. */
static DWORD serve(struct arguments *arguments)
{
    DWORD threads = (DWORD)arguments_number(arguments, "--threads", 2);
    WNBD_PROPERTIES properties;
    PWNBD_DISK disk;
    DWORD error;

    take_properties(arguments, &properties);
    error = WnbdCreate(&properties, &no_callbacks, NULL, &disk);
    if (error != ERROR_SUCCESS)
        return error;
    error = start_and_stop(disk, threads);
    WnbdClose(disk);
    return error;
}

/* A disk whose handle is closed. */
static DWORD closed(struct arguments *arguments)
{
    WNBD_DISK disk = {.Handle = INVALID_HANDLE_VALUE};

    (void)arguments;
    printf("WnbdSetDiskSize: %lu\n", WnbdSetDiskSize(&disk, 2048));
    printf("WnbdRemove: %lu\n", WnbdRemove(&disk, NULL));
    return ERROR_SUCCESS;
}

const struct order own_disk_orders[] = {
    {"own", own},
    {"serve", serve},
    {"closed", closed},
    {NULL, NULL},
};
