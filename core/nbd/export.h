/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An export as the server describes it, and the disk it can be.
 *
 * With the handshake skipped (the two sides have agreed before) nobody describes it: nbd_export_assumed does, from what
 * the caller said.
 */
#ifndef WNBD_CORE_NBD_EXPORT_H
#define WNBD_CORE_NBD_EXPORT_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* "Block size constraints": what holds for a server that did not advertise any. */
#define NBD_DEFAULT_MINIMUM_BLOCK   1u
#define NBD_DEFAULT_PREFERRED_BLOCK 4096u
#define NBD_DEFAULT_MAXIMUM_PAYLOAD 0x2000000u

#define NBD_UNLIMITED_PAYLOAD 0xFFFFFFFFu /* a server's maximum that is none */

struct nbd_export {
    uint64_t size;            /* bytes */
    uint16_t flags;           /* NBD_FLAG_*, core/nbd/wire.h */
    uint32_t minimum_block;   /* bytes */
    uint32_t preferred_block; /* bytes */
    uint32_t maximum_payload; /* bytes of one read or write */
    bool block_status;        /* IO_BLOCK_STATUS may be sent: the terms of the connection say so */
};

enum nbd_geometry_problem {
    NBD_GEOMETRY_OK,
    NBD_GEOMETRY_TOO_SMALL,           /* less than one block */
    NBD_GEOMETRY_TOO_LARGE,           /* above 2^63 - 1 bytes */
    NBD_GEOMETRY_BLOCK_SIZE_REQUIRED, /* the server's minimum is above 512, up to 4096, and 4096 was not asked for */
    NBD_GEOMETRY_MINIMUM_TOO_LARGE,   /* the server's minimum is above 4096 */
    NBD_GEOMETRY_BLOCK_SIZE_INVALID,  /* what was asked for is neither 512 nor 4096 */
    NBD_GEOMETRY_BLOCK_SIZES_BROKEN,  /* the server's block sizes are not those of the protocol (not powers of two ...)
                                       */
    NBD_GEOMETRY_FLAGS_BROKEN,        /* NBD_FLAG_HAS_FLAGS is missing */
    NBD_GEOMETRY_MAXIMUM_TOO_SMALL,   /* the server's longest read or write is below one block */
};

struct nbd_geometry {
    uint64_t block_count; /* 1 or more; a remainder smaller than a block is left out */
    uint32_t block_size;
    uint32_t maximum_length; /* bytes of one read or write, a multiple of block_size */
};

/*
 * The disk that `server` gives with blocks of `block_size` (512 or 4096). There is no read-modify-write: blocks are
 * never smaller than the server's minimum (docs/architecture.md). With a problem `*geometry` is not written; the
 * handshake is over by then, so the polite end is nbd_encode_disconnect.
 */
MUST_CHECK enum nbd_geometry_problem nbd_export_geometry(const struct nbd_export *server, uint32_t block_size,
                                                         struct nbd_geometry *geometry);

/* What a server says of an export that was in use before. */
enum nbd_export_change {
    NBD_EXPORT_SAME,
    NBD_EXPORT_GROWN,         /* more bytes, all else as it was */
    NBD_EXPORT_SHRUNK,        /* fewer bytes */
    NBD_EXPORT_FLAGS_DIFFER,  /* read-only, flush, FUA or trim are not as they were, or another ability is gone */
    NBD_EXPORT_BLOCKS_DIFFER, /* blocks or the longest payload are not what requests were made for */
};

/* Whether requests made for `was` can go to `is`: they can when it is the same or has grown. */
MUST_CHECK enum nbd_export_change nbd_export_compare(const struct nbd_export *was, const struct nbd_export *is);

/* One clause in words, e.g. "the export is smaller than it was"; never NULL. */
const char *nbd_export_change_text(enum nbd_export_change change);

/* One clause in words, e.g. "the export is smaller than one block"; never NULL. */
const char *nbd_geometry_problem_text(enum nbd_geometry_problem problem);

/* An export of `size` bytes that no handshake described: `flags` are NBD_FLAG_*, NBD_FLAG_HAS_FLAGS added, the block
 * sizes those of a server that does not advertise any. */
struct nbd_export nbd_export_assumed(uint64_t size, uint16_t flags);

#endif
