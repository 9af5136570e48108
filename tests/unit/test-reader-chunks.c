/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes that are answered in chunks, rightly. */
#include "tests/unit/reply_forms.h"

/* ---- The usual ---- */

static void put_usual(struct stream *stream)
{
    put_none(stream, 2);
    put_read(stream, 1);
    put_data(stream, MORE, 3, 0, client_length(3)); /* and the end by itself */
    put_none(stream, 3);
    put_read(stream, 19); /* 4 bytes */
    put_hole(stream, LAST, 7, 0, client_length(7));
    put_hole(stream, MORE, 9, 0, client_length(9));
    put_none(stream, 9);
    put_none(stream, 254);
    put_read(stream, 255);
}

static void check_usual(const struct stream *stream, const uint8_t **entry)
{
    const uint64_t cookies[] = {2, 1, 3, 19, 7, 9, 254, 255};

    for (size_t i = 0; i < GUARD_COUNT(cookies); i++) {
        check_good(stream, entry, cookies[i]);
    }
}

/* What has no payload may be answered simply, unless headers are extended. */
static void put_end(struct stream *stream, uint64_t cookie)
{
    if (stream->form == NBD_STRUCTURED) {
        put_reply(stream, 0, cookie);
    } else {
        put_none(stream, cookie);
    }
}

static void put_mixed_with_simple(struct stream *stream)
{
    put_end(stream, 2);
    put_read(stream, 1);
    put_end(stream, 4);
    put_none(stream, 6);
    put_data(stream, MORE, 3, 0, 50);
    put_end(stream, 10); /* between two chunks */
    put_data(stream, LAST, 3, 50, client_length(3));
}

static void check_mixed_with_simple(const struct stream *stream, const uint8_t **entry)
{
    const uint64_t cookies[] = {2, 1, 4, 6, 10, 3};

    for (size_t i = 0; i < GUARD_COUNT(cookies); i++) {
        check_good(stream, entry, cookies[i]);
    }
}

/* ---- Many pieces ---- */

/* Data and holes in turn: in order, in reverse, from the middle. */
static void put_data_and_holes(struct stream *stream)
{
    put_data(stream, MORE, 3, 0, 10);
    put_hole(stream, MORE, 3, 10, 60);
    put_data(stream, MORE, 3, 60, 61);
    put_hole(stream, LAST, 3, 61, client_length(3));
    put_hole(stream, MORE, 7, 200, client_length(7));
    put_data(stream, MORE, 7, 100, 200);
    put_hole(stream, MORE, 7, 1, 100);
    put_data(stream, LAST, 7, 0, 1);
    put_hole(stream, MORE, 9, 100, 101);
    put_data(stream, MORE, 9, 101, client_length(9));
    put_data(stream, MORE, 9, 0, 100);
    put_none(stream, 9);
}

static void check_data_and_holes(const struct stream *stream, const uint8_t **entry)
{
    check_good(stream, entry, 3);
    check_good(stream, entry, 7);
    check_good(stream, entry, 9);
}

/* One of `count` pieces of a read; each third of them is a hole. */
static void put_piece(struct stream *stream, uint16_t flags, uint64_t cookie, uint32_t piece, uint32_t count)
{
    uint32_t length = client_length(cookie);
    uint32_t begin = length * piece / count;
    uint32_t end = length * (piece + 1) / count;

    if (piece % 3 == 1) {
        put_hole(stream, flags, cookie, begin, end);
    } else {
        put_data(stream, flags, cookie, begin, end);
    }
}

#define SCATTERED (2 * NBD_PIECES_MAX + 5u)

/* No two that follow each other touch: gaps are filled, and what belongs into them comes afterwards. */
static void put_scattered(struct stream *stream)
{
    for (uint32_t i = 0; i < SCATTERED; i++) {
        put_piece(stream, i == SCATTERED - 1 ? LAST : MORE, 17, i * 2 % SCATTERED, SCATTERED);
    }
    for (uint32_t i = 0; i < SCATTERED; i++) {
        put_piece(stream, i == SCATTERED - 1 ? LAST : MORE, 11, (i + 1) * 8 % SCATTERED, SCATTERED);
    }
}

static void check_scattered(const struct stream *stream, const uint8_t **entry)
{
    check_good(stream, entry, 17);
    check_good(stream, entry, 11);
}

