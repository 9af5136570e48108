/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client with made-up requests, for the reader of replies: whatever pieces a stream comes in, its log must be the
 * same.
 *
 * Cookies 1 .. 255 are in flight, each once. The odd ones are reads of client_length bytes at client_offset (5, 13, 21
 * ... in one piece), those that 8 divides ask for the block status of that range (those that 16 divides for one
 * extent), the other even ones are writes.
 */
#ifndef WNBD_TESTS_UNIT_REPLY_CLIENT_H
#define WNBD_TESTS_UNIT_REPLY_CLIENT_H

#include "core/base/bytes.h"
#include "core/nbd/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CLIENT_READ_MAX   700
#define CLIENT_LOG_SIZE   (256 * (32 + CLIENT_READ_MAX) + 8 * CLIENT_STREAM_MAX)
#define CLIENT_STREAM_MAX 16384
#define CLIENT_CONTEXT    0x0A0B0C0D

struct client_request {
    struct io_request request;
    struct nbd_progress progress;
    bool ended;
    uint64_t described; /* bytes that the extents so far are about */
    uint8_t data[CLIENT_READ_MAX];
    uint8_t written[CLIENT_READ_MAX]; /* 1 for each byte that the reader had written */
};

struct reply_client {
    struct nbd_reader reader;
    bool dropped;
    size_t log_length;
    struct client_request requests[256]; /* by cookie */
    /* for each extent: cookie, length, flags; for each request that ended: cookie, error, length, error offset, data */
    uint8_t log[CLIENT_LOG_SIZE];
};

static inline uint32_t client_length(uint64_t cookie)
{
    return (uint32_t)(cookie * 37 % CLIENT_READ_MAX + 1);
}

static inline uint64_t client_offset(uint64_t cookie)
{
    return cookie << 32;
}

static inline enum io_operation client_operation(uint64_t cookie)
{
    if (cookie % 2 == 1) {
        return IO_READ;
    }
    return cookie % 8 == 0 ? IO_BLOCK_STATUS : IO_WRITE;
}

static inline uint32_t client_flags(uint64_t cookie)
{
    if (cookie % 8 == 5) {
        return IO_DONT_FRAGMENT;
    }
    return cookie % 16 == 0 ? IO_ONE_EXTENT : 0;
}

static inline void client_init(struct reply_client *client, enum nbd_form form)
{
    const struct nbd_terms terms = {
        .form = form,
        .block_status = form != NBD_SIMPLE,
        .allocation_id = form != NBD_SIMPLE ? CLIENT_CONTEXT : 0,
    };

    memset(client, 0, offsetof(struct reply_client, log));
    nbd_reader_init(&client->reader, &terms);
    for (uint64_t cookie = 1; cookie < 256; cookie++) {
        client->requests[cookie].request = (struct io_request){
            .operation = client_operation(cookie),
            .flags = client_flags(cookie),
            .offset = client_offset(cookie),
            .length = client_length(cookie),
            .cookie = cookie,
        };
        nbd_progress_init(&client->requests[cookie].progress);
        memset(client->requests[cookie].data, 0xEE, CLIENT_READ_MAX);
    }
}

static inline struct client_request *client_request(struct reply_client *client)
{
    return &client->requests[client->reader.cookie % 256];
}

static inline void client_reply(struct reply_client *client)
{
    uint64_t cookie = client->reader.cookie;

    if (cookie == 0 || cookie > 255 || client->requests[cookie].ended) {
        client->dropped = true;
        return;
    }
    nbd_reader_expect(&client->reader, &client->requests[cookie].request, &client->requests[cookie].progress);
}

static inline uint8_t *client_log(struct reply_client *client, size_t length)
{
    uint8_t *entry = client->log + client->log_length;

    client->log_length += length;
    return entry;
}

/* False when the extent begins behind the request's end. */
static inline bool client_extent(struct reply_client *client, const struct nbd_part *part)
{
    struct client_request *request = client_request(client);
    uint8_t *entry = client_log(client, 24);
    bool good = request->request.operation == IO_BLOCK_STATUS && part->extent_length != 0 &&
                request->described < request->request.length;

    request->described += part->extent_length < CLIENT_READ_MAX ? part->extent_length : CLIENT_READ_MAX;
    store_be64(entry, client->reader.cookie);
    store_be64(entry + 8, part->extent_length);
    store_be64(entry + 16, part->extent_flags);
    return good;
}

