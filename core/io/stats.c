/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/stats.h"

#define TIME_UNITS_PER_US 10

void stats_received(struct io_stats *stats, uint64_t now)
{
    stats->received++;
    stats->unsubmitted++;
    stats->last_received = now;
}

void stats_submitted(struct io_stats *stats, uint64_t now)
{
    stats->unsubmitted--;
    stats->submitted++;
    stats->pending++;
    stats->last_submitted = now;
}

void stats_replied(struct io_stats *stats, uint64_t now)
{
    stats->pending--;
    stats->replied++;
    stats->last_replied = now;
}

void stats_withdrawn(struct io_stats *stats)
{
    stats->submitted--;
    stats->pending--;
    stats->unsubmitted++;
}

void stats_aborted_submitted(struct io_stats *stats)
{
    stats->pending--;
    stats->aborted_submitted++;
}

void stats_aborted_unsubmitted(struct io_stats *stats)
{
    stats->unsubmitted--;
    stats->aborted_unsubmitted++;
}

void stats_late_reply(struct io_stats *stats)
{
    stats->late_replies++;
}

static unsigned bit_width(uint32_t value)
{
    unsigned width = 0;

    for (unsigned step = 16; step != 0; step >>= 1) {
        if (value >> step != 0) {
            value >>= step;
            width += step;
        }
    }
    return width + value;
}

static unsigned bucket(uint64_t time)
{
    uint64_t us = time / TIME_UNITS_PER_US;

    return us >> (STATS_BUCKETS - 1) != 0 ? STATS_BUCKETS - 1 : bit_width((uint32_t)us);
}

/* STATS_KINDS: not counted. */
static enum stats_kind kind_of(enum io_operation operation)
{
    switch (operation) {
    case IO_READ:
        return STATS_READ;
    case IO_WRITE:
        return STATS_WRITE;
    case IO_FLUSH:
        return STATS_FLUSH;
    case IO_TRIM:
    case IO_WRITE_ZEROES:
        return STATS_UNMAP;
    case IO_CACHE:
    case IO_BLOCK_STATUS:
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT:
        break;
    }
    return STATS_KINDS;
}

void stats_measured(struct io_stats *stats, const struct io_request *request, bool failed, uint64_t received,
                    uint64_t answered)
{
    enum stats_kind kind = kind_of(request->operation);
    struct stats_traffic *traffic;

    if (kind == STATS_KINDS) {
        return;
    }
    traffic = &stats->traffic[kind];
    traffic->answered++;
    traffic->failed += failed;
    traffic->bytes += failed ? 0 : request->length;
    traffic->latency[bucket(answered > received ? answered - received : 0)]++;
}

uint64_t stats_spent(const struct stats_traffic *traffic)
{
    uint64_t spent = traffic->latency[0]; /* below one microsecond: a half of it */

    for (unsigned i = 1; i < STATS_BUCKETS; i++) {
        spent += traffic->latency[i] * ((uint64_t)3 << (i - 1)); /* from 2^(i-1) to 2^i microseconds */
    }
    return spent;
}
