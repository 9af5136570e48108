/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NBD_REPLY_TYPE_BLOCK_STATUS_EXT, extents of 64 bits: in the extended form only. Cookie 8 asks for extents, cookie 16
 * for one. */
#include "tests/unit/reply_check.h"

#define LENGTH_8  297u
#define LENGTH_16 593u

/* ---- Right ---- */

/* "NBD_REPLY_TYPE_BLOCK_STATUS_EXT": the count may be left 0. */
static void put_wide_extents(struct stream *stream)
{
    put_status_ext(stream, LAST, 8, 3);
    put_extent_ext(stream, 100, 0);
    put_extent_ext(stream, LENGTH_8 - 101, UINT64_MAX);
    put_extent_ext(stream, UINT64_MAX, (uint64_t)1 << 32);
    put_head(stream, LAST, NBD_REPLY_TYPE_BLOCK_STATUS_EXT, 24, 8 + 16);
    put_be32(stream, CLIENT_CONTEXT);
    put_be32(stream, 0);
    put_extent_ext(stream, 10, 1);
    put_status_ext(stream, LAST, 16, 1);
    put_extent_ext(stream, LENGTH_16, 2);
}

static void check_wide_extents(const struct stream *stream, const uint8_t **entry)
{
    check_extent(entry, 8, 100, 0);
    check_extent(entry, 8, LENGTH_8 - 101, UINT64_MAX);
    check_extent(entry, 8, UINT64_MAX, (uint64_t)1 << 32);
    check_good(stream, entry, 8);
    check_extent(entry, 24, 10, 1);
    check_good(stream, entry, 24);
    check_extent(entry, 16, LENGTH_16, 2);
    check_good(stream, entry, 16);
}

static void wide_status_of_two_extents(struct stream *stream)
{
    put_status_ext(stream, MORE, 8, 2);
    put_extent_ext(stream, 1, 1);
    put_extent_ext(stream, 1, 1);
    put_none(stream, 8);
}

static void wide_extents(void **state)
{
    static struct stream stream;
    static struct reply_client client;
    const uint8_t *entry = client.log;

    (void)state;
    stream_init(&stream, NBD_EXTENDED);
    put_wide_extents(&stream);
    check_every_way(&stream, &client);
    check_wide_extents(&stream, &entry);
    check_log_end(&client, entry);
    stream_init(&stream, NBD_EXTENDED);
    wide_status_of_two_extents(&stream);
    check_open_until_the_last_byte(&stream, 8);
}

/* ---- Wrong ---- */

/* In the structured form such chunks are wrong as such. */
static void check_wide_broken(void (*put)(struct stream *stream), const char *broken)
{
    static struct stream stream;

    stream_init(&stream, NBD_EXTENDED);
    put(&stream);
    check_broken(&stream, broken);
    stream_init(&stream, NBD_STRUCTURED);
    put(&stream);
    check_broken(&stream, "it sent an extended block status, which was not negotiated");
}

static void put_wide_length(struct stream *stream, uint32_t length, uint32_t count)
{
    put_head(stream, LAST, NBD_REPLY_TYPE_BLOCK_STATUS_EXT, 8, length);
    put_be32(stream, CLIENT_CONTEXT);
    put_be32(stream, count);
    for (uint32_t i = 8; i + 16 <= length; i += 16) {
        put_extent_ext(stream, 1, 0);
    }
}

static void put_wide_count_too_high(struct stream *stream)
{
    put_wide_length(stream, 8 + 32, 3);
}

static void put_wide_count_too_low(struct stream *stream)
{
    put_wide_length(stream, 8 + 32, 1);
}

static void put_wide_without_extents(struct stream *stream)
{
    put_wide_length(stream, 8, 0);
}

static void put_wide_cut(struct stream *stream)
{
    put_wide_length(stream, 8 + 24, 2);
}

static void put_wide_with_0_bytes(struct stream *stream)
{
    put_status_ext(stream, LAST, 8, 1);
    put_extent_ext(stream, 0, 0);
}

/* The lengths' sum is 3 in 64 bits. */
static void put_wide_that_wraps(struct stream *stream)
{
    put_status_ext(stream, LAST, 8, 3);
    put_extent_ext(stream, 4, 0);
    put_extent_ext(stream, UINT64_MAX, 0);
    put_extent_ext(stream, 4, 0);
}

static void put_wide_of_one_too_long(struct stream *stream)
{
    put_status_ext(stream, LAST, 16, 1);
    put_extent_ext(stream, ((uint64_t)1 << 32) + 1, 0);
}

static void wide_status_misbehaves(void **state)
{
    (void)state;
    check_wide_broken(put_wide_count_too_high, "it sent a block status with a wrong number of extents");
    check_wide_broken(put_wide_count_too_low, "it sent a block status with a wrong number of extents");
    check_wide_broken(put_wide_without_extents, "it sent a block status with a wrong length");
    check_wide_broken(put_wide_cut, "it sent a block status with a wrong length");
    check_wide_broken(put_wide_with_0_bytes, "it sent an extent of 0 bytes");
    check_wide_broken(put_wide_that_wraps, "it sent extents beyond what was asked for");
    check_wide_broken(put_wide_of_one_too_long, "it sent more than the one extent that was asked for");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_extents),
        cmocka_unit_test(wide_status_misbehaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
