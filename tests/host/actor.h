/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads of a storm: each makes its own choices, all from one seed, until they are stopped. */
#ifndef TESTS_HOST_ACTOR_H
#define TESTS_HOST_ACTOR_H

#include "tests/host/wnbd.h"

#include <pthread.h>

struct actor {
    pthread_t thread;
    struct bed_file *disk; /* of those that need one: set by the test before it starts */
    unsigned number;
    uint64_t random;
    const char *wrong; /* what it has found, NULL: nothing */
};

/* Set by the test: every actor comes to its end. */
extern volatile bool actors_stopping;

void actor_start(struct actor *actor, void *(*routine)(void *), uint64_t seed, unsigned number);
unsigned actor_choose(struct actor *actor, unsigned below);
void actors_sleep(unsigned ms); /* of the bed's clock */

/* What an actor does that injects one of the `count` kinds (BED_INJECT_*) into some disk, every pause_ms at most. */
void actor_trouble(struct actor *actor, const ULONG *kinds, unsigned count, unsigned pause_ms);

/* Waits for all. The first thing that was wrong, NULL: nothing. */
const char *actors_join(struct actor *actors, unsigned count);

#endif
