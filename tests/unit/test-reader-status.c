/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to IO_BLOCK_STATUS with extents of 32 bits, right and wrong. Cookie 8 asks for extents, cookie 16 for one. */
#include "tests/unit/reply_forms.h"

#define LENGTH_8  297u
#define LENGTH_16 593u

/* ---- Right ---- */

static void put_one_extent(struct stream *stream)
{
    put_status(stream, LAST, 8, 1);
    put_extent(stream, LENGTH_8, 0);
    put_status(stream, LAST, 16, 1);
    put_extent(stream, LENGTH_16, NBD_STATE_HOLE | NBD_STATE_ZERO);
    put_status(stream, MORE, 24, 1); /* less than was asked for, and the end by itself */
    put_extent(stream, 1, NBD_STATE_ZERO);
    put_none(stream, 24);
}

static void check_one_extent(const struct stream *stream, const uint8_t **entry)
{
    check_extent(entry, 8, LENGTH_8, 0);
    check_good(stream, entry, 8);
    check_extent(entry, 16, LENGTH_16, 3);
    check_good(stream, entry, 16);
    check_extent(entry, 24, 1, 2);
    check_good(stream, entry, 24);
}

/* Other replies come between the end of the extents and the end of the reply. */
static void put_many_extents(struct stream *stream)
{
    put_status(stream, MORE, 8, LENGTH_8);
    for (uint32_t i = 0; i < LENGTH_8; i++) {
        put_extent(stream, 1, i);
    }
    put_none(stream, 2);
    put_read(stream, 1);
    put_none(stream, 8);
}

static void check_many_extents(const struct stream *stream, const uint8_t **entry)
{
    for (uint32_t i = 0; i < LENGTH_8; i++) {
        check_extent(entry, 8, 1, i);
    }
    check_good(stream, entry, 2);
    check_good(stream, entry, 1);
    check_good(stream, entry, 8);
}

/* The last extent may end behind the request. */
static void put_extents_that_reach_beyond(struct stream *stream)
{
    put_status(stream, LAST, 8, 2);
    put_extent(stream, LENGTH_8 - 1, 0);
    put_extent(stream, UINT32_MAX, 1);
    put_status(stream, LAST, 24, 1);
    put_extent(stream, UINT32_MAX, UINT32_MAX);
}

static void check_extents_that_reach_beyond(const struct stream *stream, const uint8_t **entry)
{
    check_extent(entry, 8, LENGTH_8 - 1, 0);
    check_extent(entry, 8, UINT32_MAX, 1);
    check_good(stream, entry, 8);
    check_extent(entry, 24, UINT32_MAX, UINT32_MAX);
    check_good(stream, entry, 24);
}

/* The extents came before the error did: they stay in the log. */
static void put_error_instead_of_extents(struct stream *stream)
{
    put_error(stream, LAST, 8, NBD_EIO, 3);
    put_status(stream, MORE, 16, 1);
    put_extent(stream, 5, 0);
    put_error(stream, LAST, 16, NBD_ENOMEM, 0);
    put_error(stream, MORE, 24, NBD_EINVAL, 0);
    put_status(stream, LAST, 24, 1);
    put_extent(stream, 6, 0);
}

static void check_error_instead_of_extents(const struct stream *stream, const uint8_t **entry)
{
    check_end(stream, entry, 8, NBD_EIO, 0);
    check_extent(entry, 16, 5, 0);
    check_end(stream, entry, 16, NBD_ENOMEM, 0);
    check_extent(entry, 24, 6, 0);
    check_end(stream, entry, 24, NBD_EINVAL, 0);
}

static void status_of_two_extents(struct stream *stream)
{
    put_status(stream, MORE, 8, 2);
    put_extent(stream, 1, 1);
    put_extent(stream, 1, 1);
    put_none(stream, 8);
}

static void status_that_ends_with_its_extents(struct stream *stream)
{
    put_status(stream, LAST, 16, 1);
    put_extent(stream, 1, 1);
}

/* ---- Wrong ---- */

static void status_for_a_read(struct stream *stream)
{
    put_status(stream, LAST, 1, 1);
    put_extent(stream, 38, 0);
}

static void status_for_a_write(struct stream *stream)
{
    put_status(stream, LAST, 2, 1);
    put_extent(stream, 75, 0);
}

static void status_of_a_foreign_context(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_BLOCK_STATUS, 8, 12);
    put_be32(stream, CLIENT_CONTEXT + 1);
    put_extent(stream, LENGTH_8, 0);
}

