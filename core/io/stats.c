/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/stats.h"

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
