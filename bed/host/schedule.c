/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/schedule.h"

#include "bed/host/thread.h"

#include <time.h>

/* Sleeping lets another thread on however busy the machine is; a yield there would cost what the others make of it. */
#define SWITCH_ONE_IN 12
#define PAUSE_ONE_IN  32
#define PAUSE_US_MAX  250

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

static void pause_us(long microseconds)
{
    struct timespec pause = {0, microseconds * 1000 + 1};

    nanosleep(&pause, NULL);
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
        pause_us((long)(choice >> 32) % PAUSE_US_MAX);
    } else if (choice % SWITCH_ONE_IN == 0) {
        pause_us(0);
    }
}

bool bed_schedule_chance(unsigned one_in)
{
    return seed != 0 && next(&bed_thread_self()->random) % one_in == 0;
}
