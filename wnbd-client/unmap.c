/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/commands.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/report.h"

#define MS_PER_SECOND 1000

static DWORD milliseconds(const struct arguments *arguments, const char *name, DWORD otherwise_ms)
{
    return (DWORD)argument_number(arguments, name, otherwise_ms / MS_PER_SECOND) * MS_PER_SECOND;
}

int command_unmap(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "instance-name", "");
    WNBD_REMOVE_OPTIONS options = {0};
    DWORD error;

    options.Flags.HardRemove = argument_flag(arguments, "hard-disconnect");
    options.Flags.HardRemoveFallback = !argument_flag(arguments, "no-hard-disconnect-fallback");
    options.SoftRemoveTimeoutMs = milliseconds(arguments, "soft-disconnect-timeout", WNBD_DEFAULT_RM_TIMEOUT_MS);
    options.SoftRemoveRetryIntervalMs =
        milliseconds(arguments, "soft-disconnect-retry-interval", WNBD_DEFAULT_RM_RETRY_INTERVAL_MS);
    if (argument_flag(arguments, "persistent"))
        return persistent_unmap(name, &options);
    error = WnbdRemoveEx(name, &options);
    if (error == ERROR_SUCCESS)
        persistent_note_unmapped(name);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot unmap '%s'", name);
}
