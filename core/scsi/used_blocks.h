/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many blocks of a disk are in use, of extents as they come in from its beginning on, in as many answers as it
 * takes.
 *
 * An extent is in bytes and may end within a block. A block is in use when any of it is. Of a block that the last
 * extent of an answer ends in, the next answer says more: who asks for it asks from that block on.
 */
#ifndef WNBD_CORE_SCSI_USED_BLOCKS_H
#define WNBD_CORE_SCSI_USED_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct used_blocks {
    /* fixed after init */
    uint64_t end;        /* bytes: the disk's */
    uint32_t block_size; /* bytes */

    uint64_t position; /* bytes from the start of the disk: where the next extent begins */
    uint64_t lba;      /* behind the last block that has been counted */
    uint64_t count;    /* blocks */
};

void used_blocks_init(struct used_blocks *used, uint64_t block_count, uint32_t block_size);

/* Forgets the extents. */
void used_blocks_restart(struct used_blocks *used);

/* The next extent: `length` bytes, any number of them. What lies beyond the end of the disk is ignored. */
void used_blocks_add(struct used_blocks *used, uint64_t length, bool is_allocated);

/* An answer is over: where the next one is to begin, in bytes from the start of the disk. It is the disk's end when all
 * blocks have been looked at. */
uint64_t used_blocks_next(struct used_blocks *used);

/* Whether all blocks have been looked at: only then `count` says something. */
static inline bool used_blocks_is_whole(const struct used_blocks *used)
{
    return used->position == used->end;
}

#endif
