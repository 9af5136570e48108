/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/export.h"
#include "core/nbd/wire.h"
#include "tests/unit/guard.h"

#define GIGABYTE ((uint64_t)1 << 30)

static struct nbd_export export_with(uint64_t size, uint32_t minimum, uint32_t preferred, uint32_t maximum)
{
    struct nbd_export server = nbd_export_assumed(size, 0);

    server.minimum_block = minimum;
    server.preferred_block = preferred;
    server.maximum_payload = maximum;
    return server;
}

static enum nbd_geometry_problem problem_of(struct nbd_export server, uint32_t block_size)
{
    struct nbd_geometry geometry;

    return nbd_export_geometry(&server, block_size, &geometry);
}

static enum nbd_geometry_problem problem_of_size(uint64_t size, uint32_t block_size)
{
    return problem_of(nbd_export_assumed(size, 0), block_size);
}

static void size_is_counted_in_blocks(void **state)
{
    static const struct {
        uint64_t size;
        uint32_t block_size;
        uint64_t block_count;
    } rows[] = {
        {512, 512, 1},
        {513, 512, 1},
        {1023, 512, 1},
        {1024, 512, 2},
        {4096, 4096, 1},
        {GIGABYTE, 512, 2097152},
        {GIGABYTE + 511, 512, 2097152},
        {GIGABYTE + 4095, 4096, 262144},
        {INT64_MAX, 512, INT64_MAX / 512},
        {INT64_MAX, 4096, INT64_MAX / 4096},
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(rows); i++) {
        struct nbd_export server = nbd_export_assumed(rows[i].size, 0);
        struct nbd_geometry geometry = {0};

        assert_int_equal(nbd_export_geometry(&server, rows[i].block_size, &geometry), NBD_GEOMETRY_OK);
        assert_int_equal(geometry.block_count, rows[i].block_count);
        assert_int_equal(geometry.block_size, rows[i].block_size);
        assert_int_equal(geometry.maximum_length, NBD_DEFAULT_MAXIMUM_PAYLOAD);
    }
}

static void export_below_a_block_is_refused(void **state)
{
    (void)state;
    assert_int_equal(problem_of_size(0, 512), NBD_GEOMETRY_TOO_SMALL);
    assert_int_equal(problem_of_size(1, 512), NBD_GEOMETRY_TOO_SMALL);
    assert_int_equal(problem_of_size(511, 512), NBD_GEOMETRY_TOO_SMALL);
    assert_int_equal(problem_of_size(512, 4096), NBD_GEOMETRY_TOO_SMALL);
    assert_int_equal(problem_of_size(4095, 4096), NBD_GEOMETRY_TOO_SMALL);
}

static void export_above_int64_max_is_refused(void **state)
{
    (void)state;
    assert_int_equal(problem_of_size((uint64_t)1 << 63, 512), NBD_GEOMETRY_TOO_LARGE);
    assert_int_equal(problem_of_size(((uint64_t)1 << 63) + 1, 4096), NBD_GEOMETRY_TOO_LARGE);
    assert_int_equal(problem_of_size(UINT64_MAX, 512), NBD_GEOMETRY_TOO_LARGE);
}

static void refusal_leaves_the_geometry_alone(void **state)
{
    struct nbd_export server = nbd_export_assumed(UINT64_MAX, 0);
    struct nbd_geometry geometry = {.block_count = 7, .block_size = 8, .maximum_length = 9};

    (void)state;
    assert_int_equal(nbd_export_geometry(&server, 512, &geometry), NBD_GEOMETRY_TOO_LARGE);
    assert_int_equal(geometry.block_count, 7);
    assert_int_equal(geometry.block_size, 8);
    assert_int_equal(geometry.maximum_length, 9);
}

