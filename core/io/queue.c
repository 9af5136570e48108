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
        slots[i].retired = false;
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

/* The slot that a cookie names, NULL when its generation is over. */
static struct io_slot *find_slot(const struct io_queue *queue, uint64_t cookie)
{
    uint32_t index = queue_slot(cookie);

    if (index >= queue->depth || queue->slots[index].generation != cookie >> 32) {
        return NULL;
    }
    return &queue->slots[index];
}

struct io_request *queue_find(const struct io_queue *queue, uint64_t cookie)
{
    const struct io_slot *slot = find_slot(queue, cookie);

    return slot != NULL ? slot->request : NULL;
}

static void free_slot(struct io_queue *queue, struct io_slot *slot)
{
    slot->generation = next_generation(slot->generation);
    append_free(queue, (uint32_t)(slot - queue->slots));
    queue->used--;
}

struct io_request *queue_take(struct io_queue *queue, uint64_t cookie)
{
    struct io_slot *slot = find_slot(queue, cookie);
    struct io_request *request = slot != NULL ? slot->request : NULL;

    if (request == NULL) {
        return NULL;
    }
    slot->request = NULL;
    free_slot(queue, slot);
    request->cookie = 0;
    return request;
}

void queue_retire(struct io_queue *queue, struct io_request *request)
{
    struct io_slot *slot = find_slot(queue, request->cookie);

    if (slot == NULL) {
        return;
    }
    slot->request = NULL;
    slot->retired = true;
    request->cookie = 0;
}

bool queue_release(struct io_queue *queue, uint64_t cookie)
{
    struct io_slot *slot = find_slot(queue, cookie);

    if (slot == NULL || !slot->retired) {
        return false;
    }
    slot->retired = false;
    free_slot(queue, slot);
    return true;
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

uint64_t queue_next_retired(const struct io_queue *queue, uint32_t *position)
{
    while (*position < queue->depth) {
        uint32_t index = (*position)++;

        if (queue->slots[index].retired) {
            return (uint64_t)queue->slots[index].generation << 32 | index;
        }
    }
    return 0;
}
