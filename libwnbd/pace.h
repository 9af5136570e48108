/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How quick the callbacks of a disk are, and what follows from it: of quick ones a thread takes many requests at a time
 * and lets their answers wait for company; of slow ones it takes one, so that the others are left to other threads, and
 * answers at once. Calls nothing; the caller serialises.
 */
#ifndef LIBWNBD_PACE_H
#define LIBWNBD_PACE_H

#include "include/wnbd.h"

#define PACE_SLOW_NS   50000u  /* an answer does not wait longer than that for one callback */
#define PACE_BUDGET_NS 100000u /* what a thread takes on at a time */
#define PACE_BATCH_MAX 32u
#define PACE_START_NS  (2 * PACE_SLOW_NS) /* slow until it has shown to be quick: wrong guesses cost batches only */
#define PACE_WEIGHT    8u                 /* of the average: how many callbacks it looks back */

struct pace {
    UINT64 average_ns;
};

static inline void pace_start(struct pace *pace)
{
    pace->average_ns = PACE_START_NS;
}

/* A callback has taken `ns`. */
static inline void pace_note(struct pace *pace, UINT64 ns)
{
    UINT64 limit = (UINT64)PACE_WEIGHT * PACE_START_NS; /* one very long callback is forgotten soon */

    pace->average_ns = (pace->average_ns * (PACE_WEIGHT - 1) + (ns < limit ? ns : limit)) / PACE_WEIGHT;
}

static inline BOOL pace_is_quick(const struct pace *pace)
{
    return pace->average_ns <= PACE_SLOW_NS;
}

/* A callback has not returned for a long time: the others count as slow until they have shown to be quick again. */
static inline void pace_stalled(struct pace *pace)
{
    if (pace->average_ns < PACE_START_NS)
        pace->average_ns = PACE_START_NS;
}

/* How many requests to take at a time. */
static inline UINT32 pace_batch(const struct pace *pace)
{
    UINT64 batch = PACE_BUDGET_NS / (pace->average_ns + 1);

    if (batch > PACE_BATCH_MAX)
        return PACE_BATCH_MAX;
    return batch > 1 && pace_is_quick(pace) ? (UINT32)batch : 1;
}

#endif
