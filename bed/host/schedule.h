/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schedules. With a seed, threads pause at the points below, for a time that the seed, the thread's number and the
 * number of points it has passed decide; so the same seed makes the same choices again. What the machine's scheduler
 * does in between stays its own: a seed that has failed fails again often, not always.
 */
#ifndef BED_HOST_SCHEDULE_H
#define BED_HOST_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum bed_point {
    BED_POINT_LOCK,
    BED_POINT_UNLOCK,
    BED_POINT_SET,
    BED_POINT_WAIT,
    BED_POINT_TIMEOUT,
    BED_POINT_COMPLETE,
    BED_POINT_CANCEL,
    BED_POINT_THREAD,
    BED_POINT_CALL, /* of a WSK function, before and after */
};

struct bed_thread;

/* 0: no pauses. Threads that exist already are not affected by a new seed. */
void bed_schedule_seed(uint64_t seed);

/* A new thread's own sequence. */
void bed_schedule_thread(struct bed_thread *thread);

void bed_schedule_point(enum bed_point point);

/* True once in `one_in` times, by the thread's sequence; false without a seed. */
bool bed_schedule_chance(unsigned one_in);

#endif