/* Chunks of four reads and a write, in turn. */
static void put_interleaved(struct stream *stream)
{
    const uint64_t cookies[] = {17, 23, 3, 11};

    for (uint32_t piece = 0; piece < 10; piece++) {
        for (size_t i = 0; i < GUARD_COUNT(cookies); i++) {
            put_piece(stream, piece == 9 ? LAST : MORE, cookies[i], (piece * 3 + (uint32_t)i) % 10, 10);
        }
        if (piece == 5) {
            put_none(stream, 2);
        }
    }
}

static void check_interleaved(const struct stream *stream, const uint8_t **entry)
{
    const uint64_t cookies[] = {2, 17, 23, 3, 11};

    for (size_t i = 0; i < GUARD_COUNT(cookies); i++) {
        check_good(stream, entry, cookies[i]);
    }
}

/* "NBD_CMD_READ": at most one piece of content, which may be a hole when there is nothing else, and an end. */
static void put_undivided(struct stream *stream)
{
    put_read(stream, 5);
    put_data(stream, MORE, 13, 0, client_length(13));
    put_none(stream, 13);
    put_hole(stream, LAST, 21, 0, client_length(21));
    put_error(stream, LAST, 29, NBD_EOVERFLOW, 0);
}

static void check_undivided(const struct stream *stream, const uint8_t **entry)
{
    check_good(stream, entry, 5);
    check_good(stream, entry, 13);
    check_good(stream, entry, 21);
    check_end(stream, entry, 29, NBD_EOVERFLOW, 0);
}

/* "Structured reply flags": the client ignores those that it does not know. */
static void put_unknown_flags(struct stream *stream)
{
    put_data(stream, 0xFFFE, 1, 0, 10);
    put_data(stream, 0xFFFF, 1, 10, client_length(1));
}

static void check_unknown_flags(const struct stream *stream, const uint8_t **entry)
{
    check_good(stream, entry, 1);
}

/* ---- Every order of few pieces ---- */

static void pieces_in_random_order(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    uint32_t seed = 7;

    (void)state;
    for (uint32_t round = 0; round < 400; round++) {
        uint32_t count = 1 + round % 30;
        uint32_t order[30];
        const uint8_t *entry = client.log;

        stream_init(&stream, chunk_forms[round % 2]);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t other;

            seed = seed * 1664525 + 1013904223;
            other = (seed >> 8) % (i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (uint32_t i = 0; i < count; i++) {
            put_piece(&stream, i == count - 1 ? LAST : MORE, 17, order[i], count);
        }
        feed_whole(&client, &stream);
        check_good(&stream, &entry, 17);
        check_log_end(&client, entry);
        check_byte_by_byte(&stream, &client);
        check_all_straight(&stream, &client);
    }
}

/* ---- Replies that are cut off ---- */

static void write_reply(struct stream *stream)
{
    put_none(stream, 2);
}

static void read_in_one_chunk(struct stream *stream)
{
    put_read(stream, 1);
}

static void read_with_its_end_apart(struct stream *stream)
{
    put_data(stream, MORE, 1, 0, client_length(1));
    put_none(stream, 1);
}

static void read_in_many_chunks(struct stream *stream)
{
    for (uint32_t i = 0; i < SCATTERED; i++) {
        put_piece(stream, i == SCATTERED - 1 ? LAST : MORE, 17, i * 2 % SCATTERED, SCATTERED);
    }
}

static void read_that_ends_with_a_hole(struct stream *stream)
{
    put_data(stream, MORE, 3, 0, 1);
    put_hole(stream, LAST, 3, 1, client_length(3));
}

/* ---- Lengths ---- */

static void heads_have_the_lengths_of_the_protocol(void **state)
{
    static struct stream stream;

    (void)state;
    assert_int_equal(nbd_data_head_size(NBD_SIMPLE), 16);
    for (size_t i = 0; i < GUARD_COUNT(chunk_forms); i++) {
        stream_init(&stream, chunk_forms[i]);
        put_read(&stream, 1);
        assert_int_equal(nbd_data_head_size(chunk_forms[i]), stream.length - client_length(1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(usual),
        STREAM(mixed_with_simple),
        STREAM(data_and_holes),
        STREAM(scattered),
        STREAM(interleaved),
        STREAM(undivided),
        STREAM(unknown_flags),
        cmocka_unit_test(pieces_in_random_order),
        REPLY(write_reply, 2),
        REPLY(read_in_one_chunk, 1),
        REPLY(read_with_its_end_apart, 1),
        REPLY(read_in_many_chunks, 17),
        REPLY(read_that_ends_with_a_hole, 3),
        cmocka_unit_test(heads_have_the_lengths_of_the_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