/* False when something of the answer is missing though no error came. */
static inline bool client_end(struct reply_client *client)
{
    struct client_request *request = client_request(client);
    bool success = request->progress.error == 0;
    bool data = request->request.operation == IO_READ && success;
    uint32_t length = data ? request->request.length : 0;
    uint8_t *entry = client_log(client, 24 + length);

    request->ended = true;
    store_be64(entry, client->reader.cookie);
    store_be32(entry + 8, request->progress.error);
    store_be32(entry + 12, length);
    store_be64(entry + 16, request->progress.has_error_offset ? request->progress.error_offset : 0);
    memcpy(entry + 24, request->data, length);
    return memchr(request->written, 0, length) == NULL &&
           (request->request.operation != IO_BLOCK_STATUS || !success || request->described != 0);
}

/* Data and holes go where the reader says; false when that is outside of the read. */
static inline bool client_data(struct reply_client *client, const struct nbd_part *part, bool hole)
{
    struct client_request *request = client_request(client);

    if (request->request.operation != IO_READ || part->length == 0 || part->offset > request->request.length ||
        part->length > request->request.length - part->offset) {
        return false;
    }
    if (hole) {
        memset(request->data + part->offset, 0, part->length);
    } else {
        memcpy(request->data + part->offset, part->bytes, part->length);
    }
    memset(request->written + part->offset, 1, part->length);
    return true;
}

/* Bytes that came into the client's buffer. False when the reader broke its word. */
static inline bool client_feed(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    const uint8_t *end = bytes + length;
    enum nbd_reader_step step = NBD_READER_MORE;
    struct nbd_part part;
    bool good = true;

    while (good && !client->dropped &&
           (step = nbd_reader_step(&client->reader, &bytes, &length, &part)) != NBD_READER_MORE) {
        switch (step) {
        case NBD_READER_MORE:
            break;
        case NBD_READER_REPLY:
            client_reply(client);
            break;
        case NBD_READER_DATA:
            good = part.bytes + part.length == bytes && client_data(client, &part, false);
            break;
        case NBD_READER_HOLE:
            good = client_data(client, &part, true);
            break;
        case NBD_READER_EXTENT:
            good = client_extent(client, &part);
            break;
        case NBD_READER_DONE:
            good = client_end(client);
            break;
        case NBD_READER_BAD:
            client->dropped = true;
            break;
        }
        good = good && bytes + length == end;
    }
    return good && (client->dropped || length == 0);
}

/* Bytes that came straight into the read's memory: as many as belong there, answered. 0 when none is being received. */
static inline size_t client_receive_straight(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    uint32_t left = nbd_reader_payload(&client->reader);
    uint32_t count = length < left ? (uint32_t)length : left;
    const struct nbd_part part = {.bytes = bytes, .offset = client->reader.payload_offset, .length = count};

    if (client->dropped || count == 0 || !client_data(client, &part, false)) {
        return 0;
    }
    nbd_reader_received(&client->reader, count);
    return client_feed(client, bytes, 0) ? count : 0;
}

static inline bool client_equal_memory(const struct reply_client *left, const struct reply_client *right)
{
    for (unsigned cookie = 1; cookie < 256; cookie++) {
        if (memcmp(left->requests[cookie].data, right->requests[cookie].data, CLIENT_READ_MAX) != 0) {
            return false;
        }
    }
    return true;
}

/* The same requests ended the same way, the same bytes were written and the same is awaited. */
static inline bool client_equal(const struct reply_client *left, const struct reply_client *right)
{
    return left->dropped == right->dropped && left->log_length == right->log_length &&
           memcmp(left->log, right->log, left->log_length) == 0 && client_equal_memory(left, right) &&
           nbd_reader_payload(&left->reader) == nbd_reader_payload(&right->reader) &&
           (left->dropped || left->reader.have == right->reader.have) && left->reader.broken == right->reader.broken;
}

#endif
