/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/queue.h"

#include <stddef.h>

#define NO_SLOT UINT32_MAX

static void append_free(struct io_queue *queue, uint32_t index)
{
    queue->slots[index].next_free = NO_SLOT;
    if (queue->first_free == NO_SLOT) {
        queue->first_free = index;
    } else {
        queue->slots[queue->last_free].next_free = index;
    }
    queue->last_free = index;
}

static uint32_t take_first_free(struct io_queue *queue)
{
    uint32_t index = queue->first_free;

    if (index != NO_SLOT) {
        queue->first_free = queue->slots[index].next_free;
    }
    return index;
}

static uint32_t next_generation(uint32_t generation)
{
    return generation == UINT32_MAX ? 1 : generation + 1;
}

void queue_init(struct io_queue *queue, struct io_slot *slots, uint32_t depth)
{
    queue->slots = slots;
    queue->depth = depth;
    queue->used = 0;
    queue->first_free = NO_SLOT;
    queue->last_free = NO_SLOT;
    for (uint32_t i = 0; i < depth; i++) {
        slots[i].request = NULL;
        slots[i].generation = 1;
        append_free(queue, i);
    }
}

bool queue_add(struct io_queue *queue, struct io_request *request)
{
    uint32_t index = take_first_free(queue);

    if (index == NO_SLOT) {
        return false;
    }
    queue->slots[index].request = request;
    queue->used++;
    request->cookie = (uint64_t)queue->slots[index].generation << 32 | index;
    return true;
}

struct io_request *queue_find(const struct io_queue *queue, uint64_t cookie)
{
    uint32_t index = queue_slot(cookie);

    if (index >= queue->depth || queue->slots[index].generation != cookie >> 32) {
        return NULL;
    }
    return queue->slots[index].request;
}

struct io_request *queue_take(struct io_queue *queue, uint64_t cookie)
{
    struct io_request *request = queue_find(queue, cookie);
    struct io_slot *slot;

    if (request == NULL) {
        return NULL;
    }
    slot = &queue->slots[queue_slot(cookie)];
    slot->request = NULL;
    slot->generation = next_generation(slot->generation);
    append_free(queue, queue_slot(cookie));
    queue->used--;
    request->cookie = 0;
    return request;
}

struct io_request *queue_next(const struct io_queue *queue, uint32_t *position)
{
    while (*position < queue->depth) {
        struct io_request *request = queue->slots[(*position)++].request;

        if (request != NULL) {
            return request;
        }
    }
    return NULL;
}
