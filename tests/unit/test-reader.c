/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/reply_check.h"

/* Simple replies; those in chunks are test-reader-chunks.c's. */
static void put_usual_replies(struct stream *stream)
{
    stream_init(stream, NBD_SIMPLE);
    put_reply(stream, 0, 2);
    put_reply(stream, 0, 1);
    put_reply(stream, NBD_EIO, 3); /* no data follows an error */
    put_reply(stream, NBD_ENOSPC, 4);
    put_reply(stream, 0, 17); /* the longest: 630 bytes */
    put_reply(stream, 0, 6);
    put_reply(stream, 0, 255);
}

static void replies_in_every_way(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    const uint8_t *entry = client.log;

    (void)state;
    put_usual_replies(&stream);
    check_every_way(&stream, &client);
    check_good(&stream, &entry, 2);
    check_good(&stream, &entry, 1);
    check_end(&stream, &entry, 3, NBD_EIO, 0);
    check_end(&stream, &entry, 4, NBD_ENOSPC, 0);
    check_good(&stream, &entry, 17);
    check_good(&stream, &entry, 6);
    check_good(&stream, &entry, 255);
    check_log_end(&client, entry);
}

static void connection_closed_after_each_byte_leaves_a_request_open(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_SIMPLE);
    put_reply(&stream, 0, 1);
    check_open_until_the_last_byte(&stream, 1);
    stream_init(&stream, NBD_SIMPLE);
    put_reply(&stream, 0, 2);
    check_open_until_the_last_byte(&stream, 2);
    stream_init(&stream, NBD_SIMPLE);
    put_reply(&stream, NBD_EIO, 3);
    check_open_until_the_last_byte(&stream, 3);
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

static void reply_with_wrong_magic(void **state)
{
    const uint32_t wrong[] = {0, NBD_SIMPLE_REPLY_MAGIC + 1, NBD_REQUEST_MAGIC, 0x98664467, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(wrong); i++) {
        static struct stream stream;

        stream_init(&stream, NBD_SIMPLE);
        put_reply(&stream, 0, 1);
        put_header(&stream, wrong[i], 0, 2);
        put_reply(&stream, 0, 4);
        check_broken(&stream, "it sent a reply with a wrong magic number");
    }
}

static void structured_reply_without_negotiation(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_SIMPLE);
    put_structured_head(&stream, LAST, NBD_REPLY_TYPE_NONE, 2, 0);
    check_broken(&stream, "it sent a structured reply, which was not negotiated");
}

static void extended_reply_without_negotiation(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_SIMPLE);
    put_extended_head(&stream, LAST, NBD_REPLY_TYPE_NONE, 2, 0);
    check_broken(&stream, "it sent an extended reply, which was not negotiated");
}

static void bad_stays_bad(void **state)
{
    const struct nbd_terms terms = {0};
    struct nbd_reader reader;
    struct nbd_part part;
    static struct stream stream;
    const uint8_t *bytes = stream.bytes;
    size_t length = 3 * NBD_SIMPLE_REPLY_SIZE;

    (void)state;
    stream_init(&stream, NBD_SIMPLE);
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

        stream_init(&stream, NBD_SIMPLE);
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
    stream_init(&stream, NBD_SIMPLE);
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

        stream_init(&stream, NBD_SIMPLE);
        put_reply(&stream, errors[i], 1);
        put_reply(&stream, errors[i], 2);
        feed_whole(&client, &stream);
        check_end(&stream, &entry, 1, errors[i], 0);
        check_end(&stream, &entry, 2, errors[i], 0);
        check_log_end(&client, entry);
    }
}

static void step_without_expect_is_the_reply_again(void **state)
{
    static struct stream stream;
    struct nbd_reader reader;
    struct nbd_part part;
    const uint8_t *bytes = stream.bytes;
    size_t length = 2 * NBD_SIMPLE_REPLY_SIZE;

    (void)state;
    stream_init(&stream, NBD_SIMPLE);
    put_reply(&stream, 0, 2);
    put_reply(&stream, 0, 4);
    nbd_reader_init(&reader, &(const struct nbd_terms){.form = NBD_SIMPLE});
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(nbd_reader_step(&reader, &bytes, &length, &part), NBD_READER_REPLY);
        assert_int_equal(reader.cookie, 2);
        assert_int_equal(length, NBD_SIMPLE_REPLY_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_in_every_way),
        cmocka_unit_test(connection_closed_after_each_byte_leaves_a_request_open),
        cmocka_unit_test(empty_input_wants_more),
        cmocka_unit_test(reply_with_wrong_magic),
        cmocka_unit_test(structured_reply_without_negotiation),
        cmocka_unit_test(extended_reply_without_negotiation),
        cmocka_unit_test(step_without_expect_is_the_reply_again),
        cmocka_unit_test(bad_stays_bad),
        cmocka_unit_test(reply_unknown_cookie),
        cmocka_unit_test(reply_twice),
        cmocka_unit_test(any_error_value_is_handed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
