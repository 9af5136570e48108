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
    IO_RESERVE_IN,   /* what is reserved, and by whom: `reservation`; `length` is the room for the answer */
    IO_RESERVE_OUT,  /* a change of that: `reservation`; `length` is that of the parameter list */
};

enum io_flag {
    IO_FUA = 1u << 0,           /* IO_WRITE, IO_TRIM, IO_WRITE_ZEROES: done only when this range is on stable storage.
                                 * IO_READ: from stable storage, not from a cache; NBD has no such thing */
    IO_NO_HOLE = 1u << 1,       /* IO_WRITE_ZEROES: the range stays allocated */
    IO_FAST_ZERO = 1u << 2,     /* IO_WRITE_ZEROES: it is to fail if it is no faster than writing */
    IO_DONT_FRAGMENT = 1u << 3, /* IO_READ: data or a hole in one piece, not several */
    IO_ONE_EXTENT = 1u << 4,    /* IO_BLOCK_STATUS: only the first extent */
};

/* A PERSISTENT RESERVE IN or OUT, whose data is as SPC-4 has it (core/scsi/storage.h: storage_reservation_data). */
struct io_reservation {
    uint8_t service_action;
    uint8_t scope_and_type; /* OUT: SCOPE (high 4 bits) and TYPE, also where they mean nothing; IN: 0 */
    uint16_t cdb_length;    /* the CDB's own allocation or parameter list length; what is moved is the request's */
};

struct io_request {
    enum io_operation operation;
    union {
        uint32_t flags;                    /* enum io_flag */
        struct io_reservation reservation; /* IO_RESERVE_IN, IO_RESERVE_OUT */
    };
    uint64_t offset; /* bytes from the start of the disk; 0 for IO_FLUSH and reservations */
    uint32_t length; /* bytes; 0 for IO_FLUSH only */
    uint64_t cookie; /* the request's name while it is in a queue (core/io/queue.h), 0 otherwise */
};

#endif
