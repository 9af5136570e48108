/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory that a disk's driver and the program that serves it share, given out in areas: one for the data of each
 * request. This is only the bookkeeping, and it lies elsewhere: nothing in the shared memory itself is believed.
 *
 * A buddy system: areas are powers of two of ARENA_UNIT, up to ARENA_AREA_MAX. Taking and giving cost as many steps as
 * there are sizes, at most, and no sequence of them can leave the arena in pieces that do not join again. The caller
 * serialises and owns the memory.
 */
#ifndef WNBD_CORE_IO_ARENA_H
#define WNBD_CORE_IO_ARENA_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define ARENA_UNIT     4096u /* bytes: areas begin at multiples of it */
#define ARENA_ORDERS   10u   /* sizes of areas: ARENA_UNIT << 0 .. 9 */
#define ARENA_AREA_MAX (ARENA_UNIT << (ARENA_ORDERS - 1))

/* Of each unit of the arena; what counts are the first units of areas and of free blocks. */
struct arena_unit {
    uint16_t next; /* on the list of free blocks of its order */
    uint16_t previous;
    uint8_t order;
    uint8_t state; /* enum arena_state */
};

struct io_arena {
    struct arena_unit *units; /* borrowed for the arena's life */
    uint32_t count;           /* of them */
    uint32_t free_units;
    uint16_t free[ARENA_ORDERS]; /* the first free block of each order */
};

/* Begins an arena of `count` units, 1 to 65535, all free, with as many elements at `units`. */
void arena_init(struct io_arena *arena, struct arena_unit *units, uint32_t count);

/* Units of an area of `length` bytes, 0 to ARENA_AREA_MAX. */
uint32_t arena_units(uint32_t length);

/* Whether arena_take would succeed. */
bool arena_has_room(const struct io_arena *arena, uint32_t length);

/* An area of `length` bytes, 1 to ARENA_AREA_MAX; writes where it begins, in bytes. False: there is no room. */
MUST_CHECK bool arena_take(struct io_arena *arena, uint32_t length, uint32_t *offset);

/* Gives an area back; `offset` is one that arena_take gave and that was not given back yet. */
void arena_give(struct io_arena *arena, uint32_t offset);

#endif
