/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/disks.h"
#include "wnbd-client/json.h"
#include "wnbd-client/narrow.h"
#include "wnbd-client/show_print.h"
#include "wnbd-client/traffic.h"

static void print_abilities(const WNBD_FLAGS *flags)
{
    json_boolean("read_only", flags->ReadOnly);
    json_boolean("flush", flags->FlushSupported);
    json_boolean("fua", flags->FUASupported);
    json_boolean("unmap", flags->UnmapSupported);
    json_boolean("unmap_anchor", flags->UnmapAnchorSupported);
    json_boolean("persistent_reservations", flags->PersistResSupported);
    json_boolean("kernel_nbd", flags->UseKernelNbd);
    json_boolean("userspace_nbd", flags->UseUserspaceNbd);
    json_boolean("keep_disk", flags->KeepDisk);
}

static void print_sizes(const WNBD_PROPERTIES *properties)
{
    json_unsigned("size", properties->BlockCount * properties->BlockSize);
    json_unsigned("block_count", properties->BlockCount);
    json_unsigned("block_size", properties->BlockSize);
    json_unsigned("physical_block_size", properties->PhysicalBlockSize);
    json_unsigned("max_unmap_descriptors", properties->MaxUnmapDescCount);
    json_unsigned("queue_depth", properties->QueueDepth);
    json_unsigned("arena_size", disk_is_served(properties) ? properties->ArenaSize : 0);
}

static void print_device(const struct shown *shown)
{
    const WNBD_CONNECTION_INFO *info = &shown->info;
    char text[NARROW_SIZE];

    json_known("disk_number", info->DiskNumber);
    json_text("pnp_device_id", narrow(info->PNPDeviceID, ARRAYSIZE(info->PNPDeviceID), text));
    json_unsigned("bus", info->BusNumber);
    json_unsigned("target", info->TargetId);
    json_unsigned("lun", info->Lun);
    json_known("max_requests_per_lun", shown->has_limits ? (int64_t)shown->lun_limit : -1);
    json_known("max_requests_per_adapter", shown->has_limits ? (int64_t)shown->adapter_limit : -1);
    json_boolean("disconnecting", info->ConnectionFlags.Disconnecting);
}

static void print_nbd(const NBD_CONNECTION_PROPERTIES *server)
{
    json_begin_object("nbd");
    json_text("hostname", server->Hostname);
    json_unsigned("port", server->PortNumber);
    json_text("export_name", server->ExportName);
    json_boolean("skip_handshake", server->Flags.SkipNegotiation);
    json_unsigned("connections_wanted", server->Connections);
    json_end_object();
}

static void print_server(const WNBD_PROPERTIES *properties, const WNBD_SERVER_STATUS *status)
{
    json_begin_object("server");
    json_text("state", disk_state_word(properties, status->State));
    json_unsigned("connections", status->Connections);
    json_text("replies", disk_replies_word(status->Replies));
    json_unsigned("lost_for_ms", status->LostForMs);
    json_unsigned("reconnects", status->Reconnects);
    json_unsigned("replayed_requests", status->ReplayedRequests);
    json_unsigned("unfenced_connections", status->UnfencedConnections);
    json_text("last_error", status->LastError);
    json_end_object();
}

void show_print_json(const struct shown *shown)
{
    const WNBD_PROPERTIES *properties = &shown->info.Properties;

    json_begin_object(NULL);
    json_text("name", properties->InstanceName);
    json_text("serial_number", properties->SerialNumber);
    json_text("owner", properties->Owner);
    json_number("pid", properties->Pid);
    print_abilities(&properties->Flags);
    print_sizes(properties);
    print_device(shown);
    if (disk_is_nbd(properties))
        print_nbd(&properties->NbdProperties);
    else
        json_null("nbd");
    if (shown->has_server)
        print_server(properties, &shown->server);
    else
        json_null("server");
    traffic_print_json(shown->has_stats ? &shown->stats : NULL);
    json_end_object();
}
