/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk's counters, as WNBD_IOCTL_STATS_OUTPUT (include/wnbd_ioctl.h) reports them. The caller serialises; times are
 * handed in (Windows' interrupt time: units of 100 ns since the machine started).
 *
 *   received --> unsubmitted --> pending --> replied
 *                     |             |
 *                     +-> aborted   +-> aborted, and perhaps replied late; or withdrawn: unsubmitted again
 *
 * At every moment received = submitted + unsubmitted + aborted_unsubmitted and
 * submitted = replied + pending + aborted_submitted: a late reply counts as late and not as replied.
 */
#ifndef WNBD_CORE_IO_STATS_H
#define WNBD_CORE_IO_STATS_H

#include "core/io/request.h"

#include <stdbool.h>
#include <stdint.h>

enum stats_kind {
    STATS_READ,
    STATS_WRITE,
    STATS_FLUSH,
    STATS_UNMAP, /* IO_TRIM, IO_WRITE_ZEROES */
    STATS_KINDS,
};

#define STATS_BUCKETS 32

/* Of the answered requests of one kind. */
struct stats_traffic {
    uint64_t answered;
    uint64_t failed; /* of these, with an error */
    uint64_t bytes;  /* of those without */
    /* How long they took: element 0 counts those below one microsecond, element n those of 2^(n-1) and more but less
     * than 2^n, the last one all that were longer. */
    uint64_t latency[STATS_BUCKETS];
};

struct io_stats {
    int64_t received;            /* requests made of what Storport sent: one for each piece of a divided transfer */
    int64_t submitted;           /* given to the backend */
    int64_t replied;             /* answers to requests that waited for them */
    int64_t unsubmitted;         /* wait to be submitted, now */
    int64_t pending;             /* submitted and not answered, now */
    int64_t aborted_submitted;   /* ended by a reset, an abort, a lost connection or a removal, after submission */
    int64_t aborted_unsubmitted; /* the same, before they were submitted */
    int64_t late_replies;        /* answers to requests that had been aborted */
    uint64_t last_received;      /* times of the last one of each kind, 0 if there was none */
    uint64_t last_submitted;
    uint64_t last_replied;
    struct stats_traffic traffic[STATS_KINDS];
};

void stats_received(struct io_stats *stats, uint64_t now);
void stats_submitted(struct io_stats *stats, uint64_t now);
void stats_replied(struct io_stats *stats, uint64_t now);

/* What stats_replied has just counted: a request that was received at one time and answered at another, of a clock that
 * tells microseconds apart. */
void stats_measured(struct io_stats *stats, const struct io_request *request, bool failed, uint64_t received,
                    uint64_t answered);

/* How long the answered requests took together, in half microseconds, as far as the histogram knows: each is taken for
 * the middle of its element. The truth is from 2/3 of it to 4/3. */
#define STATS_SPENT_PER_SECOND 2000000u
uint64_t stats_spent(const struct stats_traffic *traffic);

/* What was submitted waits to be submitted again: its connection ended before the answer came. */
void stats_withdrawn(struct io_stats *stats);

void stats_aborted_submitted(struct io_stats *stats);
void stats_aborted_unsubmitted(struct io_stats *stats);
void stats_late_reply(struct io_stats *stats);

#endif
