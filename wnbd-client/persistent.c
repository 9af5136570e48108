/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/persistent.h"

#include "records/records.h"
#include "wnbd-client/report.h"

#include <stdio.h>
#include <string.h>

/* ---- map ---- */

bool persistent_is_mapped(const WNBD_PROPERTIES *properties)
{
    WNBD_CONNECTION_INFO info;

    return WnbdShow(properties->InstanceName, &info) == ERROR_SUCCESS &&
           !record_difference(properties, &info.Properties);
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

void persistent_tell(const char *name)
{
    printf("Recorded '%s': the WNBD service maps it when the machine starts.\n", name);
}

int persistent_record(const WNBD_PROPERTIES *properties)
{
    int code = persistent_write(properties);

    if (code == ERROR_SUCCESS)
        persistent_tell(properties->InstanceName);
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

/* ---- list ---- */

static bool is_among(const WNBD_CONNECTION_LIST *disks, const char *name)
{
    for (UINT32 i = 0; i < disks->Count; i++) {
        if (strcmp(disks->Connections[i].Properties.InstanceName, name) == 0)
            return true;
    }
    return false;
}

void persistent_note_missing(const WNBD_CONNECTION_LIST *disks)
{
    struct record_names records;

    record_names_read(&records);
    for (size_t i = 0; i < records.count; i++) {
        if (!is_among(disks, records.names[i]))
            report_note("'%s' is recorded, but not mapped", records.names[i]);
    }
    record_names_free(&records);
}

static const char *state_word(const char *name)
{
    WNBD_CONNECTION_INFO info;

    return WnbdShow(name, &info) == ERROR_SUCCESS ? "yes" : "no";
}

static void print_record(const char *name)
{
    char problem[RECORD_PROBLEM_SIZE];
    WNBD_PROPERTIES properties;
    const NBD_CONNECTION_PROPERTIES *server = &properties.NbdProperties;
    DWORD error = record_read(name, &properties, problem);

    if (error == ERROR_INVALID_DATA)
        report_note("the record of '%s' cannot be used: %s", name, problem);
    if (error == ERROR_SUCCESS)
        printf("%-6s  %-25s  %-5u  %-20s  %s\n", state_word(name), server->Hostname, server->PortNumber,
               server->ExportName[0] ? server->ExportName : "\"\"", name);
}

int persistent_list(void)
{
    struct record_names records;
    DWORD error = record_names_read(&records);

    if (error == ERROR_SUCCESS)
        printf("%-6s  %-25s  %-5s  %-20s  %s\n", "Mapped", "Hostname", "Port", "ExportName", "InstanceName");
    for (size_t i = 0; error == ERROR_SUCCESS && i < records.count; i++)
        print_record(records.names[i]);
    record_names_free(&records);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot list the recorded mappings");
}
