/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/used_blocks.h"
#include "tests/unit/guard.h"

#define BLOCKS 64

static void assert_used(const struct used_blocks *used, uint64_t count, bool is_whole)
{
    assert_int_equal(used->count, count);
    assert_int_equal(used_blocks_is_whole(used), is_whole);
}

static void extents_of_whole_blocks(void **state)
{
    struct used_blocks used;

    (void)state;
    used_blocks_init(&used, BLOCKS, 512);
    assert_used(&used, 0, false);
    used_blocks_add(&used, UINT64_C(10) * 512, true);
    used_blocks_add(&used, UINT64_C(20) * 512, false);
    used_blocks_add(&used, 0, true);
    used_blocks_add(&used, UINT64_C(1) * 512, true);
    assert_int_equal(used_blocks_next(&used), 31 * 512);
    assert_used(&used, 11, false);
    used_blocks_add(&used, UINT64_C(33) * 512, false);
    assert_used(&used, 11, true);
    assert_int_equal(used_blocks_next(&used), BLOCKS * 512);
}

/* What is beyond the end is not the disk's, however long. */
static void extents_beyond_the_end(void **state)
{
    struct used_blocks used;

    (void)state;
    used_blocks_init(&used, BLOCKS, 512);
    used_blocks_add(&used, 512, false);
    used_blocks_add(&used, UINT64_MAX, true);
    assert_used(&used, BLOCKS - 1, true);
    used_blocks_add(&used, UINT64_MAX, true);
    assert_used(&used, BLOCKS - 1, true);
}

/* A block is in use when any of it is, and counts once. */
static void extents_within_a_block(void **state)
{
    struct used_blocks used;

    (void)state;
    used_blocks_init(&used, BLOCKS, 4096);
    used_blocks_add(&used, 1, true);
    used_blocks_add(&used, 1, false);
    used_blocks_add(&used, 1, true);
    assert_used(&used, 1, false);
    used_blocks_add(&used, 4096, true); /* and of the next one the first 3 bytes */
    assert_used(&used, 2, false);
    used_blocks_add(&used, 4093, false);
    used_blocks_add(&used, 4095, false);
    used_blocks_add(&used, 1, true);
    assert_used(&used, 3, false);
}

/* The next answer repeats what was said of the block that this one has ended in. */
static void answers_that_end_within_a_block(void **state)
{
    struct used_blocks used;

    (void)state;
    used_blocks_init(&used, BLOCKS, 4096);
    used_blocks_add(&used, 4096 + 100, true);
    assert_int_equal(used_blocks_next(&used), 4096);
    assert_used(&used, 2, false);
    used_blocks_add(&used, 100, true);
    used_blocks_add(&used, 4096, false);
    assert_int_equal(used_blocks_next(&used), 8192);
    assert_used(&used, 2, false);
    used_blocks_add(&used, 4095, false);
    assert_int_equal(used_blocks_next(&used), 8192); /* nothing of a whole block */
    used_blocks_add(&used, UINT64_MAX, true);
    assert_used(&used, BLOCKS, true);
}

/* However the same disk is cut into extents and answers, the count is that of looking at each block. */
static void every_way_of_telling(void **state)
{
    enum { SIZE = BLOCKS * 512 };
    static bool bytes[SIZE];
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        uint64_t expected = 0;
        struct used_blocks used;

        for (unsigned at = 0; at < SIZE; at++) {
            seed = seed * 1664525 + 1013904223;
            bytes[at] = at != 0 && seed >> 22 != 0 ? bytes[at - 1] : (seed & 0x10000) != 0;
        }
        for (unsigned block = 0; block < BLOCKS; block++) {
            expected += memchr(bytes + block * 512, true, 512) != NULL;
        }
        used_blocks_init(&used, BLOCKS, 512);
        while (!used_blocks_is_whole(&used)) {
            uint64_t at = used.position;
            uint64_t end = at + 1;

            seed = seed * 1664525 + 1013904223;
            while (end < SIZE && bytes[end] == bytes[at] && end - at <= seed >> 20) {
                end++;
            }
            used_blocks_add(&used, end - at, bytes[at]);
            if (used.position - at >= 512 || used.position % 512 == 0) {
                used_blocks_next(&used);
            }
        }
        assert_used(&used, expected, true);
    }
}

static void begun_again(void **state)
{
    struct used_blocks used;

    (void)state;
    used_blocks_init(&used, BLOCKS, 512);
    used_blocks_add(&used, UINT64_C(63) * 512, true);
    used_blocks_restart(&used);
    assert_used(&used, 0, false);
    used_blocks_add(&used, UINT64_C(2) * 512, true);
    used_blocks_add(&used, UINT64_C(62) * 512, false);
    assert_used(&used, 2, true);
}

/* 2^63 bytes less a block, all in use. */
static void largest_disk(void **state)
{
    uint64_t block_count = UINT64_C(1) << 54;
    struct used_blocks used;

    (void)state;
    used_blocks_init(&used, block_count - 1, 512);
    used_blocks_add(&used, UINT64_MAX, true);
    assert_used(&used, block_count - 1, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extents_of_whole_blocks),
        cmocka_unit_test(extents_beyond_the_end),
        cmocka_unit_test(extents_within_a_block),
        cmocka_unit_test(answers_that_end_within_a_block),
        cmocka_unit_test(every_way_of_telling),
        cmocka_unit_test(begun_again),
        cmocka_unit_test(largest_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
