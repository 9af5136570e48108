/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers and chunks that a server may not send at all, or not in answer to such a request. */
#include "tests/unit/reply_forms.h"

#define LENGTH_1 38u
#define LENGTH_5 186u

/* ---- Chunks that do not belong ---- */

static void empty_chunk_that_is_not_the_last(struct stream *stream)
{
    put_head(stream, MORE, NBD_REPLY_TYPE_NONE, 2, 0);
}

static void empty_chunk_with_bytes(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_NONE, 2, 1);
    put_bytes(stream, 0, 1);
}

static void data_for_a_write(struct stream *stream)
{
    put_data_at(stream, 2, client_offset(2), 10);
}

static void data_for_a_block_status(struct stream *stream)
{
    put_data_at(stream, 8, client_offset(8), 10);
}

static void hole_for_a_write(struct stream *stream)
{
    put_hole_at(stream, LAST, 2, client_offset(2), 10);
}

static void hole_for_a_block_status(struct stream *stream)
{
    put_hole_at(stream, LAST, 8, client_offset(8), 10);
}

static void chunk_of_unknown_type_3(struct stream *stream)
{
    put_head(stream, LAST, 3, 2, 0);
}

static void chunk_of_unknown_type_7fff(struct stream *stream)
{
    put_head(stream, LAST, 0x7FFF, 1, 4);
    put_be32(stream, 0);
}

static void two_chunks_instead_of_one(struct stream *stream)
{
    put_data(stream, MORE, 5, 0, 100);
    put_data(stream, LAST, 5, 100, LENGTH_5);
}

static void hole_beside_data_instead_of_one_chunk(struct stream *stream)
{
    put_hole(stream, MORE, 5, 0, 100);
    put_data(stream, LAST, 5, 100, LENGTH_5);
}

static void wrong_magic(struct stream *stream)
{
    put_none(stream, 2);
    put_header(stream, NBD_STRUCTURED_REPLY_MAGIC + 1, 0, 4);
}

static void request_instead_of_a_reply(struct stream *stream)
{
    put_header(stream, NBD_EXTENDED_REQUEST_MAGIC, 0, 2);
}

/* ---- Cookies ---- */

/* What the client does not know it drops; the reader has said nothing. */
static void check_dropped(struct stream *stream, uint64_t cookie)
{
    static struct reply_client client;

    feed_whole(&client, stream);
    assert_true(client.dropped);
    assert_null(client.reader.broken);
    assert_int_equal(client.reader.cookie, cookie);
    check_byte_by_byte(stream, &client);
}

static void chunk_after_the_last(void **state)
{
    static struct stream stream;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(chunk_forms); i++) {
        stream_init(&stream, chunk_forms[i]);
        put_read(&stream, 3);
        put_none(&stream, 3);
        check_dropped(&stream, 3);
    }
}

static void chunk_of_an_unknown_cookie(void **state)
{
    static struct stream stream;
    const uint64_t unknown[] = {0, 256, (uint64_t)1 << 32 | 1, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < 2 * GUARD_COUNT(unknown); i++) {
        stream_init(&stream, chunk_forms[i % 2]);
        put_none(&stream, unknown[i / 2]);
        check_dropped(&stream, unknown[i / 2]);
    }
}

/* ---- In one of the forms ---- */

static void read_answered_simply_in_structured_form(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_STRUCTURED);
    put_reply(&stream, 0, 1);
    check_broken(&stream, "it answered a read with a simple reply, though structured ones were negotiated");
}

static void block_status_answered_simply_in_structured_form(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_STRUCTURED);
    put_reply(&stream, 0, 8);
    check_broken(&stream, "it answered a question for the block status with a simple reply");
}

static void extended_header_in_structured_form(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_STRUCTURED);
    put_extended_head(&stream, LAST, NBD_REPLY_TYPE_NONE, 2, 0);
    check_broken(&stream, "it sent an extended reply, which was not negotiated");
}

static void simple_header_in_extended_form(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_EXTENDED);
    put_reply(&stream, NBD_EIO, 2);
    check_broken(&stream, "it sent a simple reply, though extended ones were negotiated");
}

