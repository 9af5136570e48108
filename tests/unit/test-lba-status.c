/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/lba_status.h"
#include "core/base/bytes.h"
#include "tests/unit/scsi_device.h"

#define BLOCKS    UINT64_C(2048)
#define ROOM      (8 + 16 * 8) /* 8 descriptors */
#define TWO_TO_32 (UINT64_C(1) << 32)
#define MAPPED    true
#define HOLE      false

/* What the answer says of `blocks` blocks, in the order of the disk. */
struct expected {
    uint64_t blocks;
    bool is_allocated;
};

static void assert_answer(const struct lba_status *status, uint64_t lba, const struct expected *expected,
                          uint32_t count)
{
    const uint8_t *descriptor = status->answer + 8;

    assert_int_equal(lba_status_finish(status), 8 + 16 * count);
    assert_int_equal(load_be32(status->answer), 4 + 16 * count);
    assert_int_equal(load_be32(status->answer + 4), 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(load_be64(descriptor), lba);
        assert_int_equal(load_be32(descriptor + 8), expected[i].blocks);
        assert_int_equal(descriptor[12], expected[i].is_allocated ? 0 : 1);
        assert_memory_equal(descriptor + 13, "\0\0\0", 3);
        lba += expected[i].blocks;
        descriptor += 16;
    }
}

#define ASSERT_ANSWER(status, lba, ...)                                                                                \
    assert_answer(status, lba, (const struct expected[]){__VA_ARGS__},                                                 \
                  sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

static void status_of_whole_blocks(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 100, BLOCKS, 512);
    lba_status_add(&status, 10 * 512, HOLE);
    lba_status_add(&status, 20 * 512, MAPPED);
    lba_status_add(&status, 30 * 512, HOLE);
    ASSERT_ANSWER(&status, 100, {10, HOLE}, {20, MAPPED}, {30, HOLE});
    ASSERT_ANSWER(&status, 100, {10, HOLE}, {20, MAPPED}, {30, HOLE}); /* twice is no harm */
}

static void status_of_neighbours_alike(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 0, BLOCKS, 512);
    lba_status_add(&status, 512, MAPPED);
    lba_status_add(&status, 0, HOLE);
    lba_status_add(&status, 1024, MAPPED);
    lba_status_add(&status, 512, HOLE);
    lba_status_add(&status, 512, HOLE);
    ASSERT_ANSWER(&status, 0, {3, MAPPED}, {2, HOLE});
}

/* A block is a hole when all of it is: whatever the extents' borders are, byte by byte. */
static void status_of_parts_of_blocks(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    for (unsigned border = 1; border < 512; border++) {
        lba_status_init(&status, answer, sizeof(answer), 5, BLOCKS, 512);
        lba_status_add(&status, 3 * 512 + border, HOLE);
        lba_status_add(&status, 2 * 512 - border, MAPPED);
        lba_status_add(&status, 512 - border, HOLE);
        lba_status_add(&status, border, HOLE);
        ASSERT_ANSWER(&status, 5, {3, HOLE}, {2, MAPPED}, {1, HOLE});

        lba_status_init(&status, answer, sizeof(answer), 5, BLOCKS, 512);
        lba_status_add(&status, border, MAPPED);
        lba_status_add(&status, 2 * 512 - border, HOLE);
        lba_status_add(&status, border, HOLE);
        lba_status_add(&status, 512 - border, MAPPED);
        ASSERT_ANSWER(&status, 5, {1, MAPPED}, {1, HOLE}, {1, MAPPED});
    }
}

/* Many extents within one block. */
static void status_of_crumbs(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 0, BLOCKS, 512);
    for (unsigned i = 0; i < 512; i++) {
        lba_status_add(&status, 1, HOLE);
    }
    for (unsigned i = 0; i < 512; i++) {
        lba_status_add(&status, 1, i == 300 ? MAPPED : HOLE);
    }
    for (unsigned i = 0; i < 512; i++) {
        lba_status_add(&status, 1, HOLE);
    }
    ASSERT_ANSWER(&status, 0, {1, HOLE}, {1, MAPPED}, {1, HOLE});
}

/* Of a block that is told in part nothing is said, unless there is nothing else to say. */
static void status_that_ends_within_a_block(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 7, BLOCKS, 512);
    ASSERT_ANSWER(&status, 7, {1, MAPPED});
    lba_status_add(&status, 511, HOLE);
    ASSERT_ANSWER(&status, 7, {1, MAPPED});
    lba_status_add(&status, 1, HOLE);
    lba_status_add(&status, 511, MAPPED);
    ASSERT_ANSWER(&status, 7, {1, HOLE});
}

