/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a contender took: time, CPU time of its process, and system calls if it counts them. */
#ifndef WNBD_BENCH_METER_H
#define WNBD_BENCH_METER_H

#include "bench/plan.h"

struct meter {
    uint64_t wanted; /* requests; UINT64_MAX when the time is the limit */
    uint64_t begin_ns;
    uint64_t end_ns; /* UINT64_MAX when the number of requests is the limit */
    uint64_t cpu_us; /* when it began */
    uint64_t calls;  /* when it began */
};

/* Begins. `calls`: system calls made so far. */
void meter_begin(struct meter *meter, const struct plan *plan, uint64_t calls);

/* How many of `free` requests may still be started, `started` having been. 0 once the limit has been reached; the clock
 * is asked each time, so ask once for many. */
uint64_t meter_allows(const struct meter *meter, uint64_t started, uint64_t free);

#define METER_NO_CALLS UINT64_MAX

/* Everything has been answered: prints one line, `requests=N seconds=S cpu_us=U calls=C`, the last word only when the
 * contender counts its system calls (`calls` is not METER_NO_CALLS). */
void meter_end(const struct meter *meter, uint64_t requests, uint64_t calls);

#endif
