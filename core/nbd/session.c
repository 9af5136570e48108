/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/session.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"

#include <stdbool.h>

static void encode(uint8_t *bytes, uint16_t flags, uint16_t command, uint64_t cookie, uint64_t offset, uint32_t length)
{
    store_be32(bytes, NBD_REQUEST_MAGIC);
    store_be16(bytes + 4, flags);
    store_be16(bytes + 6, command);
    store_be64(bytes + 8, cookie);
    store_be64(bytes + 16, offset);
    store_be32(bytes + 24, length);
}

static uint16_t command_of(enum io_operation operation)
{
    switch (operation) {
    case IO_READ:
        break;
    case IO_WRITE:
        return NBD_CMD_WRITE;
    case IO_FLUSH:
        return NBD_CMD_FLUSH;
    case IO_TRIM:
        return NBD_CMD_TRIM;
    case IO_WRITE_ZEROES:
        return NBD_CMD_WRITE_ZEROES;
    case IO_CACHE:
        return NBD_CMD_CACHE;
    case IO_BLOCK_STATUS:
        return NBD_CMD_BLOCK_STATUS;
    }
    return NBD_CMD_READ;
}

static uint16_t flags_of(const struct io_request *request)
{
    bool writes = request->operation == IO_WRITE || request->operation == IO_TRIM;

    return writes && request->flags & IO_FUA ? NBD_CMD_FLAG_FUA : 0;
}

void nbd_encode_request(uint8_t *bytes, const struct io_request *request)
{
    /* "Request types": the offset and length of a flush are reserved and zero. */
    bool flush = request->operation == IO_FLUSH;

    encode(bytes, flags_of(request), command_of(request->operation), request->cookie, flush ? 0 : request->offset,
           flush ? 0 : request->length);
}

void nbd_encode_disconnect(uint8_t *bytes)
{
    encode(bytes, 0, NBD_CMD_DISC, 0, 0, 0);
}

void nbd_reader_init(struct nbd_reader *reader)
{
    memset(reader, 0, sizeof *reader);
}

static enum nbd_reader_step fail(struct nbd_reader *reader, const char *broken)
{
    reader->broken = broken;
    return NBD_READER_BAD;
}

static RARE enum nbd_reader_step fail_magic(struct nbd_reader *reader, uint32_t magic)
{
    return fail(reader, magic == NBD_STRUCTURED_REPLY_MAGIC ? "it sent a structured reply, which was not negotiated"
                                                            : "it sent a reply with a wrong magic number");
}

static enum nbd_reader_step parse_header(struct nbd_reader *reader, const uint8_t *header)
{
    uint32_t magic = load_be32(header);

    if (magic != NBD_SIMPLE_REPLY_MAGIC) {
        return fail_magic(reader, magic);
    }
    reader->error = load_be32(header + 4);
    reader->cookie = load_be64(header + 8);
    return NBD_READER_REPLY;
}

static uint32_t smaller(uint32_t limit, size_t length)
{
    return length < limit ? (uint32_t)length : limit;
}

static void use_up(const uint8_t **bytes, size_t *length, size_t count)
{
    *bytes += count;
    *length -= count;
}

static enum nbd_reader_step step_payload(struct nbd_reader *reader, const uint8_t **bytes, size_t *length,
                                         struct nbd_chunk *chunk)
{
    uint32_t count = smaller(reader->payload_left, *length);

    chunk->bytes = *bytes;
    chunk->length = count;
    chunk->offset = reader->payload_offset;
    nbd_reader_received(reader, count);
    use_up(bytes, length, count);
    return NBD_READER_DATA;
}

/* A header that came in more than one piece is put together in the reader. */
static RARE enum nbd_reader_step step_cut_header(struct nbd_reader *reader, const uint8_t **bytes, size_t *length)
{
    uint32_t count = smaller(NBD_SIMPLE_REPLY_SIZE - reader->header_have, *length);

    memcpy(reader->header + reader->header_have, *bytes, count);
    reader->header_have += count;
    use_up(bytes, length, count);
    if (reader->header_have < NBD_SIMPLE_REPLY_SIZE) {
        return NBD_READER_MORE;
    }
    reader->header_have = 0;
    return parse_header(reader, reader->header);
}

enum nbd_reader_step nbd_reader_step(struct nbd_reader *reader, const uint8_t **bytes, size_t *length,
                                     struct nbd_chunk *chunk)
{
    const uint8_t *header = *bytes;

    if (reader->broken != NULL) {
        return NBD_READER_BAD;
    }
    if (*length == 0) {
        return NBD_READER_MORE;
    }
    if (reader->payload_left != 0) {
        return step_payload(reader, bytes, length, chunk);
    }
    if (reader->header_have != 0 || *length < NBD_SIMPLE_REPLY_SIZE) {
        return step_cut_header(reader, bytes, length);
    }
    use_up(bytes, length, NBD_SIMPLE_REPLY_SIZE);
    return parse_header(reader, header);
}
