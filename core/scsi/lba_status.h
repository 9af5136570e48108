/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parameter data of GET LBA STATUS (SBC-3, "GET LBA STATUS parameter data"), made of extents as they come in: which
 * blocks of a disk are mapped, from one block on.
 *
 * An extent is in bytes and may end within a block. A block is deallocated when all of it is; of a block that the last
 * extent ends in nothing is said, and the initiator asks again from there.
 */
#ifndef WNBD_CORE_SCSI_LBA_STATUS_H
#define WNBD_CORE_SCSI_LBA_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct lba_status {
    /* fixed after init */
    uint8_t *answer;          /* keeps until the command has ended; written, never read */
    uint32_t capacity;        /* bytes of it that may be written */
    uint32_t block_size;      /* bytes */
    uint32_t descriptors_max; /* 1 or more */
    uint64_t first;           /* the block that the answer begins with */
    uint64_t end;             /* bytes: the disk's */

    uint64_t position;      /* bytes from the start of the disk: where the next extent begins */
    bool is_part_allocated; /* any of the block that `position` lies within, up to there */

    uint32_t descriptors; /* written */
    uint64_t lba;         /* those of the descriptor in hand, which is not written yet */
    uint32_t blocks;      /* 0: there is none */
    bool is_allocated;
};

/*
 * Begins an answer for the blocks from `lba` on, a block of the disk. As many descriptors as `capacity` bytes at
 * `answer` hold whole are collected, but one at least; what does not fit is not written. `answer` may be NULL when it
 * is 0.
 */
void lba_status_init(struct lba_status *status, uint8_t *answer, uint32_t capacity, uint64_t lba, uint64_t block_count,
                     uint32_t block_size);

/* Forgets the extents. */
void lba_status_restart(struct lba_status *status);

/* The next extent: `length` bytes, any number of them. What lies beyond the end of the disk is ignored. */
void lba_status_add(struct lba_status *status, uint64_t length, bool is_allocated);

/*
 * Completes the answer and says how many bytes of it have been written. Without one whole block in the extents there is
 * a descriptor that says of the first block alone that it is mapped, which also means that nothing is known of it.
 */
uint32_t lba_status_finish(const struct lba_status *status);

#endif
