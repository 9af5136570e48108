/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data and holes that do not belong where a server says, come twice or not at all. */
#include "tests/unit/reply_forms.h"

#define LENGTH_1 38u
#define LENGTH_3 112u

/* ---- Where and how much ---- */

static void data_before_the_request(struct stream *stream)
{
    put_data_at(stream, 1, client_offset(1) - 1, 10);
}

static void data_that_ends_behind_the_request(struct stream *stream)
{
    put_data_at(stream, 1, client_offset(1) + LENGTH_1 - 9, 10);
}

static void data_behind_the_request(struct stream *stream)
{
    put_data_at(stream, 1, client_offset(1) + LENGTH_1, 10);
}

static void data_that_wraps_around(struct stream *stream)
{
    put_data_at(stream, 1, UINT64_MAX - 4, 10);
}

static void data_4_gib_behind_the_request(struct stream *stream)
{
    put_data_at(stream, 1, client_offset(1) + ((uint64_t)1 << 32), 10);
}

static void data_of_0_bytes(struct stream *stream)
{
    put_data_at(stream, 1, client_offset(1), 0);
}

static void data_without_offset(struct stream *stream)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_OFFSET_DATA, 1, 7);
    put_bytes(stream, 0, 7);
}

static void data_longer_than_the_request(struct stream *stream)
{
    put_data_at(stream, 1, client_offset(1), LENGTH_1 + 1);
}

static void data_of_nearly_4_gib(struct stream *stream)
{
    put_head(stream, MORE, NBD_REPLY_TYPE_OFFSET_DATA, 1, UINT32_MAX);
}

static void hole_before_the_request(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, client_offset(1) - 1, 10);
}

static void hole_that_ends_behind_the_request(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, client_offset(1) + LENGTH_1 - 9, 10);
}

static void hole_behind_the_request(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, client_offset(1) + LENGTH_1, 1);
}

static void hole_that_wraps_around(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, UINT64_MAX - 4, 10);
}

static void hole_longer_than_the_request(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, client_offset(1), LENGTH_1 + 1);
}

static void hole_of_nearly_4_gib(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, client_offset(1) + 1, UINT32_MAX);
}

static void hole_of_0_bytes(struct stream *stream)
{
    put_hole_at(stream, MORE, 1, client_offset(1), 0);
}

static void put_hole_of_chunk_length(struct stream *stream, uint32_t length)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_OFFSET_HOLE, 1, length);
    put_be64(stream, client_offset(1));
    put_be32(stream, LENGTH_1);
}

static void hole_in_a_chunk_of_11_bytes(struct stream *stream)
{
    put_hole_of_chunk_length(stream, 11);
}

static void hole_in_a_chunk_of_13_bytes(struct stream *stream)
{
    put_hole_of_chunk_length(stream, 13);
}

/* ---- Twice ---- */

static void data_over_data(struct stream *stream)
{
    put_data(stream, MORE, 3, 0, 50);
    put_data(stream, LAST, 3, 49, LENGTH_3);
}

static void data_over_a_hole(struct stream *stream)
{
    put_hole(stream, MORE, 3, 20, 30);
    put_data(stream, MORE, 3, 10, 21);
}

static void hole_over_data(struct stream *stream)
{
    put_data(stream, MORE, 3, 20, 30);
    put_hole(stream, MORE, 3, 25, 26);
}

static void hole_over_a_hole(struct stream *stream)
{
    put_hole(stream, MORE, 3, 20, 30);
    put_hole(stream, MORE, 3, 0, LENGTH_3);
}

static void the_same_chunk_twice(struct stream *stream)
{
    put_data(stream, MORE, 3, 20, 30);
    put_none(stream, 2);
    put_data(stream, MORE, 3, 20, 30);
}

static void data_after_all_of_it(struct stream *stream)
{
    put_data(stream, MORE, 3, 0, LENGTH_3);
    put_data(stream, LAST, 3, 50, 51);
}

/* More pieces than are kept: from the last one on gaps are filled. */
static void put_too_many_pieces(struct stream *stream)
{
    for (uint32_t i = 0; i <= NBD_PIECES_MAX; i++) {
        put_data(stream, MORE, 3, 4 * i, 4 * i + 1);
    }
}