static void structured_header_in_extended_form(void **state)
{
    static struct stream stream;

    (void)state;
    stream_init(&stream, NBD_EXTENDED);
    put_structured_head(&stream, LAST, NBD_REPLY_TYPE_NONE, 2, 0);
    check_broken(&stream, "it sent a structured reply, which was not negotiated");
}

static void offset_that_is_not_the_requests(void **state)
{
    const uint64_t wrong[] = {0, client_offset(2) - 1, client_offset(2) + 1, client_offset(4), UINT64_MAX};
    static struct stream stream;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(wrong); i++) {
        stream_init(&stream, NBD_EXTENDED);
        put_none(&stream, 2);
        store_be64(stream.bytes + 16, wrong[i]);
        check_broken(&stream, "it replied with an offset that is not the request's");
    }
}

/* A flush has none on the wire, whatever the request says. */
static void flush_repeats_offset_0(void **state)
{
    const uint64_t offsets[] = {0, 4096};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(offsets); i++) {
        static struct stream stream;
        static struct reply_client client;

        stream_init(&stream, NBD_EXTENDED);
        put_none(&stream, 2);
        store_be64(stream.bytes + 16, offsets[i]);
        client_init(&client, NBD_EXTENDED);
        client.requests[2].request = (struct io_request){.operation = IO_FLUSH, .offset = 4096, .cookie = 2};
        feed_piece(&client, stream.bytes, stream.length);
        assert_int_equal(client.dropped, offsets[i] != 0);
        assert_int_equal(client.requests[2].ended, offsets[i] == 0);
    }
}

static void chunk_of_4_gib(void **state)
{
    const uint64_t lengths[] = {(uint64_t)1 << 32, ((uint64_t)1 << 32) + 8 + LENGTH_1, UINT64_MAX};
    static struct stream stream;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(lengths); i++) {
        stream_init(&stream, NBD_EXTENDED);
        put_extended_head(&stream, LAST, NBD_REPLY_TYPE_OFFSET_DATA, 1, lengths[i]);
        check_broken(&stream, "it sent a chunk of 4 GiB or more");
    }
}

#define DIVIDED      "it divided a read that it was asked not to divide"
#define DATA_FOR     "it sent data for a request that is not a read"
#define HOLE_FOR     "it sent a hole for a request that is not a read"
#define UNKNOWN_TYPE "it sent a chunk of an unknown type"
#define WRONG_MAGIC  "it sent a reply with a wrong magic number"

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKEN(empty_chunk_that_is_not_the_last, "it sent an empty chunk that is not the last"),
        BROKEN(empty_chunk_with_bytes, "it sent a chunk without content whose length is not 0"),
        BROKEN(data_for_a_write, DATA_FOR),
        BROKEN(data_for_a_block_status, DATA_FOR),
        BROKEN(hole_for_a_write, HOLE_FOR),
        BROKEN(hole_for_a_block_status, HOLE_FOR),
        BROKEN(chunk_of_unknown_type_3, UNKNOWN_TYPE),
        BROKEN(chunk_of_unknown_type_7fff, UNKNOWN_TYPE),
        BROKEN(two_chunks_instead_of_one, DIVIDED),
        BROKEN(hole_beside_data_instead_of_one_chunk, DIVIDED),
        BROKEN(wrong_magic, WRONG_MAGIC),
        BROKEN(request_instead_of_a_reply, WRONG_MAGIC),
        cmocka_unit_test(chunk_after_the_last),
        cmocka_unit_test(chunk_of_an_unknown_cookie),
        cmocka_unit_test(read_answered_simply_in_structured_form),
        cmocka_unit_test(block_status_answered_simply_in_structured_form),
        cmocka_unit_test(extended_header_in_structured_form),
        cmocka_unit_test(simple_header_in_extended_form),
        cmocka_unit_test(structured_header_in_extended_form),
        cmocka_unit_test(offset_that_is_not_the_requests),
        cmocka_unit_test(flush_repeats_offset_0),
        cmocka_unit_test(chunk_of_4_gib),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