static void status_sent_twice(struct stream *stream)
{
    put_status(stream, MORE, 8, 1);
    put_extent(stream, 100, 0);
    put_status(stream, LAST, 8, 1);
    put_extent(stream, 100, 0);
}

static void status_without_extents(struct stream *stream)
{
    put_status(stream, LAST, 8, 0);
}

static void status_without_context(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_BLOCK_STATUS, 8, 0);
}

static void status_cut_inside_an_extent(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_BLOCK_STATUS, 8, 4 + 8 + 4);
    put_be32(stream, CLIENT_CONTEXT);
    put_extent(stream, 100, 0);
    put_be32(stream, 100);
}

static void status_cut_inside_the_first_extent(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_BLOCK_STATUS, 8, 4 + 7);
    put_be32(stream, CLIENT_CONTEXT);
    put_bytes(stream, 0, 7);
}

static void extent_of_0_bytes(struct stream *stream)
{
    put_status(stream, LAST, 8, 2);
    put_extent(stream, 100, 0);
    put_extent(stream, 0, 0);
}

static void extents_beyond_the_request(struct stream *stream)
{
    put_status(stream, LAST, 8, 2);
    put_extent(stream, LENGTH_8, 0);
    put_extent(stream, 1, 0);
}

static void extents_beyond_one_that_is_too_long(struct stream *stream)
{
    put_status(stream, LAST, 8, 3);
    put_extent(stream, 5, 0);
    put_extent(stream, UINT32_MAX, 0);
    put_extent(stream, 1, 0);
}

static void two_extents_instead_of_one(struct stream *stream)
{
    put_status(stream, LAST, 16, 2);
    put_extent(stream, 100, 0);
    put_extent(stream, 100, 0);
}

static void one_extent_too_long(struct stream *stream)
{
    put_status(stream, LAST, 16, 1);
    put_extent(stream, LENGTH_16 + 1, 0);
}

static void end_without_status(struct stream *stream)
{
    put_none(stream, 8);
}

static void check_terms(const struct nbd_terms *terms)
{
    static struct stream stream;
    static struct reply_client client;

    stream_init(&stream, terms->form);
    put_status(&stream, LAST, 8, 1);
    store_be32(stream.bytes + stream.length - 4, 0);
    put_extent(&stream, LENGTH_8, 0);
    client_init(&client, terms->form);
    nbd_reader_init(&client.reader, terms);
    feed_piece(&client, stream.bytes, stream.length);
    assert_true(client.dropped);
    assert_string_equal(client.reader.broken, "it sent a block status of a context that was not negotiated");
}

/* Its number would be 0, as that of a context may be. */
static void status_without_negotiation(void **state)
{
    (void)state;
    check_terms(&(const struct nbd_terms){.form = NBD_STRUCTURED});
    check_terms(&(const struct nbd_terms){.form = NBD_EXTENDED});
}

#define LENGTH_IS_WRONG "it sent a block status with a wrong length"
#define NOT_ASKED_FOR   "it sent a block status for a request that did not ask for one"

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(one_extent),
        STREAM(many_extents),
        STREAM(extents_that_reach_beyond),
        STREAM(error_instead_of_extents),
        REPLY(status_of_two_extents, 8),
        REPLY(status_that_ends_with_its_extents, 16),
        BROKEN(status_for_a_read, NOT_ASKED_FOR),
        BROKEN(status_for_a_write, NOT_ASKED_FOR),
        BROKEN(status_of_a_foreign_context, "it sent a block status of a context that was not negotiated"),
        BROKEN(status_sent_twice, "it sent the block status twice"),
        BROKEN(status_without_extents, LENGTH_IS_WRONG),
        BROKEN(status_without_context, LENGTH_IS_WRONG),
        BROKEN(status_cut_inside_an_extent, LENGTH_IS_WRONG),
        BROKEN(status_cut_inside_the_first_extent, LENGTH_IS_WRONG),
        BROKEN(extent_of_0_bytes, "it sent an extent of 0 bytes"),
        BROKEN(extents_beyond_the_request, "it sent extents beyond what was asked for"),
        BROKEN(extents_beyond_one_that_is_too_long, "it sent extents beyond what was asked for"),
        BROKEN(two_extents_instead_of_one, "it sent more than the one extent that was asked for"),
        BROKEN(one_extent_too_long, "it sent more than the one extent that was asked for"),
        BROKEN(end_without_status, "it answered a question for the block status without extents"),
        cmocka_unit_test(status_without_negotiation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
