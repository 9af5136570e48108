/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies as a server writes them, in each form (doc/proto.md, "Transmission"): a read's data in one piece, a hole, or
 * an end without data. With simple replies there are no holes. `cookie` is the request's, as it was on the wire. Each
 * answers how many bytes it wrote, of at most REPLY_HEAD_MAX.
 */
#ifndef WNBD_BENCH_REPLY_H
#define WNBD_BENCH_REPLY_H

#include "core/base/bytes.h"
#include "core/nbd/terms.h"
#include "core/nbd/wire.h"

#include <stdint.h>
#include <string.h>

#define REPLY_HEAD_MAX (NBD_REPLY_SIZE_MAX + 12u)

/* The only chunk of a reply, and the last. */
static inline uint32_t reply_chunk(uint8_t *bytes, enum nbd_form form, const uint8_t *cookie, uint16_t type,
                                   uint64_t offset, uint32_t length)
{
    store_be16(bytes + 4, NBD_REPLY_FLAG_DONE);
    store_be16(bytes + 6, type);
    memcpy(bytes + 8, cookie, 8);
    if (form == NBD_EXTENDED) {
        store_be32(bytes, NBD_EXTENDED_REPLY_MAGIC);
        store_be64(bytes + 16, offset);
        store_be64(bytes + 24, length);
        return NBD_EXTENDED_REPLY_SIZE;
    }
    store_be32(bytes, NBD_STRUCTURED_REPLY_MAGIC);
    store_be32(bytes + 16, length);
    return NBD_STRUCTURED_REPLY_SIZE;
}

static inline uint32_t reply_simple(uint8_t *bytes, const uint8_t *cookie, uint32_t error)
{
    store_be32(bytes, NBD_SIMPLE_REPLY_MAGIC);
    store_be32(bytes + 4, error);
    memcpy(bytes + 8, cookie, 8);
    return NBD_SIMPLE_REPLY_SIZE;
}

/* What stands before `length` bytes of a read's data. */
static inline uint32_t reply_data_head(uint8_t *bytes, enum nbd_form form, const uint8_t *cookie, uint64_t offset,
                                       uint32_t length)
{
    uint32_t size;

    if (form == NBD_SIMPLE) {
        return reply_simple(bytes, cookie, 0);
    }
    size = reply_chunk(bytes, form, cookie, NBD_REPLY_TYPE_OFFSET_DATA, offset, 8 + length);
    store_be64(bytes + size, offset);
    return size + 8;
}

/* A read's `length` bytes that are zeroes; not with simple replies. */
static inline uint32_t reply_hole(uint8_t *bytes, enum nbd_form form, const uint8_t *cookie, uint64_t offset,
                                  uint32_t length)
{
    uint32_t size = reply_chunk(bytes, form, cookie, NBD_REPLY_TYPE_OFFSET_HOLE, offset, 12);

    store_be64(bytes + size, offset);
    store_be32(bytes + size + 8, length);
    return size + 12;
}

/* An answer without data: of what is not a read, or an error's, which is not 0. */
static inline uint32_t reply_end(uint8_t *bytes, enum nbd_form form, const uint8_t *cookie, uint64_t offset,
                                 uint32_t error)
{
    uint32_t size;

    if (form == NBD_SIMPLE) {
        return reply_simple(bytes, cookie, error);
    }
    if (error == 0) {
        return reply_chunk(bytes, form, cookie, NBD_REPLY_TYPE_NONE, offset, 0);
    }
    size = reply_chunk(bytes, form, cookie, NBD_REPLY_TYPE_ERROR, offset, 6);
    store_be32(bytes + size, error);
    store_be16(bytes + size + 4, 0);
    return size + 6;
}

/* What they write, for who counts bytes; of an end without an error. */
static inline uint32_t reply_end_size(enum nbd_form form)
{
    switch (form) {
    case NBD_SIMPLE:
        break;
    case NBD_STRUCTURED:
        return NBD_STRUCTURED_REPLY_SIZE;
    case NBD_EXTENDED:
        return NBD_EXTENDED_REPLY_SIZE;
    }
    return NBD_SIMPLE_REPLY_SIZE;
}

static inline uint32_t reply_data_head_size(enum nbd_form form)
{
    return reply_end_size(form) + (form == NBD_SIMPLE ? 0 : 8);
}

static inline uint32_t reply_hole_size(enum nbd_form form)
{
    return reply_end_size(form) + 12;
}

#endif
