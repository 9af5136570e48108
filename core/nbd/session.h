/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transmission phase (doc/proto.md, "Transmission"), sans I/O: requests become bytes, bytes become replies.
 *
 * Sending: nbd_encode_request writes a header; the payload of a write follows it on the wire. The caller asks only for
 * what the export has: IO_FUA, IO_FLUSH and IO_TRIM where its flags say so, no range beyond its size, no read or write
 * longer than nbd_geometry.maximum_length (core/nbd/export.h).
 *
 * Receiving: the caller receives into a buffer of its own and feeds it to a reader, which stops at each event:
 *
 *     while (length != 0) {
 *         switch (nbd_reader_step(&reader, &bytes, &length, &chunk)) {
 *         case NBD_READER_MORE:  all bytes are used up: receive more; break;
 *         case NBD_READER_REPLY: look reader.cookie up. Unknown: drop the connection. A read without error: tell
 *                                nbd_reader_expect its length and go on. Anything else has ended now; break;
 *         case NBD_READER_DATA:  copy chunk.length bytes from chunk.bytes to chunk.offset of the read's memory.
 *                                reader.payload_left == 0: the read has ended; break;
 *         case NBD_READER_BAD:   drop the connection; reader.broken says why; break;
 *         }
 *     }
 *
 * Between two steps, while reader.payload_left != 0 and no bytes are left over, the caller may receive the rest of the
 * payload straight into the read's memory and say so with nbd_reader_received: no copy.
 *
 * Nothing of a request is known here, and nothing is carried over from the handshake: with the handshake skipped
 * (--skip-handshake, the two sides having agreed before) a session begins with a new reader on a new connection.
 */
#ifndef WNBD_CORE_NBD_SESSION_H
#define WNBD_CORE_NBD_SESSION_H

#include "core/base/compiler.h"
#include "core/io/request.h"
#include "core/nbd/wire.h"

#include <stddef.h>
#include <stdint.h>

/* Writes the header of `request` to `bytes`, NBD_REQUEST_SIZE bytes. The request's cookie goes on the wire. */
void nbd_encode_request(uint8_t *bytes, const struct io_request *request);

/* Writes the header of NBD_CMD_DISC, NBD_REQUEST_SIZE bytes. The server does not answer; it closes. Nothing may be sent
 * after it. */
void nbd_encode_disconnect(uint8_t *bytes);

enum nbd_reader_step {
    NBD_READER_MORE,
    NBD_READER_REPLY,
    NBD_READER_DATA,
    NBD_READER_BAD,
};

struct nbd_chunk {
    const uint8_t *bytes; /* borrows what was fed */
    uint32_t length;
    uint32_t offset; /* from the start of the read's data */
};

/* The caller's memory; fields are read only for it. */
struct nbd_reader {
    uint64_t cookie;       /* the reply in hand */
    uint32_t error;        /* its error, 0 for success (NBD_E*, core/nbd/wire.h) */
    uint32_t payload_left; /* bytes of its payload still to come */
    uint32_t payload_offset;
    uint32_t header_have; /* bytes of a header that was cut in two */
    uint8_t header[NBD_SIMPLE_REPLY_SIZE];
    const char *broken; /* after NBD_READER_BAD: what the server did, a static clause; NULL before */
};

void nbd_reader_init(struct nbd_reader *reader);

/* Uses up some of the `*length` bytes at `*bytes`, moving both, and answers what came of it; `*chunk` is written with
 * NBD_READER_DATA only. After NBD_READER_BAD it answers nothing else. */
MUST_CHECK enum nbd_reader_step nbd_reader_step(struct nbd_reader *reader, const uint8_t **bytes, size_t *length,
                                                struct nbd_chunk *chunk);

/* After NBD_READER_REPLY of a read that succeeded, before the next step: `length` bytes of payload follow. */
static inline void nbd_reader_expect(struct nbd_reader *reader, uint32_t length)
{
    reader->payload_left = length;
    reader->payload_offset = 0;
}

/* `length` bytes of payload (at most payload_left) were received straight into the read's memory. */
static inline void nbd_reader_received(struct nbd_reader *reader, uint32_t length)
{
    reader->payload_left -= length;
    reader->payload_offset += length;
}

#endif
