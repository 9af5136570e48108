/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/arena.h"

#define NONE UINT16_MAX

enum arena_state {
    UNIT_INNER, /* not the first of anything */
    UNIT_FREE,  /* the first of a free block */
    UNIT_TAKEN, /* the first of an area */
};

static void list_block(struct io_arena *arena, uint32_t index, uint32_t order)
{
    struct arena_unit *unit = &arena->units[index];

    unit->order = (uint8_t)order;
    unit->state = UNIT_FREE;
    unit->previous = NONE;
    unit->next = arena->free[order];
    if (unit->next != NONE) {
        arena->units[unit->next].previous = (uint16_t)index;
    }
    arena->free[order] = (uint16_t)index;
}

static void unlist_block(struct io_arena *arena, uint32_t index)
{
    struct arena_unit *unit = &arena->units[index];

    if (unit->previous == NONE) {
        arena->free[unit->order] = unit->next;
    } else {
        arena->units[unit->previous].next = unit->next;
    }
    if (unit->next != NONE) {
        arena->units[unit->next].previous = unit->previous;
    }
    unit->state = UNIT_INNER;
}

/* The order of the largest block that may begin at `index` and does not leave the arena. */
static uint32_t largest_order(uint32_t index, uint32_t count)
{
    uint32_t order = ARENA_ORDERS - 1;

    while (index % (1u << order) != 0 || (1u << order) > count - index) {
        order--;
    }
    return order;
}

void arena_init(struct io_arena *arena, struct arena_unit *units, uint32_t count)
{
    arena->units = units;
    arena->count = count;
    arena->free_units = count;
    for (uint32_t order = 0; order < ARENA_ORDERS; order++) {
        arena->free[order] = NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        units[i].state = UNIT_INNER;
    }
    for (uint32_t i = 0; i < count; i += 1u << units[i].order) {
        list_block(arena, i, largest_order(i, count));
    }
}

static uint32_t order_of_length(uint32_t length)
{
    uint32_t order = 0;

    while (ARENA_UNIT << order < length) {
        order++;
    }
    return order;
}

uint32_t arena_units(uint32_t length)
{
    return length != 0 ? 1u << order_of_length(length) : 0;
}

/* The order of the smallest free block with `length` bytes; ARENA_ORDERS: there is none. */
static uint32_t free_order(const struct io_arena *arena, uint32_t length)
{
    uint32_t order = order_of_length(length);

    while (order < ARENA_ORDERS && arena->free[order] == NONE) {
        order++;
    }
    return order;
}

bool arena_has_room(const struct io_arena *arena, uint32_t length)
{
    return free_order(arena, length) < ARENA_ORDERS;
}

bool arena_take(struct io_arena *arena, uint32_t length, uint32_t *offset)
{
    uint32_t wanted = order_of_length(length);
    uint32_t order = free_order(arena, length);
    uint32_t index;

    if (order == ARENA_ORDERS) {
        return false;
    }
    index = arena->free[order];
    unlist_block(arena, index);
    while (order > wanted) { /* the upper halves stay free */
        order--;
        list_block(arena, index + (1u << order), order);
    }
    arena->units[index].order = (uint8_t)wanted;
    arena->units[index].state = UNIT_TAKEN;
    arena->free_units -= 1u << wanted;
    *offset = index * ARENA_UNIT;
    return true;
}

/* Whether the whole other half of the block that [index, index + 1 << order) is a half of, is free. */
static bool is_buddy_free(const struct io_arena *arena, uint32_t buddy, uint32_t order)
{
    return buddy < arena->count && arena->units[buddy].state == UNIT_FREE && arena->units[buddy].order == order;
}

void arena_give(struct io_arena *arena, uint32_t offset)
{
    uint32_t index = offset / ARENA_UNIT;
    uint32_t order = arena->units[index].order;

    arena->units[index].state = UNIT_INNER;
    arena->free_units += 1u << order;
    while (order < ARENA_ORDERS - 1 && is_buddy_free(arena, index ^ (1u << order), order)) {
        unlist_block(arena, index ^ (1u << order));
        index &= ~(1u << order);
        order++;
    }
    list_block(arena, index, order);
}
