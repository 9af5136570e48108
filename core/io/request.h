/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request: one piece of work for whatever stores the bytes of a disk, in bytes and not in SCSI's words.
 *
 * core/scsi/storage.h makes requests from commands. A backend (the NBD client, a user-space disk) carries them out.
 */
#ifndef WNBD_CORE_IO_REQUEST_H
#define WNBD_CORE_IO_REQUEST_H

#include <stdint.h>

enum io_operation {
    IO_READ,
    IO_WRITE,
    IO_FLUSH,        /* everything written before is on stable storage afterwards; offset and length are 0 */
    IO_TRIM,         /* the contents of the range are not needed any more */
    IO_WRITE_ZEROES, /* the range reads as zeroes afterwards */
    IO_CACHE,        /* the range will be read soon: a hint */
    IO_BLOCK_STATUS, /* what of the range is allocated: answered with extents from its beginning on */
};

enum io_flag {
    IO_FUA = 1u << 0,           /* IO_WRITE, IO_TRIM, IO_WRITE_ZEROES: done only when this range is on stable storage */
    IO_NO_HOLE = 1u << 1,       /* IO_WRITE_ZEROES: the range stays allocated */
    IO_FAST_ZERO = 1u << 2,     /* IO_WRITE_ZEROES: it is to fail if it is no faster than writing */
    IO_DONT_FRAGMENT = 1u << 3, /* IO_READ: data or a hole in one piece, not several */
    IO_ONE_EXTENT = 1u << 4,    /* IO_BLOCK_STATUS: only the first extent */
};

struct io_request {
    enum io_operation operation;
    uint32_t flags;  /* enum io_flag */
    uint64_t offset; /* bytes from the start of the disk */
    uint32_t length; /* bytes; 0 for IO_FLUSH only */
    uint64_t cookie; /* the request's name while it is in a queue (core/io/queue.h), 0 otherwise */
};

#endif
