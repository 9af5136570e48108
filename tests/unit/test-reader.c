/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/reader.h"
#include "tests/unit/guard.h"
#include "tests/unit/reply_client.h"

struct stream {
    size_t length;
    uint8_t bytes[CLIENT_STREAM_MAX];
};

static void put_header(struct stream *stream, uint32_t magic, uint32_t error, uint64_t cookie)
{
    uint8_t *header = stream->bytes + stream->length;

    store_be32(header, magic);
    store_be32(header + 4, error);
    store_be64(header + 8, cookie);
    stream->length += NBD_SIMPLE_REPLY_SIZE;
}

/* A whole reply as a server sends it: with data if it is to a read and without error. */
static void put_reply(struct stream *stream, uint32_t error, uint64_t cookie)
{
    put_header(stream, NBD_SIMPLE_REPLY_MAGIC, error, cookie);
    if (cookie % 2 == 1 && error == 0) {
        for (uint32_t i = 0; i < client_length(cookie); i++) {
            stream->bytes[stream->length++] = (uint8_t)(cookie * 31 + i * 7);
        }
    }
}

static void put_usual_replies(struct stream *stream)
{
    put_reply(stream, 0, 2);
    put_reply(stream, 0, 1);
    put_reply(stream, NBD_EIO, 3); /* no data follows an error */
    put_reply(stream, NBD_ENOSPC, 4);
    put_reply(stream, 0, 17); /* the longest: 630 bytes */
    put_reply(stream, 0, 6);
    put_reply(stream, 0, 255);
}

static void feed_whole(struct reply_client *client, const struct stream *stream)
{
    uint8_t *copy = guard_copy(stream->bytes, stream->length);

    client_init(client, NBD_SIMPLE);
    assert_true(client_feed(client, copy, stream->length));
    guard_free(copy, stream->length);
}

/* The pieces end at a forbidden page each. */
static void feed_piece(struct reply_client *client, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = guard_copy(bytes, length);

    assert_true(client_feed(client, copy, length));
    guard_free(copy, length);
}

static void check_entry(const uint8_t **entry, uint64_t cookie, uint32_t error, uint32_t length)
{
    assert_int_equal(load_be64(*entry), cookie);
    assert_int_equal(load_be32(*entry + 8), error);
    assert_int_equal(load_be32(*entry + 12), length);
    for (uint32_t i = 0; i < length; i++) {
        assert_int_equal((*entry)[24 + i], (uint8_t)(cookie * 31 + i * 7));
    }
    *entry += 24 + length;
}

static void replies_in_one_piece(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    const uint8_t *entry = client.log;

    (void)state;
    put_usual_replies(&stream);
    feed_whole(&client, &stream);
    assert_false(client.dropped);
    check_entry(&entry, 2, 0, 0);
    check_entry(&entry, 1, 0, client_length(1));
    check_entry(&entry, 3, NBD_EIO, 0);
    check_entry(&entry, 4, NBD_ENOSPC, 0);
    check_entry(&entry, 17, 0, client_length(17));
    check_entry(&entry, 6, 0, 0);
    check_entry(&entry, 255, 0, client_length(255));
    assert_ptr_equal(entry, client.log + client.log_length);
}

static void replies_byte_by_byte(void **state)
{
    static struct stream stream;
    static struct reply_client whole;
    static struct reply_client client;

    (void)state;
    put_usual_replies(&stream);
    feed_whole(&whole, &stream);
    client_init(&client, NBD_SIMPLE);
    for (size_t i = 0; i < stream.length; i++) {
        feed_piece(&client, stream.bytes + i, 1);
    }
    assert_true(client_equal(&client, &whole));
}

static void replies_cut_at_each_length(void **state)
{
    static struct stream stream;
    static struct reply_client whole;
    static struct reply_client client;

    (void)state;
    put_usual_replies(&stream);
    feed_whole(&whole, &stream);
    for (size_t cut = 0; cut <= stream.length; cut++) {
        client_init(&client, NBD_SIMPLE);
        feed_piece(&client, stream.bytes, cut);
        feed_piece(&client, stream.bytes + cut, stream.length - cut);
        assert_true(client_equal(&client, &whole));
    }
}

static void replies_in_pieces_of_each_size(void **state)
{
    static struct stream stream;
    static struct reply_client whole;
    static struct reply_client client;

    (void)state;
    put_usual_replies(&stream);
    feed_whole(&whole, &stream);
    for (size_t size = 1; size < 100; size++) {
        client_init(&client, NBD_SIMPLE);
        for (size_t i = 0; i < stream.length; i += size) {
            feed_piece(&client, stream.bytes + i, i + size < stream.length ? size : stream.length - i);
        }
        assert_true(client_equal(&client, &whole));
    }
}

/* Wherever a piece ends inside a payload, the rest of it may be received without the reader. */
static void payload_received_straight_after_each_cut(void **state)
{
    static struct stream stream;
    static struct reply_client whole;
    static struct reply_client client;

    (void)state;
    put_usual_replies(&stream);
    feed_whole(&whole, &stream);
    for (size_t cut = 0; cut <= stream.length; cut++) {
        size_t at = cut;

        client_init(&client, NBD_SIMPLE);
        feed_piece(&client, stream.bytes, cut);
        at += client_receive_straight(&client, stream.bytes + at, 5 < stream.length - at ? 5 : stream.length - at);
        at += client_receive_straight(&client, stream.bytes + at, stream.length - at);
        feed_piece(&client, stream.bytes + at, stream.length - at);
        assert_true(client_equal(&client, &whole));
    }
}

