/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error chunks, right and wrong. */
#include "tests/unit/reply_forms.h"

#define UNKNOWN_ERROR (NBD_REPLY_TYPE_ERROR_BIT | 0x77)

/* ---- Right ---- */

static void put_errors_alone(struct stream *stream)
{
    put_error(stream, LAST, 2, NBD_ENOSPC, 0);
    put_error(stream, LAST, 1, NBD_EIO, 11);
    put_error_offset(stream, LAST, 4, NBD_EIO, 0, 0);
    put_error_offset(stream, LAST, 3, NBD_EIO, 7, client_length(3) - 1);
    put_error(stream, MORE, 6, NBD_EPERM, 5); /* and the end by itself */
    put_none(stream, 6);
    put_error(stream, LAST, 7, 0xFFFFFFFF, 0);
    put_none(stream, 10);
}

static void check_errors_alone(const struct stream *stream, const uint8_t **entry)
{
    check_end(stream, entry, 2, NBD_ENOSPC, 0);
    check_end(stream, entry, 1, NBD_EIO, 0);
    check_end(stream, entry, 4, NBD_EIO, client_offset(4));
    check_end(stream, entry, 3, NBD_EIO, client_offset(3) + client_length(3) - 1);
    check_end(stream, entry, 6, NBD_EPERM, 0);
    check_end(stream, entry, 7, 0xFFFFFFFF, 0);
    check_good(stream, entry, 10);
}

/* "NBD_CMD_READ": content may come before and after an error, and some of it not at all. */
static void put_errors_and_data(struct stream *stream)
{
    put_error(stream, MORE, 3, NBD_EIO, 3);
    put_data(stream, MORE, 3, 0, 10);
    put_hole(stream, LAST, 3, 10, client_length(3));
    put_data(stream, MORE, 7, 10, 20);
    put_error_offset(stream, MORE, 7, NBD_EIO, 0, 15);
    put_data(stream, LAST, 7, 20, 30);
    put_data(stream, MORE, 9, 0, client_length(9));
    put_error(stream, LAST, 9, NBD_EINVAL, 0);
    put_read(stream, 1);
}

static void check_errors_and_data(const struct stream *stream, const uint8_t **entry)
{
    check_end(stream, entry, 3, NBD_EIO, 0);
    check_end(stream, entry, 7, NBD_EIO, client_offset(7) + 15);
    check_end(stream, entry, 9, NBD_EINVAL, 0);
    check_good(stream, entry, 1);
}

/* The first error and the first offset count. */
static void put_errors_in_a_row(struct stream *stream)
{
    put_error(stream, MORE, 3, NBD_ENOMEM, 0);
    put_error_offset(stream, MORE, 3, NBD_EIO, 2, 5);
    put_error_offset(stream, LAST, 3, NBD_EPERM, 0, 4);
    put_error_offset(stream, MORE, 2, NBD_ENOSPC, 0, 9);
    put_none(stream, 4);
    put_error(stream, MORE, 2, NBD_EIO, 1);
    put_none(stream, 2);
}

static void check_errors_in_a_row(const struct stream *stream, const uint8_t **entry)
{
    check_end(stream, entry, 3, NBD_ENOMEM, client_offset(3) + 5);
    check_good(stream, entry, 4);
    check_end(stream, entry, 2, NBD_ENOSPC, client_offset(2) + 9);
}

/* A type that is not known is an error all the same; what is behind the text is passed over. */
static void put_more_than_is_known(struct stream *stream)
{
    put_error_head(stream, LAST, UNKNOWN_ERROR, 1, NBD_EIO, 4, 0);
    put_error_head(stream, LAST, UNKNOWN_ERROR, 3, NBD_EPERM, 4, 9);
    put_bytes(stream, 0x66, 9);
    put_error_head(stream, LAST, 0xFFFF, 7, NBD_EINVAL, 0, 1);
    put_bytes(stream, 0x66, 1);
    put_error_head(stream, LAST, NBD_REPLY_TYPE_ERROR, 2, NBD_ENOSPC, 0, 40);
    put_bytes(stream, 0x66, 40);
    put_error_head(stream, LAST, NBD_REPLY_TYPE_ERROR_OFFSET, 4, NBD_EIO, 3, 8 + 5);
    put_be64(stream, client_offset(4) + 2);
    put_bytes(stream, 0x66, 5);
    put_none(stream, 6);
}

