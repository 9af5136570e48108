/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/persistent.h"

#include "records/records.h"
#include "wnbd-client/report.h"

#include <stdio.h>

/* ---- map ---- */

bool persistent_is_mapped(const WNBD_PROPERTIES *properties, WNBD_CONNECTION_INFO *info)
{
    return WnbdShow(properties->InstanceName, info) == ERROR_SUCCESS &&
           !record_difference(properties, &info->Properties);
}

int persistent_write(const WNBD_PROPERTIES *properties)
{
    const char *name = properties->InstanceName;
    DWORD error = record_write(properties);

    if (error == ERROR_ALREADY_EXISTS)
        report_sentence("'%s' cannot be recorded: a record has that name in other letters, upper or lower "
                        "case, which the registry takes for the same",
                        name);
    else if (error == ERROR_FILENAME_EXCED_RANGE)
        report_sentence("'%s' cannot be recorded: its name is too long for a key of the registry", name);
    else if (error != ERROR_SUCCESS)
        report_failure(error, "'%s' cannot be recorded", name);
    return (int)error;
}

/* JSON on stdout is the disk alone. */
void persistent_tell(const char *name, bool json)
{
    if (json)
        report_note("recorded '%s': the WNBD service maps it when the machine starts", name);
    else
        printf("Recorded '%s': the WNBD service maps it when the machine starts.\n", name);
}

int persistent_record(const WNBD_PROPERTIES *properties, bool json)
{
    int code = persistent_write(properties);

    if (code == ERROR_SUCCESS)
        persistent_tell(properties->InstanceName, json);
    return code;
}

/* ---- unmap ---- */

/* The record goes first: the service may be mapping the disk at this moment, and looks for the record when it has. */
int persistent_unmap(const char *name, WNBD_REMOVE_OPTIONS *options)
{
    char problem[RECORD_PROBLEM_SIZE];
    WNBD_PROPERTIES properties;
    bool is_readable = record_read(name, &properties, problem) == ERROR_SUCCESS;
    DWORD error = record_delete(name);
    bool was_recorded = error == ERROR_SUCCESS;

    if (!was_recorded && error != ERROR_FILE_NOT_FOUND)
        return report_failure(error, "cannot delete the record of '%s'", name);
    error = WnbdRemoveEx(name, options);
    if (was_recorded && (error == ERROR_FILE_NOT_FOUND || error == ERROR_OPEN_FAILED))
        return ERROR_SUCCESS;
    if (error == ERROR_SUCCESS)
        return ERROR_SUCCESS;
    if (was_recorded && is_readable)
        record_write(&properties);
    return report_failure(error, "cannot unmap '%s'", name);
}

void persistent_note_unmapped(const char *name)
{
    if (record_exists(name))
        report_note("'%s' is recorded, so it comes back when the WNBD service is started next; 'unmap --persistent' "
                    "deletes the record",
                    name);
}
