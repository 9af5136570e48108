/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests that a backend has been given and has not answered.
 *
 * A request in the queue has a slot and a cookie = generation << 32 | slot. The cookie is the request's name on the
 * wire (NBD's 64-bit cookie) and in the ring of a user-space disk. A slot's generation moves on each time the slot is
 * given back, so that a late, doubled or invented answer is refused instead of finding another request. Every operation
 * costs the same whatever the depth is. The caller serialises and owns the memory.
 */
#ifndef WNBD_CORE_IO_QUEUE_H
#define WNBD_CORE_IO_QUEUE_H

#include "core/base/compiler.h"
#include "core/io/request.h"

#include <stdbool.h>
#include <stdint.h>

struct io_slot {
    struct io_request *request; /* borrowed while it is in the queue; NULL when the slot is free */
    uint32_t generation;        /* 1 .. UINT32_MAX: no cookie is ever 0 */
    bool retired;               /* neither free nor with a request: queue_retire */
    uint32_t next_free;
};

struct io_queue {
    struct io_slot *slots; /* borrowed for the queue's life */
    uint32_t depth;        /* number of slots */
    uint32_t used;         /* slots in use */
    uint32_t first_free;   /* free slots are reused oldest first, so that a generation lasts */
    uint32_t last_free;
};

/* Begins an empty queue over `depth` slots of the caller's, 1 or more. */
void queue_init(struct io_queue *queue, struct io_slot *slots, uint32_t depth);

/* Gives `request` a slot and writes its cookie into it. False when every slot is in use. Borrows `request` until
 * queue_take. */
MUST_CHECK bool queue_add(struct io_queue *queue, struct io_request *request);

/* The request with this cookie, NULL when there is none (any more). `cookie` may come from anybody. */
struct io_request *queue_find(const struct io_queue *queue, uint64_t cookie);

/* As queue_find, and the slot is free afterwards; the request's cookie becomes 0. */
struct io_request *queue_take(struct io_queue *queue, uint64_t cookie);

/*
 * The request is over, but its answer can still come: it finds no request any more, and the slot is not used for
 * another until it is released. The request's cookie becomes 0.
 */
void queue_retire(struct io_queue *queue, struct io_request *request);

/* Frees the slot of a request that was retired under this cookie, which may come from anybody. False: there is none. */
bool queue_release(struct io_queue *queue, uint64_t cookie);

/* The cookie of the first retired slot from `*position` on, which moves behind it; 0 when there is none. */
uint64_t queue_next_retired(const struct io_queue *queue, uint32_t *position);

/* The slot's index of a cookie that queue_add gave: below `depth`. */
static inline uint32_t queue_slot(uint64_t cookie)
{
    return (uint32_t)cookie;
}

/*
 * The request in the first used slot from `*position` on, which moves behind it; NULL when there is none. A walk that
 * starts at 0 visits each slot once, for draining: taking the request that was found keeps the walk whole, and requests
 * that are added meanwhile may be missed.
 */
struct io_request *queue_next(const struct io_queue *queue, uint32_t *position);

#endif
