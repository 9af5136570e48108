/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies in chunks, structured or extended: in one piece, or divided at random. */
#include "tests/host/server_internal.h"

#include "core/base/bytes.h"

#include <string.h>

#define PIECES_MAX  24
#define EXTENTS_MAX 16

/* ---- A chunk ---- */

static bool header(struct connection *connection, const struct request *request, uint16_t flags, uint16_t type,
                   uint64_t length)
{
    enum server_fault fault = is_first_reply(connection) ? connection->options.fault : SERVER_RIGHT;
    bool extended = (connection->form == SERVER_EXTENDED) != (fault == SERVER_OTHER_FORM);
    uint8_t bytes[32];

    store_be32(bytes, (extended ? MAGIC_EXTENDED : MAGIC_STRUCTURED) + (fault == SERVER_WRONG_MAGIC));
    store_be16(bytes + 4, flags);
    store_be16(bytes + 6, type);
    store_be64(bytes + 8, fault == SERVER_UNKNOWN_COOKIE ? request->cookie + (1ull << 32) : request->cookie);
    if (extended) {
        store_be64(bytes + 16, fault == SERVER_WRONG_OFFSET ? request->offset + 512 : request->offset);
        store_be64(bytes + 24, length);
        return wire_transmit(connection, bytes, 32);
    }
    store_be32(bytes + 16, (uint32_t)length);
    return wire_transmit(connection, bytes, 20);
}

static bool end_chunk(struct connection *connection, const struct request *request)
{
    return header(connection, request, CHUNK_DONE, CHUNK_NONE, 0);
}

/* Its text has any length, and none is as good. */
static bool error_chunk(struct connection *connection, const struct request *request, uint32_t error, uint16_t flags)
{
    static const char text[8] = "it hurts";
    bool there = is_bad_there(connection, request, error);
    uint16_t length = (uint16_t)(sizeof(text) - wire_random(connection, sizeof(text) + 1));
    uint8_t bytes[6 + sizeof(text) + 8];
    uint32_t all = 6u + length + (there ? 8 : 0);

    store_be32(bytes, error);
    store_be16(bytes + 4, length);
    memcpy(bytes + 6, text, length);
    if (there) {
        store_be64(bytes + 6 + length, connection->options.bad_at);
    }
    return header(connection, request, flags, there ? CHUNK_ERROR_AT : CHUNK_ERROR, all) &&
           wire_transmit(connection, bytes, all);
}

/* ---- Block status ---- */

/* How many of the extents it takes to get to the end of what was asked for. */
static unsigned needed(const struct extent *extents, unsigned count, uint64_t length)
{
    uint64_t covered = 0;
    unsigned used = 0;

    while (used < count && covered < length) {
        covered += extents[used++].length;
    }
    return used;
}

/* The last one may go beyond the range, unless it is the only one that was asked for; and there may be fewer. */
static unsigned find_extents(struct connection *connection, const struct request *request, struct extent *extents)
{
    bool one = (request->flags & FLAG_REQ_ONE) != 0;
    bool beyond = !one && wire_random(connection, 2) != 0;
    uint64_t end = beyond ? connection->server->size : request->offset + request->length;
    unsigned most = one ? 1 : EXTENTS_MAX - wire_random(connection, EXTENTS_MAX);
    unsigned count = extents_find(connection->server, request->offset, end, extents, most);

    return needed(extents, count, request->length);
}

static uint32_t put_extent(uint8_t *bytes, const struct extent *extent, bool extended)
{
    uint32_t flags = extent->is_hole ? 3 : 0; /* hole, zero */

    if (extended) {
        store_be64(bytes, extent->length);
        store_be64(bytes + 8, flags);
        return 16;
    }
    store_be32(bytes, (uint32_t)extent->length);
    store_be32(bytes + 4, flags);
    return 8;
}

static bool status_chunk(struct connection *connection, const struct request *request, uint16_t flags)
{
    bool extended = connection->form == SERVER_EXTENDED && wire_random(connection, 4) != 1;
    struct extent extents[EXTENTS_MAX];
    unsigned count = find_extents(connection, request, extents);
    uint8_t bytes[8 + EXTENTS_MAX * 16];
    uint32_t length = extended ? 8 : 4;

    store_be32(bytes, SERVER_CONTEXT);
    store_be32(bytes + 4, count);
    for (unsigned i = 0; i < count; i++) {
        length += put_extent(bytes + length, &extents[i], extended);
    }
    return header(connection, request, flags, extended ? CHUNK_STATUS_EXT : CHUNK_STATUS, length) &&
           wire_transmit(connection, bytes, length);
}

/* ---- A read in pieces ---- */

struct piece {
    uint32_t begin;
    uint32_t end;
};

/* A read under way. */
struct reading {
    const struct request *request;
    uint32_t error;
    struct piece pieces[PIECES_MAX];
    unsigned count;  /* of them */
    unsigned chunks; /* with an error, and one that ends the reply */
    unsigned next;   /* chunk */
};

/* Cuts the piece that `at` is in; half of the time at a page, so that there may be a hole. */
static void cut(struct connection *connection, struct reading *reading, uint32_t at)
{
    uint32_t into = (uint32_t)((reading->request->offset + at) % SERVER_PAGE);

    at -= wire_random(connection, 2) != 0 && into <= at ? into : 0;
    for (unsigned i = 0; i < reading->count; i++) {
        struct piece *piece = &reading->pieces[i];

        if (piece->begin < at && at < piece->end) {
            reading->pieces[reading->count++] = (struct piece){.begin = at, .end = piece->end};
            piece->end = at;
            return;
        }
    }
}

