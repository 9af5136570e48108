/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams of replies as a server sends them to the client of reply_client.h, right or wrong: each put_ appends one
 * message. A stream knows what the memory of the reads is to be afterwards.
 */
#ifndef WNBD_TESTS_UNIT_REPLY_STREAM_H
#define WNBD_TESTS_UNIT_REPLY_STREAM_H

#include "tests/unit/guard.h"
#include "tests/unit/reply_client.h"

#define LAST NBD_REPLY_FLAG_DONE /* a chunk's flags */
#define MORE 0

struct stream {
    enum nbd_form form;
    size_t length;
    uint8_t bytes[CLIENT_STREAM_MAX];
    uint8_t wanted[256][CLIENT_READ_MAX]; /* by cookie */
};

static inline void stream_init(struct stream *stream, enum nbd_form form)
{
    memset(stream, 0, sizeof *stream);
    stream->form = form;
}

/* ---- Parts of messages ---- */

static inline void put_bytes(struct stream *stream, uint8_t byte, uint32_t count)
{
    assert_true(stream->length + count <= CLIENT_STREAM_MAX);
    memset(stream->bytes + stream->length, byte, count);
    stream->length += count;
}

static inline uint8_t *put_room(struct stream *stream, uint32_t count)
{
    put_bytes(stream, 0, count);
    return stream->bytes + stream->length - count;
}

static inline void put_be16(struct stream *stream, uint16_t value)
{
    store_be16(put_room(stream, 2), value);
}

static inline void put_be32(struct stream *stream, uint32_t value)
{
    store_be32(put_room(stream, 4), value);
}

static inline void put_be64(struct stream *stream, uint64_t value)
{
    store_be64(put_room(stream, 8), value);
}

/* Bytes [begin, end) of what the read with this cookie is to be answered with. */
static inline void put_content(struct stream *stream, uint64_t cookie, uint32_t begin, uint32_t end)
{
    uint8_t *wanted = stream->wanted[cookie];

    for (uint32_t i = begin; i < end; i++) {
        wanted[i] = (uint8_t)(cookie * 31 + i * 7 + 1);
    }
    memcpy(put_room(stream, end - begin), wanted + begin, end - begin);
}

/* ---- Simple replies ---- */

static inline void put_header(struct stream *stream, uint32_t magic, uint32_t error, uint64_t cookie)
{
    put_be32(stream, magic);
    put_be32(stream, error);
    put_be64(stream, cookie);
}

/* A whole reply as a server sends it: with data if it is to a read and without error. */
static inline void put_reply(struct stream *stream, uint32_t error, uint64_t cookie)
{
    put_header(stream, NBD_SIMPLE_REPLY_MAGIC, error, cookie);
    if (cookie % 2 == 1 && error == 0) {
        put_content(stream, cookie, 0, client_length(cookie));
    }
}

/* ---- Chunks ---- */

static inline void put_structured_head(struct stream *stream, uint16_t flags, uint16_t type, uint64_t cookie,
                                       uint32_t length)
{
    put_be32(stream, NBD_STRUCTURED_REPLY_MAGIC);
    put_be16(stream, flags);
    put_be16(stream, type);
    put_be64(stream, cookie);
    put_be32(stream, length);
}

static inline void put_extended_head(struct stream *stream, uint16_t flags, uint16_t type, uint64_t cookie,
                                     uint64_t length)
{
    put_be32(stream, NBD_EXTENDED_REPLY_MAGIC);
    put_be16(stream, flags);
    put_be16(stream, type);
    put_be64(stream, cookie);
    put_be64(stream, client_offset(cookie));
    put_be64(stream, length);
}

static inline void put_head(struct stream *stream, uint16_t flags, uint16_t type, uint64_t cookie, uint32_t length)
{
    if (stream->form == NBD_EXTENDED) {
        put_extended_head(stream, flags, type, cookie, length);
    } else {
        put_structured_head(stream, flags, type, cookie, length);
    }
}

static inline void put_none(struct stream *stream, uint64_t cookie)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_NONE, cookie, 0);
}

static inline void put_data(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t begin, uint32_t end)
{
    put_head(stream, flags, NBD_REPLY_TYPE_OFFSET_DATA, cookie, 8 + end - begin);
    put_be64(stream, client_offset(cookie) + begin);
    put_content(stream, cookie, begin, end);
}

/* A chunk of data of any offset in the export. */
static inline void put_data_at(struct stream *stream, uint64_t cookie, uint64_t offset, uint32_t length)
{
    put_head(stream, MORE, NBD_REPLY_TYPE_OFFSET_DATA, cookie, 8 + length);
    put_be64(stream, offset);
    put_bytes(stream, 0x5A, length);
}

static inline void put_hole_at(struct stream *stream, uint16_t flags, uint64_t cookie, uint64_t offset, uint32_t length)
{
    put_head(stream, flags, NBD_REPLY_TYPE_OFFSET_HOLE, cookie, 12);
    put_be64(stream, offset);
    put_be32(stream, length);
}

static inline void put_hole(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t begin, uint32_t end)
{
    put_hole_at(stream, flags, cookie, client_offset(cookie) + begin, end - begin);
    memset(stream->wanted[cookie] + begin, 0, end - begin);
}

/* A read in one chunk. */
static inline void put_read(struct stream *stream, uint64_t cookie)
{
    put_data(stream, LAST, cookie, 0, client_length(cookie));
}

/* An error chunk of any type: `text` bytes of text, `behind` more bytes that only `length` accounts for. */
static inline void put_error_head(struct stream *stream, uint16_t flags, uint16_t type, uint64_t cookie, uint32_t error,
                                  uint16_t text, uint32_t behind)
{
    put_head(stream, flags, type, cookie, 6u + text + behind);
    put_be32(stream, error);
    put_be16(stream, text);
    put_bytes(stream, 't', text);
}

static inline void put_error(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t error, uint16_t text)
{
    put_error_head(stream, flags, NBD_REPLY_TYPE_ERROR, cookie, error, text, 0);
}

/* `where` counts from the start of the request. */
static inline void put_error_offset(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t error,
                                    uint16_t text, uint64_t where)
{
    put_error_head(stream, flags, NBD_REPLY_TYPE_ERROR_OFFSET, cookie, error, text, 8);
    put_be64(stream, client_offset(cookie) + where);
}

/* A block status of `count` extents, which put_extent appends. */
static inline void put_status(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t count)
{
    put_head(stream, flags, NBD_REPLY_TYPE_BLOCK_STATUS, cookie, 4 + 8 * count);
    put_be32(stream, CLIENT_CONTEXT);
}

static inline void put_extent(struct stream *stream, uint32_t length, uint32_t flags)
{
    put_be32(stream, length);
    put_be32(stream, flags);
}

static inline void put_status_ext(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t count)
{
    put_head(stream, flags, NBD_REPLY_TYPE_BLOCK_STATUS_EXT, cookie, 8 + 16 * count);
    put_be32(stream, CLIENT_CONTEXT);
    put_be32(stream, count);
}

static inline void put_extent_ext(struct stream *stream, uint64_t length, uint64_t flags)
{
    put_be64(stream, length);
    put_be64(stream, flags);
}

#endif
