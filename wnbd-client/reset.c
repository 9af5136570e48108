/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/commands.h"
#include "wnbd-client/report.h"

#define MS_PER_SECOND      1000
#define DEFAULT_TIMEOUT_S  10
#define DEFAULT_INTERVAL_S 1

static DWORD milliseconds(const struct arguments *arguments, const char *name, DWORD otherwise_s)
{
    return (DWORD)argument_number(arguments, name, otherwise_s) * MS_PER_SECOND;
}

static DWORD remove_all(void)
{
    HANDLE adapter;
    DWORD error = WnbdOpenAdapter(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdRemoveAllDisks(adapter);
    CloseHandle(adapter);
    return error;
}

/* Removing all disks has forbidden new ones, and the driver may not have been unloaded in between. */
static DWORD allow_mappings(void)
{
    return WnbdResetDrvOpt("NewMappingsAllowed", FALSE);
}

static int reset(const struct arguments *arguments)
{
    DWORD error = WnbdResetAdapterEx(milliseconds(arguments, "reset-timeout", DEFAULT_TIMEOUT_S),
                                     milliseconds(arguments, "reset-retry-interval", DEFAULT_INTERVAL_S));

    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot reset the adapter");
}

/* Whatever became of it, mappings are allowed again if there is an adapter to make them. */
static int remove_and_reset(const struct arguments *arguments)
{
    DWORD error = remove_all();
    int code = error == ERROR_SUCCESS ? reset(arguments) : report_failure(error, "cannot unmap all disks");

    error = allow_mappings();
    if (code == ERROR_SUCCESS && error != ERROR_SUCCESS)
        code = report_failure(error, "cannot allow new mappings again");
    return code;
}

int command_reset_adapter(const struct arguments *arguments)
{
    return argument_flag(arguments, "hard-disconnect-mappings") ? remove_and_reset(arguments) : reset(arguments);
}
