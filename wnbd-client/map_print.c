/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/map_print.h"

#include "wnbd-client/json.h"
#include "wnbd-client/report.h"
#include "wnbd-client/values.h"

#include "records/online.h"

#include <stdio.h>

static void print_text(const WNBD_PROPERTIES *properties, int disk_number)
{
    char size[VALUE_SIZE_TEXT];

    printf("Mapped '%s'", properties->InstanceName);
    if (disk_number >= 0)
        printf(" as \\\\.\\PhysicalDrive%d", disk_number);
    printf(" (%s, %u-byte blocks%s).\n", value_format_size(properties->BlockCount * properties->BlockSize, size),
           properties->BlockSize, properties->Flags.ReadOnly ? ", read-only" : "");
}

static void print_decision(const char *name, const struct online *online, bool value)
{
    if (online->is_known)
        json_boolean(name, value);
    else
        json_null(name);
}

static void print_json(const WNBD_PROPERTIES *properties, int disk_number, const struct online *online)
{
    char path[32];

    snprintf(path, sizeof(path), "\\\\.\\PhysicalDrive%d", disk_number);
    json_begin_object(NULL);
    json_text("name", properties->InstanceName);
    json_known("disk_number", disk_number);
    if (disk_number >= 0)
        json_text("path", path);
    else
        json_null("path");
    json_unsigned("size", properties->BlockCount * properties->BlockSize);
    json_unsigned("block_size", properties->BlockSize);
    json_unsigned("physical_block_size", properties->PhysicalBlockSize);
    json_boolean("read_only", properties->Flags.ReadOnly);
    json_unsigned("connections", properties->NbdProperties.Connections);
    print_decision("windows_offline", online, online->is_offline);
    print_decision("windows_read_only", online, online->is_read_only);
    json_end_object();
}

void map_print(bool json, const WNBD_PROPERTIES *properties, int disk_number)
{
    char advice[ONLINE_ADVICE_SIZE];
    struct online online;

    online_ask(disk_number, &online);
    if (json)
        print_json(properties, disk_number, &online);
    else
        print_text(properties, disk_number);
    fflush(stdout); /* who serves the disk stays for long */
    if (online_advise(&online, disk_number, !properties->Flags.ReadOnly, advice))
        report_note("%s", advice);
}
