/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client with made-up requests, for the reader of replies: whatever pieces a stream comes in, its log must be the
 * same.
 *
 * Cookies 1 .. 255 are in flight, each once. The odd ones are reads of client_read_length bytes, the even ones writes.
 */
#ifndef WNBD_TESTS_UNIT_REPLY_CLIENT_H
#define WNBD_TESTS_UNIT_REPLY_CLIENT_H

#include "core/base/bytes.h"
#include "core/nbd/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CLIENT_READ_MAX   700
#define CLIENT_LOG_SIZE   65536
#define CLIENT_STREAM_MAX 16384 /* a stream's log is at most twice as long */

struct reply_client {
    struct nbd_reader reader;
    bool ended[256];
    bool dropped;
    uint32_t copied; /* bytes of the read in hand */
    uint8_t memory[CLIENT_READ_MAX];
    size_t log_length;
    uint8_t log[CLIENT_LOG_SIZE]; /* for each request that ended: cookie, error, length, data */
};

static inline uint32_t client_read_length(uint64_t cookie)
{
    return (uint32_t)(cookie * 37 % CLIENT_READ_MAX + 1);
}

static inline void client_init(struct reply_client *client)
{
    memset(client, 0, sizeof *client);
    nbd_reader_init(&client->reader);
}

static inline void client_log(struct reply_client *client, uint32_t length)
{
    uint8_t *entry = client->log + client->log_length;

    store_be64(entry, client->reader.cookie);
    store_be32(entry + 8, client->reader.error);
    store_be32(entry + 12, length);
    memcpy(entry + 16, client->memory, length);
    client->log_length += 16 + length;
}

static inline void client_reply(struct reply_client *client)
{
    uint64_t cookie = client->reader.cookie;

    if (cookie == 0 || cookie > 255 || client->ended[cookie]) {
        client->dropped = true;
        return;
    }
    client->ended[cookie] = true;
    client->copied = 0;
    if (cookie % 2 == 1 && client->reader.error == 0) {
        nbd_reader_expect(&client->reader, client_read_length(cookie));
    } else {
        client_log(client, 0);
    }
}

/* Data goes where the reader says; false when that is not where the next byte belongs. */
static inline bool client_data(struct reply_client *client, const struct nbd_chunk *chunk)
{
    uint32_t length = client_read_length(client->reader.cookie);

    if (chunk->length == 0 || chunk->offset != client->copied || chunk->length > length - client->copied ||
        client->reader.payload_left != length - client->copied - chunk->length) {
        return false;
    }
    memcpy(client->memory + chunk->offset, chunk->bytes, chunk->length);
    client->copied += chunk->length;
    if (client->reader.payload_left == 0) {
        client_log(client, length);
    }
    return true;
}

/* Bytes that came into the client's buffer. False when the reader broke its word. */
static inline bool client_feed(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    const uint8_t *end = bytes + length;

    while (length != 0 && !client->dropped) {
        size_t before = length;
        struct nbd_chunk chunk;

        switch (nbd_reader_step(&client->reader, &bytes, &length, &chunk)) {
        case NBD_READER_MORE:
            if (length != 0) {
                return false;
            }
            break;
        case NBD_READER_REPLY:
            client_reply(client);
            break;
        case NBD_READER_DATA:
            if (chunk.bytes + chunk.length != bytes || !client_data(client, &chunk)) {
                return false;
            }
            break;
        case NBD_READER_BAD:
            client->dropped = true;
            break;
        }
        if (bytes + length != end || length >= before) {
            return false;
        }
    }
    return true;
}

/* Bytes that came straight into the read's memory: as many as belong there, answered. 0 when none is being received. */
static inline size_t client_receive_straight(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    uint32_t left = client->reader.payload_left;
    uint32_t count = length < left ? (uint32_t)length : left;

    if (client->dropped || count == 0) {
        return 0;
    }
    memcpy(client->memory + client->reader.payload_offset, bytes, count);
    client->copied += count;
    nbd_reader_received(&client->reader, count);
    if (client->reader.payload_left == 0) {
        client_log(client, client_read_length(client->reader.cookie));
    }
    return count;
}

/* The same requests ended the same way and the same is awaited. */
static inline bool client_equal(const struct reply_client *left, const struct reply_client *right)
{
    return left->dropped == right->dropped && left->log_length == right->log_length &&
           memcmp(left->log, right->log, left->log_length) == 0 &&
           left->reader.payload_left == right->reader.payload_left &&
           left->reader.header_have == right->reader.header_have && left->reader.broken == right->reader.broken;
}

#endif
