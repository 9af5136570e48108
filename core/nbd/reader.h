/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes become replies (doc/proto.md, "Transmission"), sans I/O, in the form that the terms of the connection say. A
 * simple reply is one message; a structured or extended one comes in chunks, which those of other replies may part.
 *
 * The caller receives into a buffer of its own and feeds it to a reader, which stops at each event:
 *
 *     while ((step = nbd_reader_step(&reader, &bytes, &length, &part)) != NBD_READER_MORE) {
 *         switch (step) {
 *         case NBD_READER_REPLY:  look reader.cookie up. Unknown: drop the connection. Else nbd_reader_expect; break;
 *         case NBD_READER_DATA:   copy part.length bytes from part.bytes to part.offset of the read's memory; break;
 *         case NBD_READER_HOLE:   fill part.length bytes with zeroes at part.offset of the read's memory; break;
 *         case NBD_READER_EXTENT: note part.extent_length and part.extent_flags, of an IO_BLOCK_STATUS; break;
 *         case NBD_READER_DONE:   the request has ended; its progress says how; break;
 *         case NBD_READER_BAD:    drop the connection; reader.broken says why; return;
 *         }
 *     }
 *
 * Each chunk of a reply is an NBD_READER_REPLY. Data, holes, extents and the end are those of the last one. Whatever
 * the server sends, offsets and lengths lie within the request, no byte of a read is left out when it ends without
 * error, and extents begin within the request (the last may end behind it).
 *
 * Between two steps, while nbd_reader_payload is not 0 and no bytes are left over, the caller may receive the rest of
 * the payload straight into the read's memory, from reader.payload_offset on, and say so with nbd_reader_received: no
 * copy. A step without bytes tells then whether the request has ended.
 *
 * Nothing is carried over from the handshake but the terms: with the handshake skipped (--skip-handshake, the two sides
 * having agreed before) a session begins with a new reader on a new connection, all of the terms 0.
 */
#ifndef WNBD_CORE_NBD_READER_H
#define WNBD_CORE_NBD_READER_H

#include "core/base/compiler.h"
#include "core/io/request.h"
#include "core/nbd/progress.h"
#include "core/nbd/terms.h"
#include "core/nbd/wire.h"

#include <stddef.h>
#include <stdint.h>

enum nbd_reader_step {
    NBD_READER_MORE, /* all bytes are used up: receive more */
    NBD_READER_REPLY,
    NBD_READER_DATA,
    NBD_READER_HOLE,
    NBD_READER_EXTENT,
    NBD_READER_DONE,
    NBD_READER_BAD,
};

/* What the step is about. */
struct nbd_part {
    const uint8_t *bytes;   /* NBD_READER_DATA: borrows what was fed */
    uint32_t offset;        /* DATA, HOLE: from the start of the read's data */
    uint32_t length;        /* DATA, HOLE: 1 or more */
    uint64_t extent_length; /* EXTENT: bytes, 1 or more; extents follow each other from the start of the request */
    uint64_t extent_flags;  /* EXTENT: NBD_STATE_* */
};

enum nbd_reader_state {
    NBD_AT_HEADER,
    NBD_AT_REPLY,      /* nbd_reader_expect is awaited */
    NBD_AT_CHUNK_HEAD, /* what stands before the content: offsets, ids, lengths */
    NBD_AT_CONTENT,    /* a piece of a read, whose bounds are known */
    NBD_AT_PAYLOAD,    /* its data */
    NBD_AT_EXTENTS,
    NBD_AT_ERROR_TEXT, /* what the server says of an error: passed over */
    NBD_AT_ERROR_OFFSET,
    NBD_AT_REST, /* what else an error chunk has: passed over */
    NBD_AT_CHUNK_END,
    NBD_AT_END,     /* of the reply */
    NBD_AT_NOTHING, /* the server broke the protocol */
};

/* The caller's memory; fields are read only for it. */
struct nbd_reader {
    uint64_t cookie;         /* the reply in hand */
    uint32_t payload_left;   /* bytes of data still to come before anything else */
    uint32_t payload_offset; /* where in the read's data they belong */
    const char *broken;      /* after NBD_READER_BAD: what the server did, a static clause; NULL before */

    /* the reader's own */
    struct nbd_terms terms;
    enum nbd_reader_state state;
    const struct io_request *request; /* borrows both until the next header */
    struct nbd_progress *progress;
    bool simple;           /* the reply in hand is a simple one */
    bool last;             /* the chunk in hand is its reply's last */
    uint16_t type;         /* of the chunk in hand */
    uint32_t error;        /* of the simple reply in hand */
    uint32_t chunk_left;   /* bytes of the chunk that nothing has been decided about */
    uint32_t text_left;    /* bytes of an error's text */
    uint64_t chunk_offset; /* what an extended header repeats of the request */
    uint32_t have;         /* bytes of something that was cut in two */
    uint8_t held[NBD_REPLY_SIZE_MAX];
};

void nbd_reader_init(struct nbd_reader *reader, const struct nbd_terms *terms);

/* Uses up some of the `*length` bytes at `*bytes`, moving both, and answers what came of it; `*part` is written with
 * NBD_READER_DATA, HOLE and EXTENT. After NBD_READER_BAD it answers nothing else. */
MUST_CHECK enum nbd_reader_step nbd_reader_step(struct nbd_reader *reader, const uint8_t **bytes, size_t *length,
                                                struct nbd_part *part);

/* After NBD_READER_REPLY, before the next step: whose reply it is. `progress` was begun when the request was sent.
 * Keeps both until the next NBD_READER_REPLY. */
void nbd_reader_expect(struct nbd_reader *reader, const struct io_request *request, struct nbd_progress *progress);

/* What stands before a read's data when it is sent in one piece: no more need be received to learn where it belongs. */
static inline uint32_t nbd_data_head_size(enum nbd_form form)
{
    switch (form) {
    case NBD_SIMPLE:
        break;
    case NBD_STRUCTURED:
        return NBD_STRUCTURED_REPLY_SIZE + 8;
    case NBD_EXTENDED:
        return NBD_EXTENDED_REPLY_SIZE + 8;
    }
    return NBD_SIMPLE_REPLY_SIZE;
}

/* How many bytes may be received straight into the read's memory now. */
static inline uint32_t nbd_reader_payload(const struct nbd_reader *reader)
{
    return reader->state == NBD_AT_PAYLOAD ? reader->payload_left : 0;
}

/* `length` of them (at most nbd_reader_payload) were. */
static inline void nbd_reader_received(struct nbd_reader *reader, uint32_t length)
{
    reader->payload_left -= length;
    reader->payload_offset += length;
}

#endif
