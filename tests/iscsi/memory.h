/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A backend of plain memory: it carries out every request that core/io/request.h knows, and cannot fail. */
#ifndef WNBD_TESTS_ISCSI_MEMORY_H
#define WNBD_TESTS_ISCSI_MEMORY_H

#include "core/io/request.h"
#include "core/scsi/storage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
    uint8_t *bytes;
    bool *allocated; /* by block: what was written and not trimmed since */
    uint64_t size;   /* bytes */
    uint32_t block_size;
};

/* Nothing is allocated and all of it reads as zeroes. There is no way to give it back: a process has one. False: there
 * is not enough memory. `size` is a multiple of `block_size`. */
bool memory_init(struct memory *memory, uint64_t size, uint32_t block_size);

/*
 * Carries out storage->request. `data` is the request's: read to by IO_READ, written from by IO_WRITE. What an
 * IO_BLOCK_STATUS answers goes to storage_extent. A range is the disk's and whole blocks: the core has checked it, and
 * this does again with assert.
 */
void memory_carry_out(struct memory *memory, struct storage_command *storage, uint8_t *data);

#endif
