/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk's requests have cost, counted in debug builds (DBG) only and told in the log when the disk is removed:
 * "NAME: counters: 1000 requests, 1000 sends, ...". tests/e2e/test_counters.py holds them against what
 * docs/performance.md promises. Allocations are not among them: the bed counts those from outside.
 */
#ifndef WNBD_DRIVER_COUNTERS_H
#define WNBD_DRIVER_COUNTERS_H

#include "driver/ddk.h"

#include "driver/log.h"

#if DBG

struct counters {
    volatile LONG64 sends;     /* calls of WskSend */
    volatile LONG64 receives;  /* calls of WskReceive */
    volatile LONG64 copies;    /* pieces of payload copied from the receive buffer */
    volatile LONG64 copied;    /* bytes of them */
    volatile LONG64 direct;    /* receives straight into an SRB's pages */
    volatile LONG64 handovers; /* what had to be given to the worker: a thread switch each */
};

#define COUNTERS(name)                  struct counters name;
#define COUNT(counters, one)            InterlockedIncrement64(&(counters).one)
#define COUNT_MANY(counters, one, many) InterlockedExchangeAdd64(&(counters).one, many)
#define COUNTERS_TELL(counters, disk, requests)                                                                        \
    log_disk(COUNTERS, disk, (long long)(requests), (long long)(counters).sends, (long long)(counters).receives,       \
             (long long)(counters).copies, (long long)(counters).copied, (long long)(counters).direct,                 \
             (long long)(counters).handovers)

#else

#define COUNTERS(name)
#define COUNT(counters, one)                    ((void)0)
#define COUNT_MANY(counters, one, many)         ((void)0)
#define COUNTERS_TELL(counters, disk, requests) ((void)0)

#endif

#endif