static void minimum_block_decides_the_sector(void **state)
{
    static const struct {
        uint32_t minimum;
        enum nbd_geometry_problem small;
        enum nbd_geometry_problem large;
    } rows[] = {
        {1, NBD_GEOMETRY_OK, NBD_GEOMETRY_OK},
        {256, NBD_GEOMETRY_OK, NBD_GEOMETRY_OK},
        {512, NBD_GEOMETRY_OK, NBD_GEOMETRY_OK},
        {1024, NBD_GEOMETRY_BLOCK_SIZE_REQUIRED, NBD_GEOMETRY_OK},
        {4096, NBD_GEOMETRY_BLOCK_SIZE_REQUIRED, NBD_GEOMETRY_OK},
        {8192, NBD_GEOMETRY_MINIMUM_TOO_LARGE, NBD_GEOMETRY_MINIMUM_TOO_LARGE},
        {65536, NBD_GEOMETRY_MINIMUM_TOO_LARGE, NBD_GEOMETRY_MINIMUM_TOO_LARGE},
        {0x80000000, NBD_GEOMETRY_MINIMUM_TOO_LARGE, NBD_GEOMETRY_MINIMUM_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(rows); i++) {
        uint32_t minimum = rows[i].minimum;
        uint32_t preferred = minimum < 4096 ? 4096 : minimum;
        struct nbd_export server = export_with(GIGABYTE, minimum, preferred, NBD_UNLIMITED_PAYLOAD);

        assert_int_equal(problem_of(server, 512), rows[i].small);
        assert_int_equal(problem_of(server, 4096), rows[i].large);
    }
}

static void impossible_block_sizes_are_refused(void **state)
{
    static const struct {
        uint32_t minimum;
        uint32_t preferred;
        uint32_t maximum;
    } rows[] = {
        {0, 4096, 1 << 20},          /* none */
        {513, 4096, 513 * 8},        /* not a power of two */
        {0xFFFFFFFF, 4096, 1 << 20}, /* -1 */
        {512, 0, 1 << 20},
        {512, 4097, 1 << 20},
        {4096, 512, 1 << 20}, /* preferred below the minimum */
        {512, 4096, 0},
        {512, 4096, (1 << 20) + 1}, /* not a multiple of the minimum */
        {512, 4096, 511},
        {512, 4096, 0xFFFFFFFE},
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(rows); i++) {
        struct nbd_export server = export_with(GIGABYTE, rows[i].minimum, rows[i].preferred, rows[i].maximum);

        assert_int_equal(problem_of(server, 512), NBD_GEOMETRY_BLOCK_SIZES_BROKEN);
        assert_int_equal(problem_of(server, 4096), NBD_GEOMETRY_BLOCK_SIZES_BROKEN);
    }
}

static void maximum_length_is_whole_blocks(void **state)
{
    static const struct {
        uint32_t minimum;
        uint32_t maximum;
        uint32_t block_size;
        uint32_t length;
    } rows[] = {
        {1, 65536, 512, 65536},
        {1, 65537, 512, 65536},
        {1, 1000, 512, 512},
        {512, 512, 512, 512},
        {512, 4608, 4096, 4096},
        {1, NBD_UNLIMITED_PAYLOAD, 512, 0xFFFFFE00},
        {1, NBD_UNLIMITED_PAYLOAD, 4096, 0xFFFFF000},
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(rows); i++) {
        struct nbd_export server = export_with(GIGABYTE, rows[i].minimum, 4096, rows[i].maximum);
        struct nbd_geometry geometry = {0};

        assert_int_equal(nbd_export_geometry(&server, rows[i].block_size, &geometry), NBD_GEOMETRY_OK);
        assert_int_equal(geometry.maximum_length, rows[i].length);
    }
}

static void maximum_below_a_block_is_refused(void **state)
{
    (void)state;
    assert_int_equal(problem_of(export_with(GIGABYTE, 1, 512, 511), 512), NBD_GEOMETRY_MAXIMUM_TOO_SMALL);
    assert_int_equal(problem_of(export_with(GIGABYTE, 512, 512, 2048), 4096), NBD_GEOMETRY_MAXIMUM_TOO_SMALL);
}

static void other_block_sizes_are_refused(void **state)
{
    const uint32_t sizes[] = {0, 1, 256, 511, 513, 520, 1024, 2048, 4095, 4097, 8192, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(sizes); i++) {
        assert_int_equal(problem_of_size(GIGABYTE, sizes[i]), NBD_GEOMETRY_BLOCK_SIZE_INVALID);
    }
}

static void missing_has_flags_is_refused(void **state)
{
    struct nbd_export server = nbd_export_assumed(GIGABYTE, 0);

    (void)state;
    server.flags = NBD_FLAG_SEND_FLUSH;
    assert_int_equal(problem_of(server, 512), NBD_GEOMETRY_FLAGS_BROKEN);
}

static void unknown_flags_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(problem_of(nbd_export_assumed(GIGABYTE, 0xFFFF), 512), NBD_GEOMETRY_OK);
}

static void assumed_export_has_the_protocols_defaults(void **state)
{
    struct nbd_export server = nbd_export_assumed(12345, NBD_FLAG_READ_ONLY);

    (void)state;
    assert_int_equal(server.size, 12345);
    assert_int_equal(server.flags, NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY);
    assert_int_equal(server.minimum_block, 1);
    assert_int_equal(server.preferred_block, 4096);
    assert_int_equal(server.maximum_payload, 32 << 20);
}

