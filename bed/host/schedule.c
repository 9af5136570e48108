/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/schedule.h"

#include "bed/host/thread.h"

#include <sched.h>
#include <time.h>

#define YIELD_ONE_IN 4
#define PAUSE_ONE_IN 24
#define PAUSE_US_MAX 300

static volatile uint64_t seed;

/* splitmix64, public domain: one step from a 64-bit state to a well-mixed number. */
static uint64_t next(ULONGLONG *state)
{
    uint64_t mixed = *state += 0x9E3779B97F4A7C15u;

    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

void bed_schedule_seed(uint64_t value)
{
    seed = value;
    bed_schedule_thread(bed_thread_self());
}

void bed_schedule_thread(struct bed_thread *thread)
{
    thread->random = seed * 1000003u + thread->number;
}

void bed_schedule_point(enum bed_point point)
{
    uint64_t choice;

    (void)point;
    if (seed == 0) {
        return;
    }
    choice = next(&bed_thread_self()->random);
    if (choice % PAUSE_ONE_IN == 0) {
        struct timespec pause = {0, (long)(choice >> 32) % PAUSE_US_MAX * 1000};

        nanosleep(&pause, NULL);
    } else if (choice % YIELD_ONE_IN == 0) {
        sched_yield();
    }
}

bool bed_schedule_chance(unsigned one_in)
{
    return seed != 0 && next(&bed_thread_self()->random) % one_in == 0;
}
