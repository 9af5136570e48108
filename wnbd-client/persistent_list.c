/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list --persistent, and what list says of recorded disks. */
#include "wnbd-client/json.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/report.h"

#include "records/records.h"

#include <stdio.h>
#include <string.h>

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

struct row {
    const char *name;
    bool is_mapped;
    DWORD error; /* of reading the record; 0: the properties count */
    WNBD_PROPERTIES properties;
    char problem[RECORD_PROBLEM_SIZE];
};

static void read_row(const char *name, struct row *row)
{
    WNBD_CONNECTION_INFO info;

    memset(row, 0, sizeof(*row));
    row->name = name;
    row->error = record_read(name, &row->properties, row->problem);
    row->is_mapped = WnbdShow(name, &info) == ERROR_SUCCESS;
    if (row->error != ERROR_SUCCESS && !row->problem[0])
        snprintf(row->problem, sizeof(row->problem), "the registry gives error %lu", row->error);
}

static void print_text(const struct row *row)
{
    const NBD_CONNECTION_PROPERTIES *server = &row->properties.NbdProperties;

    if (row->error != ERROR_SUCCESS)
        report_note("the record of '%s' cannot be used: %s", row->name, row->problem);
    else
        printf("%-6s  %-25s  %-5u  %-20s  %s\n", row->is_mapped ? "yes" : "no", server->Hostname, server->PortNumber,
               server->ExportName[0] ? server->ExportName : "\"\"", row->name);
}

static void print_json_server(const WNBD_PROPERTIES *properties)
{
    const NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;

    json_begin_object("record");
    json_text("hostname", server->Hostname);
    json_unsigned("port", server->PortNumber);
    json_text("export_name", server->ExportName);
    json_boolean("read_only", properties->Flags.ReadOnly);
    json_boolean("kernel_nbd", properties->Flags.UseKernelNbd);
    json_end_object();
}

static void print_json(const struct row *row)
{
    json_begin_object(NULL);
    json_text("name", row->name);
    json_boolean("mapped", row->is_mapped);
    if (row->error == ERROR_SUCCESS) {
        json_null("problem");
        print_json_server(&row->properties);
    } else {
        json_text("problem", row->problem);
        json_null("record");
    }
    json_end_object();
}

static void print_rows(const struct record_names *records, bool json)
{
    static struct row row;

    for (size_t i = 0; i < records->count; i++) {
        read_row(records->names[i], &row);
        (json ? print_json : print_text)(&row);
    }
}

static void print_all(const struct record_names *records, bool json)
{
    if (json)
        json_begin_array(NULL);
    else
        printf("%-6s  %-25s  %-5s  %-20s  %s\n", "Mapped", "Hostname", "Port", "ExportName", "InstanceName");
    print_rows(records, json);
    if (json)
        json_end_array();
}

int persistent_list(bool json)
{
    struct record_names records;
    DWORD error = record_names_read(&records);

    if (error == ERROR_SUCCESS)
        print_all(&records, json);
    record_names_free(&records);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot list the recorded mappings");
}
