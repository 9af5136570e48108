/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unmap: some disks or all; whatever becomes of one, the others are tried. */
#include "wnbd-client/commands.h"
#include "wnbd-client/disks.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/report.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_SECOND 1000

static DWORD milliseconds(const struct arguments *arguments, const char *name, DWORD otherwise_ms)
{
    return (DWORD)argument_number(arguments, name, otherwise_ms / MS_PER_SECOND) * MS_PER_SECOND;
}

static void read_options(const struct arguments *arguments, WNBD_REMOVE_OPTIONS *options)
{
    memset(options, 0, sizeof(*options));
    options->Flags.HardRemove = argument_flag(arguments, "hard-disconnect");
    options->Flags.HardRemoveFallback = !argument_flag(arguments, "no-hard-disconnect-fallback");
    options->SoftRemoveTimeoutMs = milliseconds(arguments, "soft-disconnect-timeout", WNBD_DEFAULT_RM_TIMEOUT_MS);
    options->SoftRemoveRetryIntervalMs =
        milliseconds(arguments, "soft-disconnect-retry-interval", WNBD_DEFAULT_RM_RETRY_INTERVAL_MS);
}

static int unmap(const char *name, WNBD_REMOVE_OPTIONS *options, bool is_persistent)
{
    DWORD error;

    report_forget();
    if (is_persistent)
        return persistent_unmap(name, options);
    error = WnbdRemoveEx(name, options);
    if (error == ERROR_SUCCESS)
        persistent_note_unmapped(name);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot unmap '%s'", name);
}

static int first_failure(int before, int now)
{
    return before != ERROR_SUCCESS ? before : now;
}

/* One that has gone by itself meanwhile is as it should be. */
static int unmap_listed(const WNBD_CONNECTION_LIST *list, WNBD_REMOVE_OPTIONS *options, bool is_persistent)
{
    int code = ERROR_SUCCESS;

    for (UINT32 i = 0; i < list->Count; i++) {
        const char *name = list->Connections[i].Properties.InstanceName;
        WNBD_CONNECTION_INFO info;

        if (WnbdShow(name, &info) != ERROR_FILE_NOT_FOUND)
            code = first_failure(code, unmap(name, options, is_persistent));
    }
    return code;
}

static int unmap_all(WNBD_REMOVE_OPTIONS *options, bool is_persistent)
{
    PWNBD_CONNECTION_LIST list;
    DWORD error = disks_read(&list);
    int code;

    if (error == ERROR_SUCCESS)
        code = unmap_listed(list, options, is_persistent);
    else
        code = report_failure(error, "cannot list the disks");
    free(list);
    return code;
}

static int unmap_named(const char *first, const struct arguments *arguments, WNBD_REMOVE_OPTIONS *options,
                       bool is_persistent)
{
    int code = unmap(first, options, is_persistent);

    for (unsigned i = 0; i < arguments->more_count; i++)
        code = first_failure(code, unmap(arguments->more[i], options, is_persistent));
    return code;
}

int command_unmap(const struct arguments *arguments)
{
    const char *first = argument_text(arguments, "instance-name", NULL);
    bool is_persistent = argument_flag(arguments, "persistent");
    bool all = argument_flag(arguments, "all");
    WNBD_REMOVE_OPTIONS options;

    if (!first && !all)
        return report_misuse("'unmap' needs the argument instance-name, or --all");
    if (first && all)
        return report_misuse("'unmap' is given both --all and a name, '%s'", first);
    read_options(arguments, &options);
    return all ? unmap_all(&options, is_persistent) : unmap_named(first, arguments, &options, is_persistent);
}
