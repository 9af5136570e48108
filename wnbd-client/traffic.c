/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/traffic.h"

#include "wnbd-client/json.h"
#include "wnbd-client/latency.h"

static_assert(LATENCY_BUCKETS == WNBD_LATENCY_BUCKETS, "one histogram");

const char *traffic_word(enum traffic_kind kind)
{
    static const char *const words[TRAFFIC_KINDS] = {"Read", "Write", "Flush", "Unmap"};

    return words[kind];
}

static struct traffic all_of(const WNBD_IOCTL_STATS_OUTPUT *stats, enum traffic_kind kind)
{
    const WNBD_TRAFFIC *const counts[TRAFFIC_KINDS] = {&stats->Read, &stats->Write, &stats->Flush, &stats->Unmap};
    const UINT64 *const latencies[TRAFFIC_KINDS] = {stats->Latency.Read, stats->Latency.Write, stats->Latency.Flush,
                                                    stats->Latency.Unmap};
    struct traffic traffic = {.counts = *counts[kind]};

    for (unsigned i = 0; i < WNBD_LATENCY_BUCKETS; i++)
        traffic.latency[i] = latencies[kind][i];
    return traffic;
}

struct traffic traffic_between(const WNBD_IOCTL_STATS_OUTPUT *before, const WNBD_IOCTL_STATS_OUTPUT *after,
                               enum traffic_kind kind)
{
    struct traffic traffic = all_of(after, kind);
    struct traffic earlier;

    if (!before)
        return traffic;
    earlier = all_of(before, kind);
    traffic.counts.Answered -= earlier.counts.Answered;
    traffic.counts.Failed -= earlier.counts.Failed;
    traffic.counts.Bytes -= earlier.counts.Bytes;
    for (unsigned i = 0; i < WNBD_LATENCY_BUCKETS; i++)
        traffic.latency[i] -= earlier.latency[i];
    return traffic;
}

static void print_kind(const char *name, const struct traffic *traffic)
{
    json_begin_object(name);
    json_unsigned("answered", traffic->counts.Answered);
    json_unsigned("failed", traffic->counts.Failed);
    json_unsigned("bytes", traffic->counts.Bytes);
    json_known("p50_us", (int64_t)latency_within(traffic->latency, 0.5));
    json_known("p99_us", (int64_t)latency_within(traffic->latency, 0.99));
    json_known("p999_us", (int64_t)latency_within(traffic->latency, 0.999));
    json_end_object();
}

void traffic_print_json(const WNBD_IOCTL_STATS_OUTPUT *stats)
{
    static const char *const names[TRAFFIC_KINDS] = {"read", "write", "flush", "unmap"};

    if (!stats) {
        json_null("traffic");
        return;
    }
    json_begin_object("traffic");
    for (enum traffic_kind kind = 0; kind < TRAFFIC_KINDS; kind++) {
        struct traffic traffic = traffic_between(NULL, stats, kind);

        print_kind(names[kind], &traffic);
    }
    json_end_object();
}
