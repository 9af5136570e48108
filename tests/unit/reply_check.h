/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Feeds streams of replies in every way and looks at what came of it. */
#ifndef WNBD_TESTS_UNIT_REPLY_CHECK_H
#define WNBD_TESTS_UNIT_REPLY_CHECK_H

#include "tests/unit/reply_stream.h"

/* The piece ends at a forbidden page, the same for all: mapping one for each takes most of the tests' time. */
static inline void feed_piece(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    static uint8_t *room;

    if (room == NULL) {
        room = guard_memory(CLIENT_STREAM_MAX);
    }
    memcpy(room + CLIENT_STREAM_MAX - length, bytes, length);
    assert_true(client_feed(client, room + CLIENT_STREAM_MAX - length, length));
}

static inline void feed_whole(struct reply_client *client, const struct stream *stream)
{
    client_init(client, stream->form);
    feed_piece(client, stream->bytes, stream->length);
}

/* ---- The log ---- */

static inline void check_end(const struct stream *stream, const uint8_t **entry, uint64_t cookie, uint32_t error,
                             uint64_t error_offset)
{
    uint32_t length = cookie % 2 == 1 && error == 0 ? client_length(cookie) : 0;

    assert_int_equal(load_be64(*entry), cookie);
    assert_int_equal(load_be32(*entry + 8), error);
    assert_int_equal(load_be32(*entry + 12), length);
    assert_int_equal(load_be64(*entry + 16), error_offset);
    assert_memory_equal(*entry + 24, stream->wanted[cookie], length);
    *entry += 24 + length;
}

/* The request has ended without error. */
static inline void check_good(const struct stream *stream, const uint8_t **entry, uint64_t cookie)
{
    check_end(stream, entry, cookie, 0, 0);
}

static inline void check_extent(const uint8_t **entry, uint64_t cookie, uint64_t length, uint64_t flags)
{
    assert_int_equal(load_be64(*entry), cookie);
    assert_int_equal(load_be64(*entry + 8), length);
    assert_int_equal(load_be64(*entry + 16), flags);
    *entry += 24;
}

static inline void check_log_end(const struct reply_client *client, const uint8_t *entry)
{
    assert_false(client->dropped);
    assert_ptr_equal(entry, client->log + client->log_length);
}

/* ---- Every way ---- */

static inline void check_byte_by_byte(const struct stream *stream, const struct reply_client *whole)
{
    static struct reply_client client;

    client_init(&client, stream->form);
    for (size_t i = 0; i < stream->length; i++) {
        feed_piece(&client, stream->bytes + i, 1);
    }
    assert_true(client_equal(&client, whole));
}

static inline void check_cut_at_each_length(const struct stream *stream, const struct reply_client *whole)
{
    static struct reply_client client;

    for (size_t cut = 0; cut <= stream->length; cut++) {
        client_init(&client, stream->form);
        feed_piece(&client, stream->bytes, cut);
        feed_piece(&client, stream->bytes + cut, stream->length - cut);
        assert_true(client_equal(&client, whole));
    }
}

static inline void check_pieces_of_each_size(const struct stream *stream, const struct reply_client *whole)
{
    static struct reply_client client;

    for (size_t size = 1; size < 100; size++) {
        client_init(&client, stream->form);
        for (size_t i = 0; i < stream->length; i += size) {
            feed_piece(&client, stream->bytes + i, i + size < stream->length ? size : stream->length - i);
        }
        assert_true(client_equal(&client, whole));
    }
}

/* Wherever a piece ends inside a payload, the rest of it may be received without the reader. */
static inline void check_straight_after_each_cut(const struct stream *stream, const struct reply_client *whole)
{
    static struct reply_client client;

    for (size_t cut = 0; cut <= stream->length; cut++) {
        const uint8_t *bytes = stream->bytes + cut;
        size_t left = stream->length - cut;
        size_t count;

        client_init(&client, stream->form);
        feed_piece(&client, stream->bytes, cut);
        count = client_receive_straight(&client, bytes, left < 5 ? left : 5);
        count += client_receive_straight(&client, bytes + count, left - count);
        feed_piece(&client, bytes + count, left - count);
        assert_true(client_equal(&client, whole));
    }
}

/* Nothing of any payload is fed to the reader. */
static inline void check_all_straight(const struct stream *stream, const struct reply_client *whole)
{
    static struct reply_client client;
    size_t i = 0;

    client_init(&client, stream->form);
    while (i < stream->length) {
        size_t count = client_receive_straight(&client, stream->bytes + i, stream->length - i);

        if (count == 0) {
            feed_piece(&client, stream->bytes + i, 1);
            count = 1;
        }
        i += count;
    }
    assert_true(client_equal(&client, whole));
}

/* Feeds the stream in every way; in each it must come to what it comes to whole, which `client` is afterwards. */
static inline void check_every_way(const struct stream *stream, struct reply_client *client)
{
    feed_whole(client, stream);
    check_byte_by_byte(stream, client);
    check_cut_at_each_length(stream, client);
    check_pieces_of_each_size(stream, client);
    check_straight_after_each_cut(stream, client);
    check_all_straight(stream, client);
}

/* The stream is one reply: while bytes of it are missing the request is open and nothing is wrong. */
static inline void check_open_until_the_last_byte(const struct stream *stream, uint64_t cookie)
{
    static struct reply_client client;

    for (size_t cut = 0; cut <= stream->length; cut++) {
        client_init(&client, stream->form);
        feed_piece(&client, stream->bytes, cut);
        assert_false(client.dropped);
        assert_int_equal(client.requests[cookie].ended, cut == stream->length);
    }
}

/* ---- Misbehaviour ---- */

static inline void check_broken(const struct stream *stream, const char *broken)
{
    static struct reply_client client;

    feed_whole(&client, stream);
    assert_true(client.dropped);
    assert_non_null(client.reader.broken);
    assert_string_equal(client.reader.broken, broken);
    check_byte_by_byte(stream, &client);
    check_all_straight(stream, &client);
}

#endif