static void connection_closed_after_each_byte_leaves_a_request_open(void **state)
{
    static struct stream stream;
    static struct reply_client client;

    (void)state;
    put_reply(&stream, 0, 1);
    for (size_t cut = 0; cut < stream.length; cut++) {
        client_init(&client, NBD_SIMPLE);
        feed_piece(&client, stream.bytes, cut);
        assert_false(client.dropped);
        assert_int_equal(client.log_length, 0);
    }
}

static void empty_input_wants_more(void **state)
{
    const struct nbd_terms terms = {0};
    struct nbd_reader reader;
    struct nbd_part part;
    const uint8_t *bytes = NULL;
    size_t length = 0;

    (void)state;
    nbd_reader_init(&reader, &terms);
    assert_int_equal(nbd_reader_step(&reader, &bytes, &length, &part), NBD_READER_MORE);
}

static void check_bad(const struct stream *stream, const char *broken)
{
    static struct reply_client client;

    feed_whole(&client, stream);
    assert_true(client.dropped);
    assert_string_equal(client.reader.broken, broken);
    client_init(&client, NBD_SIMPLE);
    for (size_t i = 0; i < stream->length; i++) {
        feed_piece(&client, stream->bytes + i, 1);
    }
    assert_true(client.dropped);
    assert_string_equal(client.reader.broken, broken);
}

static void reply_with_wrong_magic(void **state)
{
    const uint32_t wrong[] = {0, NBD_SIMPLE_REPLY_MAGIC + 1, NBD_REQUEST_MAGIC, 0x98664467, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(wrong); i++) {
        static struct stream stream;

        stream.length = 0;
        put_reply(&stream, 0, 1);
        put_header(&stream, wrong[i], 0, 2);
        put_reply(&stream, 0, 4);
        check_bad(&stream, "it sent a reply with a wrong magic number");
    }
}

static void structured_reply_without_negotiation(void **state)
{
    static struct stream stream;

    (void)state;
    put_header(&stream, NBD_STRUCTURED_REPLY_MAGIC, 0x00010000, 1);
    put_header(&stream, 0, 0, 0);
    check_bad(&stream, "it sent a structured reply, which was not negotiated");
}

static void bad_stays_bad(void **state)
{
    const struct nbd_terms terms = {0};
    struct nbd_reader reader;
    struct nbd_part part;
    struct stream stream = {0};
    const uint8_t *bytes = stream.bytes;
    size_t length = 3 * NBD_SIMPLE_REPLY_SIZE;

    (void)state;
    put_header(&stream, 0, 0, 1);
    put_reply(&stream, 0, 2);
    put_reply(&stream, 0, 4);
    nbd_reader_init(&reader, &terms);
    assert_int_equal(nbd_reader_step(&reader, &bytes, &length, &part), NBD_READER_BAD);
    assert_int_equal(nbd_reader_step(&reader, &bytes, &length, &part), NBD_READER_BAD);
    length = 0;
    assert_int_equal(nbd_reader_step(&reader, &bytes, &length, &part), NBD_READER_BAD);
}

/* The reader hands the cookie over as it came; the queue knows it or not (test-queue.c). */
static void reply_unknown_cookie(void **state)
{
    const uint64_t unknown[] = {0, 256, (uint64_t)1 << 32 | 1, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(unknown); i++) {
        static struct stream stream;
        static struct reply_client client;

        stream.length = 0;
        put_header(&stream, NBD_SIMPLE_REPLY_MAGIC, 0, unknown[i]);
        feed_whole(&client, &stream);
        assert_true(client.dropped);
        assert_int_equal(client.reader.cookie, unknown[i]);
        assert_int_equal(client.log_length, 0);
    }
}

static void reply_twice(void **state)
{
    static struct stream stream;
    static struct reply_client client;

    (void)state;
    put_reply(&stream, 0, 2);
    put_reply(&stream, 0, 2);
    feed_whole(&client, &stream);
    assert_true(client.dropped);
    assert_int_equal(client.log_length, 24);
}

static void any_error_value_is_handed_over(void **state)
{
    const uint32_t errors[] = {1, 2, 255, 0x80000000, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(errors); i++) {
        static struct stream stream;
        static struct reply_client client;
        const uint8_t *entry = client.log;

        stream.length = 0;
        put_reply(&stream, errors[i], 1);
        put_reply(&stream, errors[i], 2);
        feed_whole(&client, &stream);
        check_entry(&entry, 1, errors[i], 0);
        check_entry(&entry, 2, errors[i], 0);
        assert_false(client.dropped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_in_one_piece),
        cmocka_unit_test(replies_byte_by_byte),
        cmocka_unit_test(replies_cut_at_each_length),
        cmocka_unit_test(replies_in_pieces_of_each_size),
        cmocka_unit_test(payload_received_straight_after_each_cut),
        cmocka_unit_test(connection_closed_after_each_byte_leaves_a_request_open),
        cmocka_unit_test(empty_input_wants_more),
        cmocka_unit_test(reply_with_wrong_magic),
        cmocka_unit_test(structured_reply_without_negotiation),
        cmocka_unit_test(bad_stays_bad),
        cmocka_unit_test(reply_unknown_cookie),
        cmocka_unit_test(reply_twice),
        cmocka_unit_test(any_error_value_is_handed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
