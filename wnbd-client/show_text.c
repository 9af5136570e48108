/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs read this output, so its shape is fixed: lines are added in blocks of their own. */
#include "wnbd-client/disks.h"
#include "wnbd-client/latency.h"
#include "wnbd-client/narrow.h"
#include "wnbd-client/show_print.h"
#include "wnbd-client/traffic.h"
#include "wnbd-client/values.h"

#include <stdio.h>

#define FIELD "%-25s : "

static void print_number(const char *name, long long value)
{
    printf(FIELD "%lld\n", name, value);
}

static void print_text(const char *name, const char *value)
{
    printf(FIELD "%s\n", name, value);
}

static void print_properties(const WNBD_PROPERTIES *properties)
{
    print_text("InstanceName", properties->InstanceName);
    print_text("SerialNumber", properties->SerialNumber);
    print_text("Owner", properties->Owner);
    print_number("ReadOnly", properties->Flags.ReadOnly);
    print_number("FlushSupported", properties->Flags.FlushSupported);
    print_number("FUASupported", properties->Flags.FUASupported);
    print_number("UnmapSupported", properties->Flags.UnmapSupported);
    print_number("UnmapAnchorSupported", properties->Flags.UnmapAnchorSupported);
    print_number("UseUserspaceNbd", properties->Flags.UseUserspaceNbd);
    printf(FIELD "%llu\n", "BlockCount", (unsigned long long)properties->BlockCount);
    print_number("BlockSize", properties->BlockSize);
    print_number("MaxUnmapDescCount", properties->MaxUnmapDescCount);
    print_number("Pid", properties->Pid);
}

static void print_device(const struct shown *shown)
{
    const WNBD_CONNECTION_INFO *info = &shown->info;
    char text[NARROW_SIZE];

    print_number("DiskNumber", info->DiskNumber);
    print_text("PNPDeviceID", narrow(info->PNPDeviceID, ARRAYSIZE(info->PNPDeviceID), text));
    print_number("BusNumber", info->BusNumber);
    print_number("TargetId", info->TargetId);
    print_number("Lun", info->Lun);
    print_number("MaxIOReqPerLun", shown->has_limits ? (long long)shown->lun_limit : -1);
    print_number("MaxIOReqPerAdapter", shown->has_limits ? (long long)shown->adapter_limit : -1);
}

static void print_server(const NBD_CONNECTION_PROPERTIES *server)
{
    printf("Nbd properties\n");
    print_text("Hostname", server->Hostname);
    print_number("PortNumber", server->PortNumber);
    print_text("ExportName", server->ExportName);
    print_number("SkipNegotiation", server->Flags.SkipNegotiation);
    printf("\n");
}

static void print_connection(const WNBD_PROPERTIES *properties, const WNBD_SERVER_STATUS *status)
{
    printf("Server connection\n");
    print_text("State", disk_state_word(properties, status->State));
    print_number("Connections", status->Connections);
    print_number("ConnectionsWanted", properties->NbdProperties.Connections);
    print_text("Replies", disk_replies_word(status->Replies));
    print_number("LostForMs", (long long)status->LostForMs);
    print_number("Reconnects", (long long)status->Reconnects);
    print_number("ReplayedRequests", (long long)status->ReplayedRequests);
    print_number("UnfencedConnections", (long long)status->UnfencedConnections);
    print_text("LastError", status->LastError);
    printf("\n");
}

static void print_size(const char *name, UINT32 bytes, const char *remark)
{
    char text[VALUE_SIZE_TEXT];

    printf(FIELD "%u (%s%s)\n", name, bytes, value_format_size(bytes, text), remark);
}

static void print_program(const struct shown *shown)
{
    const WNBD_PROPERTIES *properties = &shown->info.Properties;

    printf("Serving program\n");
    if (shown->has_server)
        print_text("ProgramState", disk_state_word(properties, shown->server.State));
    print_number("KeepDisk", properties->Flags.KeepDisk);
    print_number("QueueDepth", properties->QueueDepth);
    print_size("ArenaSize", properties->ArenaSize, " of locked memory");
    print_size("PhysicalBlockSize", properties->PhysicalBlockSize, "");
    printf("\n");
}

static void print_latency(const char *name, const struct traffic *traffic)
{
    char half[LATENCY_TEXT_SIZE];
    char most[LATENCY_TEXT_SIZE];

    if (traffic->counts.Answered == 0)
        return;
    printf(FIELD "50 %% within %s, 99 %% within %s (%llu requests)\n", name,
           latency_format(latency_within(traffic->latency, 0.5), half),
           latency_format(latency_within(traffic->latency, 0.99), most), (unsigned long long)traffic->counts.Answered);
}

static void print_latencies(const WNBD_IOCTL_STATS_OUTPUT *stats)
{
    printf("Latency\n");
    for (enum traffic_kind kind = 0; kind < TRAFFIC_KINDS; kind++) {
        struct traffic traffic = traffic_between(NULL, stats, kind);

        print_latency(traffic_word(kind), &traffic);
    }
    printf("\n");
}

void show_print_text(const struct shown *shown)
{
    const WNBD_PROPERTIES *properties = &shown->info.Properties;

    printf("Connection info\n");
    print_properties(properties);
    print_device(shown);
    printf("\n");
    if (disk_is_nbd(properties))
        print_server(&properties->NbdProperties);
    if (!disk_is_served(properties) && shown->has_server)
        print_connection(properties, &shown->server);
    if (disk_is_served(properties))
        print_program(shown);
    if (shown->has_stats)
        print_latencies(&shown->stats);
}