static void check_more_than_is_known(const struct stream *stream, const uint8_t **entry)
{
    check_end(stream, entry, 1, NBD_EIO, 0);
    check_end(stream, entry, 3, NBD_EPERM, 0);
    check_end(stream, entry, 7, NBD_EINVAL, 0);
    check_end(stream, entry, 2, NBD_ENOSPC, 0);
    check_end(stream, entry, 4, NBD_EIO, client_offset(4) + 2);
    check_good(stream, entry, 6);
}

static void put_the_longest_text(struct stream *stream)
{
    put_error(stream, LAST, 2, NBD_EIO, NBD_STRING_MAX);
    put_none(stream, 4);
}

static void check_the_longest_text(const struct stream *stream, const uint8_t **entry)
{
    check_end(stream, entry, 2, NBD_EIO, 0);
    check_good(stream, entry, 4);
}

static void error_of_65536_bytes_is_passed_over(void **state)
{
    static const uint8_t behind[65536 - 6];
    static struct stream stream;
    static struct reply_client client;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(chunk_forms); i++) {
        const uint8_t *entry = client.log;

        stream_init(&stream, chunk_forms[i]);
        put_error_head(&stream, LAST, NBD_REPLY_TYPE_ERROR, 2, NBD_EIO, 0, sizeof behind);
        feed_whole(&client, &stream);
        assert_int_equal(client.log_length, 0);
        assert_true(client_feed(&client, behind, sizeof behind - 1));
        assert_int_equal(client.log_length, 0);
        assert_true(client_feed(&client, behind, 1));
        check_end(&stream, &entry, 2, NBD_EIO, 0);
        check_log_end(&client, entry);
    }
}

/* "Structured reply chunk message": it ought to be a chunk, but the meaning is clear. */
static void read_that_failed_may_be_answered_simply(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    const uint8_t *entry = client.log;

    (void)state;
    stream_init(&stream, NBD_STRUCTURED);
    put_reply(&stream, NBD_EIO, 1);
    put_reply(&stream, NBD_EINVAL, 8);
    put_reply(&stream, NBD_ENOSPC, 2);
    check_every_way(&stream, &client);
    check_end(&stream, &entry, 1, NBD_EIO, 0);
    check_end(&stream, &entry, 8, NBD_EINVAL, 0);
    check_end(&stream, &entry, 2, NBD_ENOSPC, 0);
    check_log_end(&client, entry);
}

/* A server that answers in both ways at once is passed over: the first error is the one. */
static void chunk_and_simple_reply_tell_of_the_first_error(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    const uint8_t *entry = client.log;

    (void)state;
    stream_init(&stream, NBD_STRUCTURED);
    put_error(&stream, MORE, 2, NBD_ENOSPC, 0);
    put_reply(&stream, NBD_EIO, 2);
    put_error(&stream, MORE, 4, NBD_ENOSPC, 0);
    put_reply(&stream, 0, 4);
    feed_whole(&client, &stream);
    check_end(&stream, &entry, 2, NBD_ENOSPC, 0);
    check_end(&stream, &entry, 4, NBD_ENOSPC, 0);
    check_log_end(&client, entry);
}

/* ---- Cut off ---- */

static void error_with_text(struct stream *stream)
{
    put_error(stream, LAST, 1, NBD_EIO, 9);
}

static void error_with_text_and_offset(struct stream *stream)
{
    put_error_offset(stream, LAST, 2, NBD_EIO, 9, 3);
}

static void error_with_its_end_apart(struct stream *stream)
{
    put_error(stream, MORE, 2, NBD_EIO, 0);
    put_none(stream, 2);
}

static void unknown_error_with_more_behind(struct stream *stream)
{
    put_error_head(stream, LAST, UNKNOWN_ERROR, 3, NBD_EIO, 4, 9);
    put_bytes(stream, 0x66, 9);
}

