/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/watch_sample.h"

#include "wnbd-client/disks.h"
#include "wnbd-client/latency.h"
#include "wnbd-client/traffic.h"

#include <stdlib.h>
#include <string.h>

#define UNITS_PER_SECOND 1e7

/* ---- Taking ---- */

void watch_free(struct watch_sample *sample)
{
    free(sample->disks);
    *sample = (struct watch_sample){NULL, 0};
}

static DWORD take_disk(struct watch_disk *disk, const char *name)
{
    DWORD error = WnbdGetDiskStats(name, &disk->stats);

    return error == ERROR_SUCCESS ? WnbdGetServerStatus(name, &disk->server) : error;
}

/* Disks that go while they are looked at are left out. */
static DWORD take_listed(struct watch_sample *sample, const WNBD_CONNECTION_LIST *list)
{
    sample->disks = calloc(list->Count + 1, sizeof(sample->disks[0]));
    if (!sample->disks)
        return ERROR_NOT_ENOUGH_MEMORY;
    for (UINT32 i = 0; i < list->Count && sample->count < WATCH_ROWS_MAX; i++) {
        struct watch_disk *disk = &sample->disks[sample->count];
        DWORD error;

        disk->info = list->Connections[i];
        error = take_disk(disk, disk->info.Properties.InstanceName);
        if (error == ERROR_SUCCESS)
            sample->count++;
        else if (error != ERROR_FILE_NOT_FOUND)
            return error;
    }
    return ERROR_SUCCESS;
}

static DWORD take_all(struct watch_sample *sample)
{
    PWNBD_CONNECTION_LIST list;
    DWORD error = disks_read(&list);

    if (error == ERROR_SUCCESS)
        error = take_listed(sample, list);
    free(list);
    return error;
}

static DWORD take_one(struct watch_sample *sample, const char *name)
{
    DWORD error;

    sample->disks = calloc(1, sizeof(sample->disks[0]));
    if (!sample->disks)
        return ERROR_NOT_ENOUGH_MEMORY;
    error = WnbdShow(name, &sample->disks[0].info);
    if (error == ERROR_SUCCESS)
        error = take_disk(&sample->disks[0], name);
    sample->count = error == ERROR_SUCCESS;
    return error;
}

DWORD watch_take(struct watch_sample *sample, const char *name)
{
    watch_free(sample);
    return name ? take_one(sample, name) : take_all(sample);
}

/* ---- Rows ---- */

static void add_latency(UINT64 sum[WNBD_LATENCY_BUCKETS], const struct traffic *traffic)
{
    for (unsigned i = 0; i < WNBD_LATENCY_BUCKETS; i++)
        sum[i] += traffic->latency[i];
}

static void set_latency(struct watch_row *row, const UINT64 latency[WNBD_LATENCY_BUCKETS])
{
    row->within[0] = latency_within(latency, 0.5);
    row->within[1] = latency_within(latency, 0.99);
    row->within[2] = latency_within(latency, 0.999);
}

static void add_traffic(struct watch_row *row, enum traffic_kind kind, const struct traffic *traffic, double seconds)
{
    double bytes = (double)traffic->counts.Bytes / seconds;

    row->iops += (double)traffic->counts.Answered / seconds;
    if (kind == TRAFFIC_READ)
        row->read_bytes += bytes;
    else if (kind == TRAFFIC_WRITE) /* an unmap moves nothing */
        row->write_bytes += bytes;
}

static void init_row(struct watch_row *row, const struct watch_disk *disk)
{
    const WNBD_PROPERTIES *properties = &disk->info.Properties;

    *row = (struct watch_row){
        .name = properties->InstanceName,
        .state = disk_state_word(properties, disk->server.State),
        .disk_number = disk->info.DiskNumber,
        .pending = disk->stats.Stats.OutstandingIOCount,
        .reconnects = disk->server.Reconnects,
    };
}

static double seconds_between(const struct watch_disk *before, const struct watch_disk *after)
{
    UINT64 units = after->stats.Now - before->stats.Now;

    return units != 0 ? (double)units / UNITS_PER_SECOND : 1;
}

static void make_disk_row(const struct watch_disk *before, const struct watch_disk *after, struct watch_row *row)
{
    UINT64 latency[WNBD_LATENCY_BUCKETS] = {0};

    init_row(row, after);
    for (enum traffic_kind kind = 0; kind < TRAFFIC_KINDS; kind++) {
        struct traffic traffic = traffic_between(&before->stats, &after->stats, kind);

        add_traffic(row, kind, &traffic, seconds_between(before, after));
        add_latency(latency, &traffic);
    }
    set_latency(row, latency);
}

/* The same disk, not another one of the same name. NULL: it is new. */
static const struct watch_disk *find(const struct watch_sample *sample, WNBD_CONNECTION_ID id)
{
    for (size_t i = 0; i < sample->count; i++) {
        if (sample->disks[i].info.ConnectionId == id)
            return &sample->disks[i];
    }
    return NULL;
}

size_t watch_rows_of_disks(const struct watch_sample *before, const struct watch_sample *after,
                           struct watch_row rows[WATCH_ROWS_MAX])
{
    for (size_t i = 0; i < after->count; i++) {
        const struct watch_disk *disk = &after->disks[i];
        const struct watch_disk *earlier = find(before, disk->info.ConnectionId);

        make_disk_row(earlier ? earlier : disk, disk, &rows[i]);
    }
    return after->count;
}

size_t watch_rows_of_kinds(const struct watch_sample *before, const struct watch_sample *after,
                           struct watch_row rows[WATCH_ROWS_MAX])
{
    const struct watch_disk *disk = &after->disks[0];
    const struct watch_disk *earlier = find(before, disk->info.ConnectionId);

    for (enum traffic_kind kind = 0; kind < TRAFFIC_KINDS; kind++) {
        struct traffic traffic = traffic_between(earlier ? &earlier->stats : NULL, &disk->stats, kind);

        init_row(&rows[kind], disk);
        rows[kind].name = traffic_word(kind);
        add_traffic(&rows[kind], kind, &traffic, seconds_between(earlier ? earlier : disk, disk));
        set_latency(&rows[kind], traffic.latency);
    }
    return TRAFFIC_KINDS;
}