static void shuffle(struct connection *connection, struct reading *reading)
{
    for (unsigned i = reading->count; i > 1; i--) {
        unsigned with = wire_random(connection, i);
        struct piece piece = reading->pieces[i - 1];

        reading->pieces[i - 1] = reading->pieces[with];
        reading->pieces[with] = piece;
    }
}

static void begin_reading(struct connection *connection, struct reading *reading, const struct request *request,
                          uint32_t error)
{
    bool whole = (request->flags & FLAG_DF) != 0;
    unsigned cuts = whole ? 0 : wire_random(connection, PIECES_MAX);

    *reading = (struct reading){.request = request, .error = error, .count = 1};
    reading->pieces[0].end = (uint32_t)request->length;
    while (cuts-- != 0) {
        cut(connection, reading, wire_random(connection, (unsigned)request->length));
    }
    if (connection->options.seed != 0) {
        shuffle(connection, reading);
    }
    reading->count = error != 0 ? wire_random(connection, reading->count) : reading->count;
    reading->chunks = reading->count + (error != 0) + wire_random(connection, 2);
}

static bool is_zero(const uint8_t *data, uint32_t length)
{
    return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

static bool piece_chunk(struct connection *connection, const struct reading *reading, uint16_t flags)
{
    const struct piece *piece = &reading->pieces[reading->next];
    uint64_t offset = reading->request->offset + piece->begin;
    uint32_t length = piece->end - piece->begin;
    uint8_t head[12];

    server_read(connection->server, offset, connection->data, length);
    store_be64(head, offset);
    if (is_zero(connection->data, length) && wire_random(connection, 4) != 0) {
        store_be32(head + 8, length);
        return header(connection, reading->request, flags, CHUNK_HOLE, 12) && wire_transmit(connection, head, 12);
    }
    return header(connection, reading->request, flags, CHUNK_DATA, 8 + length) && wire_transmit(connection, head, 8) &&
           reply_payload(connection, reading->request, connection->data, length);
}

/* The next chunk: pieces, then an error if there is one, then, if it was to be so, nothing but the end. */
static bool read_on(struct connection *connection, struct reading *reading)
{
    uint16_t flags = reading->next + 1 == reading->chunks ? CHUNK_DONE : 0;
    bool going;

    if (reading->next < reading->count) {
        going = piece_chunk(connection, reading, flags);
    } else if (reading->next == reading->count && reading->error != 0) {
        going = error_chunk(connection, reading->request, reading->error, flags);
    } else {
        going = end_chunk(connection, reading->request);
    }
    reading->next++;
    return going;
}

/* Chunks of all of them, in any order that keeps each one's own. */
static bool read_all(struct connection *connection, struct reading *readings, unsigned count)
{
    while (count != 0) {
        struct reading *reading = &readings[wire_random(connection, count)];

        if (!read_on(connection, reading)) {
            return false;
        }
        if (reading->next == reading->chunks) {
            *reading = readings[--count];
        }
    }
    return true;
}

bool chunk_reply_reads(struct connection *connection, const struct request *requests, unsigned count)
{
    struct reading readings[TOGETHER_MAX];

    for (unsigned i = 0; i < count; i++) {
        connection->replies++;
        begin_reading(connection, &readings[i], &requests[i], carry_out(connection, &requests[i]));
    }
    return read_all(connection, readings, count);
}

/* ---- A reply ---- */

static bool scripted(struct connection *connection, const struct request *request)
{
    const struct server_options *options = &connection->options;

    memset(connection->data, 0, REQUEST_MAX);
    for (unsigned i = 0; i < options->chunk_count; i++) {
        const struct server_chunk *chunk = &options->chunks[i];

        if (!header(connection, request, chunk->flags, chunk->type, chunk->length) ||
            !wire_transmit(connection, chunk->bytes != NULL ? chunk->bytes : connection->data, chunk->count)) {
            return false;
        }
    }
    return true;
}

static bool read_reply(struct connection *connection, const struct request *request, uint32_t error)
{
    struct reading reading;

    begin_reading(connection, &reading, request, error);
    return read_all(connection, &reading, 1);
}

/* A chunk that says something, and perhaps another one that ends the reply. */
static bool plain_reply(struct connection *connection, const struct request *request, uint32_t error)
{
    bool ends_apart = wire_random(connection, 2) != 0;
    uint16_t flags = ends_apart ? 0 : CHUNK_DONE;
    bool going = error != 0 ? error_chunk(connection, request, error, flags) : status_chunk(connection, request, flags);

    return going && (!ends_apart || end_chunk(connection, request));
}

bool chunk_reply(struct connection *connection, const struct request *request, uint32_t error)
{
    if (connection->options.chunks != NULL && is_first_reply(connection)) {
        return scripted(connection, request);
    }
    if (request->type == SERVER_READ) {
        return read_reply(connection, request, error);
    }
    if (error != 0 || request->type == SERVER_BLOCK_STATUS) {
        return plain_reply(connection, request, error);
    }
    return end_chunk(connection, request);
}