static void export_that_changed_is_told_apart(void **state)
{
    static const struct {
        uint64_t size;
        uint16_t flags;
        uint32_t minimum, preferred, maximum;
        enum nbd_export_change change;
    } rows[] = {
        {GIGABYTE, NBD_FLAG_SEND_FLUSH, 512, 4096, 65536, NBD_EXPORT_SAME},
        {GIGABYTE + 1, NBD_FLAG_SEND_FLUSH, 512, 4096, 65536, NBD_EXPORT_GROWN},
        {UINT64_MAX, NBD_FLAG_SEND_FLUSH, 512, 4096, 65536, NBD_EXPORT_GROWN},
        {GIGABYTE - 1, NBD_FLAG_SEND_FLUSH, 512, 4096, 65536, NBD_EXPORT_SHRUNK},
        {0, NBD_FLAG_SEND_FLUSH, 512, 4096, 65536, NBD_EXPORT_SHRUNK},
        {GIGABYTE, 0, 512, 4096, 65536, NBD_EXPORT_FLAGS_DIFFER},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH | NBD_FLAG_READ_ONLY, 512, 4096, 65536, NBD_EXPORT_FLAGS_DIFFER},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA, 512, 4096, 65536, NBD_EXPORT_FLAGS_DIFFER},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_TRIM, 512, 4096, 65536, NBD_EXPORT_FLAGS_DIFFER},
        {GIGABYTE + 1, 0, 512, 4096, 65536, NBD_EXPORT_FLAGS_DIFFER},
        /* of no account to a disk's requests */
        {GIGABYTE, NBD_FLAG_SEND_FLUSH | NBD_FLAG_CAN_MULTI_CONN, 512, 4096, 65536, NBD_EXPORT_SAME},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH, 1, 4096, 65536, NBD_EXPORT_SAME},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH, 512, 65536, 65536, NBD_EXPORT_SAME},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH, 512, 4096, 65537, NBD_EXPORT_SAME},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH, 1024, 4096, 65536, NBD_EXPORT_BLOCKS_DIFFER},
        {GIGABYTE, NBD_FLAG_SEND_FLUSH, 512, 4096, 65535, NBD_EXPORT_BLOCKS_DIFFER},
        {GIGABYTE + 1, NBD_FLAG_SEND_FLUSH, 1024, 4096, 65536, NBD_EXPORT_BLOCKS_DIFFER},
    };
    struct nbd_export was = export_with(GIGABYTE, 512, 4096, 65536);

    (void)state;
    was.flags |= NBD_FLAG_SEND_FLUSH;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nbd_export is = export_with(rows[i].size, rows[i].minimum, rows[i].preferred, rows[i].maximum);

        is.flags |= rows[i].flags;
        assert_int_equal(nbd_export_compare(&was, &is), rows[i].change);
    }
}

static void each_change_has_its_own_words(void **state)
{
    (void)state;
    for (int i = NBD_EXPORT_SAME; i <= NBD_EXPORT_BLOCKS_DIFFER; i++) {
        for (int other = NBD_EXPORT_SAME; other < i; other++) {
            assert_string_not_equal(nbd_export_change_text((enum nbd_export_change)i),
                                    nbd_export_change_text((enum nbd_export_change)other));
        }
    }
}

static void each_problem_has_its_own_words(void **state)
{
    (void)state;
    for (int i = NBD_GEOMETRY_OK; i <= NBD_GEOMETRY_MAXIMUM_TOO_SMALL; i++) {
        const char *text = nbd_geometry_problem_text((enum nbd_geometry_problem)i);

        assert_true(strlen(text) > 10 && strlen(text) < 200);
        for (int j = NBD_GEOMETRY_OK; j < i; j++) {
            assert_string_not_equal(text, nbd_geometry_problem_text((enum nbd_geometry_problem)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_counted_in_blocks),
        cmocka_unit_test(export_below_a_block_is_refused),
        cmocka_unit_test(export_above_int64_max_is_refused),
        cmocka_unit_test(refusal_leaves_the_geometry_alone),
        cmocka_unit_test(minimum_block_decides_the_sector),
        cmocka_unit_test(impossible_block_sizes_are_refused),
        cmocka_unit_test(maximum_length_is_whole_blocks),
        cmocka_unit_test(maximum_below_a_block_is_refused),
        cmocka_unit_test(other_block_sizes_are_refused),
        cmocka_unit_test(missing_has_flags_is_refused),
        cmocka_unit_test(unknown_flags_are_ignored),
        cmocka_unit_test(assumed_export_has_the_protocols_defaults),
        cmocka_unit_test(export_that_changed_is_told_apart),
        cmocka_unit_test(each_change_has_its_own_words),
        cmocka_unit_test(each_problem_has_its_own_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
