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
    IO_FLUSH, /* everything written before is on stable storage afterwards; offset and length are 0 */
    IO_TRIM,  /* the contents of the range are not needed any more */
};

enum io_flag {
    IO_FUA = 1u << 0, /* IO_WRITE, IO_TRIM: done only when this range is on stable storage */
};

struct io_request {
    enum io_operation operation;
    uint32_t flags;  /* enum io_flag */
    uint64_t offset; /* bytes from the start of the disk */
    uint32_t length; /* bytes; 0 for IO_FLUSH only */
    uint64_t cookie; /* the request's name while it is in a queue (core/io/queue.h), 0 otherwise */
};

#endif
