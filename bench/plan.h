/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a contender of the benchmark is to do, as its command line says:
 *
 *     PROGRAM ADDRESS read|write SIZE DEPTH LIMIT [WORD ...]
 *
 * ADDRESS  tcp:PORT (of 127.0.0.1) or unix:PATH
 * SIZE     bytes of one request, a multiple of 512
 * DEPTH    requests kept in flight
 * LIMIT    2.5s: seconds, or 300: requests, at random places; or once: the whole export, from its beginning to its end
 *
 * The words:
 *
 * simple, structured, extended   the form of replies to ask for, and to insist on; without one: simple
 * connections=N                  how many share the depth; without it: 1
 * sparse                         the export is all zeroes
 * verify                         what is read is compared with, and what is written is, what the export has
 *                                (bench/pattern.h, or zeroes)
 */
#ifndef WNBD_BENCH_PLAN_H
#define WNBD_BENCH_PLAN_H

#include "core/nbd/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_SIZE_MAX        (1u << 20)
#define PLAN_DEPTH_MAX       256u
#define PLAN_CONNECTIONS_MAX 16u

struct plan {
    const char *address; /* borrows the command line */
    bool write;
    uint32_t size;
    uint32_t depth;
    double seconds;    /* 0: the number of requests is the limit */
    uint64_t requests; /* 0: the time is the limit */
    bool once;         /* `requests` is the export's size, once plan_places knows it */
    enum nbd_form form;
    uint32_t connections;
    bool sparse;
    bool verify;
};

/* Where in the export the requests go. */
struct places {
    uint64_t count; /* of requests in the export */
    uint64_t next;
    uint32_t random;
    bool in_order;
};

/* Reads the command line; says what is wrong with it and ends the program when something is. A run that takes much
 * longer than its limit is ended by an alarm: nothing on its way waits with a time-out of its own. */
struct plan plan_read(int count, char **arguments);

/* The places in an export of `size` bytes; of a plan that reads it once, also the limit. */
struct places plan_places(struct plan *plan, uint64_t size);

/* False: the word is none for a form of replies. */
bool plan_read_form(const char *word, enum nbd_form *form);

/* Ends the program with one line on stderr. */
_Noreturn void fail(const char *why);

/* Gives `length` bytes that were touched once, so that no page is missing when it matters; ends the program when there
 * are none. */
void *allocate(size_t length);

/* One of `count` (up to 2^32) at random, the same sequence in each contender; without a division. */
static inline uint64_t random_below(uint32_t *state, uint64_t count)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) * count >> 24;
}

/* The number of the next place. */
static inline uint64_t place_next(struct places *places)
{
    return places->in_order ? places->next++ : random_below(&places->random, places->count);
}

#endif