/* ---- Wrong ---- */

static void error_of_5_bytes(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_ERROR, 2, 5);
    put_be32(stream, NBD_EIO);
    put_bytes(stream, 0, 1);
}

static void unknown_error_of_0_bytes(struct stream *stream)
{
    put_head(stream, LAST, UNKNOWN_ERROR, 2, 0);
}

static void error_of_65537_bytes(struct stream *stream)
{
    put_error_head(stream, LAST, NBD_REPLY_TYPE_ERROR, 2, NBD_EIO, 0, 65537 - 6);
}

static void error_with_offset_of_13_bytes(struct stream *stream)
{
    put_error_head(stream, LAST, NBD_REPLY_TYPE_ERROR_OFFSET, 2, NBD_EIO, 0, 7);
    put_bytes(stream, 0, 7);
}

static void error_0(struct stream *stream)
{
    put_error(stream, LAST, 2, 0, 3);
}

static void error_0_with_offset(struct stream *stream)
{
    put_error_offset(stream, LAST, 2, 0, 0, 3);
}

static void text_longer_than_its_chunk(struct stream *stream)
{
    put_error(stream, LAST, 2, NBD_EIO, 10);
    store_be16(stream->bytes + stream->length - 12, 11);
    put_none(stream, 2);
}

static void text_over_the_offset(struct stream *stream)
{
    put_error_offset(stream, LAST, 2, NBD_EIO, 10, 0);
    store_be16(stream->bytes + stream->length - 20, 11);
    put_none(stream, 2);
}

static void text_of_4097_bytes(struct stream *stream)
{
    put_error(stream, LAST, 2, NBD_EIO, NBD_STRING_MAX + 1);
}

static void error_before_the_request(struct stream *stream)
{
    put_error_offset(stream, LAST, 2, NBD_EIO, 0, UINT64_MAX);
}

static void error_at_the_end_of_the_request(struct stream *stream)
{
    put_error_offset(stream, LAST, 2, NBD_EIO, 0, client_length(2));
}

static void error_far_behind_the_request(struct stream *stream)
{
    put_error_offset(stream, LAST, 2, NBD_EIO, 0, (uint64_t)1 << 32);
}

#define LENGTH_IS_WRONG "it sent an error chunk with a wrong length"
#define OFFSET_IS_WRONG "it sent an error at an offset that was not asked for"
#define TEXT_IS_WRONG   "it sent an error text that is too long"

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(errors_alone),
        STREAM(errors_and_data),
        STREAM(errors_in_a_row),
        STREAM(more_than_is_known),
        STREAM(the_longest_text),
        cmocka_unit_test(error_of_65536_bytes_is_passed_over),
        cmocka_unit_test(read_that_failed_may_be_answered_simply),
        cmocka_unit_test(chunk_and_simple_reply_tell_of_the_first_error),
        REPLY(error_with_text, 1),
        REPLY(error_with_text_and_offset, 2),
        REPLY(error_with_its_end_apart, 2),
        REPLY(unknown_error_with_more_behind, 3),
        BROKEN(error_of_5_bytes, LENGTH_IS_WRONG),
        BROKEN(unknown_error_of_0_bytes, LENGTH_IS_WRONG),
        BROKEN(error_of_65537_bytes, LENGTH_IS_WRONG),
        BROKEN(error_with_offset_of_13_bytes, LENGTH_IS_WRONG),
        BROKEN(error_0, "it sent an error chunk without an error"),
        BROKEN(error_0_with_offset, "it sent an error chunk without an error"),
        BROKEN(text_longer_than_its_chunk, TEXT_IS_WRONG),
        BROKEN(text_over_the_offset, TEXT_IS_WRONG),
        BROKEN(text_of_4097_bytes, TEXT_IS_WRONG),
        BROKEN(error_before_the_request, OFFSET_IS_WRONG),
        BROKEN(error_at_the_end_of_the_request, OFFSET_IS_WRONG),
        BROKEN(error_far_behind_the_request, OFFSET_IS_WRONG),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
