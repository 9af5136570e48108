/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk that a test serves by hand: a machine, a program without threads, and what it is asked for. */
#ifndef TESTS_HOST_HAND_H
#define TESTS_HOST_HAND_H

#include "tests/host/fixture.h"
#include "tests/host/program.h"

/* A machine and a program with its disk, opened; the options' threads serve it, if there are any. */
struct bed_file *hand_start(struct program *program, const struct program_options *options);
void hand_stop(struct program *program, struct bed_file *disk);

/* The program is gone and so is its disk. */
void hand_stop_without(struct program *program, struct bed_file *disk);

/* Waits until it has got exactly `count` requests. */
void hand_take(struct program *program, WNBD_ARENA_REQUEST *requests, UINT32 count);

/* Carries out and answers them. How many answers were refused. */
UINT32 hand_answer(struct program *program, const WNBD_ARENA_REQUEST *requests, UINT32 count);

/* Whether nothing waits that could be given. */
bool hand_is_idle(struct program *program);

void hand_pause_ms(unsigned ms);

/* Waits until the disk has no name any more. */
void hand_await_gone(const char *name);

/* Waits, at most some seconds of the test's, for a counter of "vol1". */
#define HAND_AWAIT(member, count)                                                                                      \
    do {                                                                                                               \
        for (unsigned hand_waited = 0; fixture_statistics("vol1").member < (count); hand_waited++) {                   \
            if (hand_waited > 20000) {                                                                                 \
                fail_msg("%s does not become %d", #member, (int)(count));                                              \
            }                                                                                                          \
            hand_pause_ms(5);                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