static void data_half_over_a_filled_gap(struct stream *stream)
{
    put_too_many_pieces(stream);
    put_data(stream, MORE, 3, 4 * NBD_PIECES_MAX, 4 * NBD_PIECES_MAX + 2);
}

static void more_data_than_asked_for_in_filled_gaps(struct stream *stream)
{
    put_too_many_pieces(stream);
    for (uint32_t i = 0; i < LENGTH_3 / 4; i++) {
        put_data(stream, MORE, 3, 0, 5);
    }
}

/* ---- Not all ---- */

static void read_without_data(struct stream *stream)
{
    put_none(stream, 3);
}

static void read_without_its_last_byte(struct stream *stream)
{
    put_data(stream, LAST, 3, 0, LENGTH_3 - 1);
}

static void read_with_a_gap(struct stream *stream)
{
    put_data(stream, MORE, 3, 0, 50);
    put_hole(stream, MORE, 3, 51, LENGTH_3);
    put_none(stream, 3);
}

static void read_whose_filled_gaps_never_came(struct stream *stream)
{
    put_too_many_pieces(stream);
    put_data(stream, LAST, 3, 4 * NBD_PIECES_MAX + 1, LENGTH_3);
}

/* As many bytes as were asked for, but the same over and over. */
static void repeated_data_instead_of_missing_data(struct stream *stream)
{
    put_too_many_pieces(stream);
    for (uint32_t sent = NBD_PIECES_MAX + 1; sent < LENGTH_3; sent++) {
        put_data(stream, sent == LENGTH_3 - 1 ? LAST : MORE, 3, 0, 1);
    }
}

#define NOT_ASKED_FOR "it sent data that was not asked for"
#define TOO_MUCH      "it sent more data than was asked for"
#define TWICE         "it sent some of a read's data twice"
#define NOT_ALL       "it ended a read without having sent all of its data"
#define HOLE_LENGTH   "it sent a hole with a wrong length"
#define NO_DATA       "it sent a chunk of data without data"

int main(void)
{
    const struct CMUnitTest tests[] = {
        BROKEN(data_before_the_request, NOT_ASKED_FOR),
        BROKEN(data_that_ends_behind_the_request, NOT_ASKED_FOR),
        BROKEN(data_behind_the_request, NOT_ASKED_FOR),
        BROKEN(data_that_wraps_around, NOT_ASKED_FOR),
        BROKEN(data_4_gib_behind_the_request, NOT_ASKED_FOR),
        BROKEN(data_of_0_bytes, NO_DATA),
        BROKEN(data_without_offset, NO_DATA),
        BROKEN(data_longer_than_the_request, TOO_MUCH),
        BROKEN(data_of_nearly_4_gib, TOO_MUCH),
        BROKEN(hole_before_the_request, NOT_ASKED_FOR),
        BROKEN(hole_that_ends_behind_the_request, NOT_ASKED_FOR),
        BROKEN(hole_behind_the_request, NOT_ASKED_FOR),
        BROKEN(hole_that_wraps_around, NOT_ASKED_FOR),
        BROKEN(hole_longer_than_the_request, NOT_ASKED_FOR),
        BROKEN(hole_of_nearly_4_gib, NOT_ASKED_FOR),
        BROKEN(hole_of_0_bytes, NOT_ASKED_FOR),
        BROKEN(hole_in_a_chunk_of_11_bytes, HOLE_LENGTH),
        BROKEN(hole_in_a_chunk_of_13_bytes, HOLE_LENGTH),
        BROKEN(data_over_data, TWICE),
        BROKEN(data_over_a_hole, TWICE),
        BROKEN(hole_over_data, TWICE),
        BROKEN(hole_over_a_hole, TWICE),
        BROKEN(the_same_chunk_twice, TWICE),
        BROKEN(data_after_all_of_it, TWICE),
        BROKEN(data_half_over_a_filled_gap, TWICE),
        BROKEN(more_data_than_asked_for_in_filled_gaps, TWICE),
        BROKEN(read_without_data, NOT_ALL),
        BROKEN(read_without_its_last_byte, NOT_ALL),
        BROKEN(read_with_a_gap, NOT_ALL),
        BROKEN(read_whose_filled_gaps_never_came, NOT_ALL),
        BROKEN(repeated_data_instead_of_missing_data, NOT_ALL),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
