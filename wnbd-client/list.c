/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list. Programs read this output, so its shape is fixed. */
#include "wnbd-client/commands.h"
#include "wnbd-client/disks.h"
#include "wnbd-client/json.h"
#include "wnbd-client/persistent.h"
#include "wnbd-client/report.h"
#include "wnbd-client/watch.h"

#include "records/records.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- As text ---- */

static void print_row(const WNBD_CONNECTION_INFO *info)
{
    printf("%-10d  %-10d  %-5s  %-15s  %s\n", info->Properties.Pid, info->DiskNumber,
           disk_is_nbd(&info->Properties) ? "true" : "false", info->Properties.Owner, info->Properties.InstanceName);
}

static void print_list(const WNBD_CONNECTION_LIST *list)
{
    printf("%-10s  %-10s  %-5s  %-15s  %s\n", "Pid", "DiskNumber", "Nbd", "Owner", "InstanceName");
    for (UINT32 i = 0; i < list->Count; i++)
        print_row(&list->Connections[i]);
}

/* The columns have no room for it: a disk without its server is told beside them. */
static void note_lost_server(const char *name)
{
    WNBD_SERVER_STATUS status;

    if (WnbdGetServerStatus(name, &status) != ERROR_SUCCESS)
        return;
    if (status.State == WnbdServerReconnecting)
        report_note("'%s' has been without its server for %llu s, requests wait (%s)", name,
                    (unsigned long long)status.LostForMs / 1000, status.LastError);
    else if (status.State == WnbdServerLost)
        report_note("'%s' has been without its server for %llu s, requests fail until it is back (%s)", name,
                    (unsigned long long)status.LostForMs / 1000, status.LastError);
}

static void note_lost_servers(const WNBD_CONNECTION_LIST *list)
{
    for (UINT32 i = 0; i < list->Count; i++) {
        if (disk_is_nbd(&list->Connections[i].Properties))
            note_lost_server(list->Connections[i].Properties.InstanceName);
    }
}

/* ---- As JSON ---- */

/* A disk that has gone since it was listed has no state any more. */
static void print_json_state(const WNBD_PROPERTIES *properties)
{
    WNBD_SERVER_STATUS status = {0};

    if (WnbdGetServerStatus(properties->InstanceName, &status) == ERROR_SUCCESS)
        json_text("state", disk_state_word(properties, status.State));
    else
        json_null("state");
    json_unsigned("lost_for_ms", status.LostForMs);
    json_text("last_error", status.LastError);
}

static void print_json_row(const WNBD_CONNECTION_INFO *info)
{
    const WNBD_PROPERTIES *properties = &info->Properties;

    json_begin_object(NULL);
    json_text("name", properties->InstanceName);
    json_known("disk_number", info->DiskNumber);
    json_boolean("nbd", disk_is_nbd(properties));
    json_text("owner", properties->Owner);
    json_number("pid", properties->Pid);
    json_unsigned("size", properties->BlockCount * properties->BlockSize);
    json_boolean("read_only", properties->Flags.ReadOnly);
    json_boolean("recorded", record_exists(properties->InstanceName));
    print_json_state(properties);
    json_end_object();
}

static void print_json_list(const WNBD_CONNECTION_LIST *list)
{
    json_begin_array(NULL);
    for (UINT32 i = 0; i < list->Count; i++)
        print_json_row(&list->Connections[i]);
    json_end_array();
}

/* ---- Either ---- */

static void print(bool json, const WNBD_CONNECTION_LIST *list)
{
    if (json) {
        print_json_list(list);
        return;
    }
    print_list(list);
    note_lost_servers(list);
    persistent_note_missing(list);
}

static int list_once(bool json)
{
    PWNBD_CONNECTION_LIST list;
    DWORD error = disks_read(&list);

    if (error == ERROR_SUCCESS)
        print(json, list);
    free(list);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot list the disks");
}

int command_list(const struct arguments *arguments)
{
    bool json;
    bool is_watching = false;
    int code = json_read_format(arguments, &json);

    if (code == ERROR_SUCCESS)
        code = watch_is_wanted(arguments, &is_watching);
    if (code != ERROR_SUCCESS)
        return code;
    if (argument_flag(arguments, "persistent"))
        return is_watching ? report_misuse("persistent does not go with watch") : persistent_list(json);
    return is_watching ? watch(arguments, NULL, json) : list_once(json);
}