static void status_beyond_the_end(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 2000, BLOCKS, 512);
    lba_status_add(&status, 40 * 512 + 100, HOLE);
    lba_status_add(&status, UINT64_MAX, MAPPED);
    lba_status_add(&status, UINT64_MAX, HOLE);
    lba_status_add(&status, 1, HOLE);
    ASSERT_ANSWER(&status, 2000, {40, HOLE}, {8, MAPPED});
}

/* More blocks than a descriptor can say: several. */
static void status_of_very_long_extents(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 10, 3 * TWO_TO_32, 512);
    lba_status_add(&status, (TWO_TO_32 + 5) * 512, HOLE);
    lba_status_add(&status, (TWO_TO_32 - 1) * 512, MAPPED);
    lba_status_add(&status, 512, MAPPED);
    ASSERT_ANSWER(&status, 10, {UINT32_MAX, HOLE}, {6, HOLE}, {UINT32_MAX, MAPPED}, {1, MAPPED});

    lba_status_init(&status, answer, sizeof(answer), 0, UINT64_MAX / 512, 512);
    lba_status_add(&status, UINT64_MAX, HOLE);
    lba_status_add(&status, 1, MAPPED);
    assert_int_equal(lba_status_finish(&status), ROOM);
    assert_int_equal(load_be64(answer + ROOM - 16), 7 * (TWO_TO_32 - 1));
    assert_int_equal(load_be32(answer + ROOM - 8), UINT32_MAX);
}

static void status_of_more_extents_than_room(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, 8 + 16 * 2, 0, BLOCKS, 512);
    lba_status_add(&status, 512, HOLE);
    lba_status_add(&status, 512, MAPPED);
    lba_status_add(&status, 512, MAPPED); /* the last one still grows */
    lba_status_add(&status, 512, HOLE);
    lba_status_add(&status, 512, MAPPED);
    ASSERT_ANSWER(&status, 0, {1, HOLE}, {2, MAPPED});
}

/* Cut at each length; nothing behind the cut is written. The header says how long the whole answer is. */
static void status_cut_at_each_length(void **state)
{
    const uint8_t whole[8 + 16 * 2] = {
        0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1,
        1, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0,
    };
    uint8_t *room = guard_memory(sizeof(whole));

    (void)state;
    for (uint32_t capacity = 0; capacity <= sizeof(whole); capacity++) {
        uint8_t *answer = fresh_tail(room, sizeof(whole), capacity);
        uint32_t descriptors = capacity < sizeof(whole) ? 1 : 2;
        uint32_t length = 8 + 16 * descriptors < capacity ? 8 + 16 * descriptors : capacity;
        uint8_t expected[sizeof(whole)];
        struct lba_status status;

        memcpy(expected, whole, sizeof(whole));
        expected[3] = (uint8_t)(4 + 16 * descriptors);
        lba_status_init(&status, capacity == 0 ? NULL : answer, capacity, 3, BLOCKS, 512);
        lba_status_add(&status, 512, HOLE);
        lba_status_add(&status, 1024, MAPPED);
        assert_int_equal(lba_status_finish(&status), length);
        assert_memory_equal(answer, expected, length);
        assert_untouched(room, answer);
        assert_untouched(answer + length, room + sizeof(whole));
    }
    guard_free(room, sizeof(whole));
}

static void status_restarted(void **state)
{
    struct lba_status status;
    uint8_t answer[ROOM];

    (void)state;
    lba_status_init(&status, answer, sizeof(answer), 9, BLOCKS, 4096);
    lba_status_add(&status, 4096, HOLE);
    lba_status_add(&status, 4096, MAPPED);
    lba_status_add(&status, 4095, MAPPED);
    lba_status_restart(&status);
    lba_status_add(&status, 2 * 4096, HOLE);
    ASSERT_ANSWER(&status, 9, {2, HOLE});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_of_whole_blocks),          cmocka_unit_test(status_of_neighbours_alike),
        cmocka_unit_test(status_of_parts_of_blocks),       cmocka_unit_test(status_of_crumbs),
        cmocka_unit_test(status_that_ends_within_a_block), cmocka_unit_test(status_beyond_the_end),
        cmocka_unit_test(status_of_very_long_extents),     cmocka_unit_test(status_of_more_extents_than_room),
        cmocka_unit_test(status_cut_at_each_length),       cmocka_unit_test(status_restarted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
