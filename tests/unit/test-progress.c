/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/progress.h"
#include "tests/unit/guard.h"

static void add(struct nbd_progress *progress, uint32_t begin, uint32_t end)
{
    assert_true(nbd_progress_add(progress, begin, end));
}

static void check_piece(const struct nbd_progress *progress, unsigned at, uint32_t begin, uint32_t end)
{
    assert_true(at < progress->pieces);
    assert_int_equal(progress->piece[at].begin, begin);
    assert_int_equal(progress->piece[at].end, end);
}

static void nothing_has_come_at_first(void **state)
{
    struct nbd_progress progress;

    (void)state;
    memset(&progress, 0xEE, sizeof progress);
    nbd_progress_init(&progress);
    assert_int_equal(progress.error, 0);
    assert_false(progress.has_error_offset);
    assert_false(progress.has_status);
    assert_false(progress.loose);
    assert_int_equal(progress.received, 0);
    assert_int_equal(progress.pieces, 0);
    assert_false(nbd_progress_is_full(&progress));
    assert_false(nbd_progress_is_whole(&progress, 1));
}

/* A progress serves one request after the other. */
static void nothing_is_left_of_the_request_before(void **state)
{
    struct nbd_progress progress;

    (void)state;
    nbd_progress_init(&progress);
    add(&progress, 0, 1);
    add(&progress, 10, 20);
    nbd_progress_init(&progress);
    add(&progress, 0, 5);
    add(&progress, 5, 10);
    assert_int_equal(progress.pieces, 1);
    check_piece(&progress, 0, 0, 10);
}

static void one_piece_is_whole(void **state)
{
    struct nbd_progress progress;

    (void)state;
    nbd_progress_init(&progress);
    add(&progress, 0, UINT32_MAX);
    assert_int_equal(progress.received, UINT32_MAX);
    assert_true(nbd_progress_is_whole(&progress, UINT32_MAX));
    assert_false(nbd_progress_is_whole(&progress, UINT32_MAX - 1));
}

/* The beginning, the end or the middle is missing. */
static void parts_are_not_whole(void **state)
{
    struct nbd_progress progress;

    (void)state;
    nbd_progress_init(&progress);
    add(&progress, 1, 10);
    assert_false(nbd_progress_is_whole(&progress, 10));
    assert_false(nbd_progress_is_whole(&progress, 9));
    nbd_progress_init(&progress);
    add(&progress, 0, 9);
    assert_false(nbd_progress_is_whole(&progress, 10));
    nbd_progress_init(&progress);
    add(&progress, 0, 4);
    add(&progress, 5, 10);
    assert_false(nbd_progress_is_whole(&progress, 10));
    add(&progress, 4, 5);
    assert_true(nbd_progress_is_whole(&progress, 10));
}

static void pieces_in_order_and_in_reverse_stay_one(void **state)
{
    struct nbd_progress progress;

    (void)state;
    nbd_progress_init(&progress);
    for (uint32_t i = 0; i < 100; i++) {
        add(&progress, i * 7, i * 7 + 7);
        assert_int_equal(progress.pieces, 1);
        check_piece(&progress, 0, 0, i * 7 + 7);
    }
    nbd_progress_init(&progress);
    for (uint32_t i = 100; i > 0; i--) {
        add(&progress, i * 7 - 7, i * 7);
        assert_int_equal(progress.pieces, 1);
        check_piece(&progress, 0, i * 7 - 7, 700);
    }
    assert_true(nbd_progress_is_whole(&progress, 700));
}

static void pieces_that_touch_become_one(void **state)
{
    struct nbd_progress progress;

    (void)state;
    nbd_progress_init(&progress);
    add(&progress, 10, 20);
    add(&progress, 30, 40);
    add(&progress, 50, 60);
    add(&progress, 20, 25); /* on the left */
    check_piece(&progress, 0, 10, 25);
    add(&progress, 45, 50); /* on the right */
    check_piece(&progress, 2, 45, 60);
    add(&progress, 25, 30); /* on both sides */
    assert_int_equal(progress.pieces, 2);
    check_piece(&progress, 0, 10, 40);
    check_piece(&progress, 1, 45, 60);
    add(&progress, 42, 43); /* on none */
    assert_int_equal(progress.pieces, 3);
    check_piece(&progress, 1, 42, 43);
}

static void check_order(const uint32_t *order, uint32_t count)
{
    struct nbd_progress progress;

    nbd_progress_init(&progress);
    for (uint32_t i = 0; i < count; i++) {
        assert_false(nbd_progress_is_whole(&progress, count * 3));
        add(&progress, order[i] * 3, order[i] * 3 + 3);
    }
    assert_true(nbd_progress_is_whole(&progress, count * 3));
    assert_false(progress.loose);
}

/* Heap's algorithm, without recursion. */
static void every_order_of_six_pieces_is_whole_at_the_end(void **state)
{
    uint32_t order[] = {0, 1, 2, 3, 4, 5};
    uint32_t turn[GUARD_COUNT(order)] = {0};
    unsigned orders = 1;

    (void)state;
    check_order(order, GUARD_COUNT(order));
    for (uint32_t i = 1; i < GUARD_COUNT(order);) {
        if (turn[i] < i) {
            uint32_t other = i % 2 == 0 ? 0 : turn[i];
            uint32_t moved = order[i];

            order[i] = order[other];
            order[other] = moved;
            check_order(order, GUARD_COUNT(order));
            orders++;
            turn[i]++;
            i = 1;
        } else {
            turn[i++] = 0;
        }
    }
    assert_int_equal(orders, 720);
}

static bool apart(uint32_t begin, uint32_t end, uint32_t other_begin, uint32_t other_end)
{
    return end <= other_begin || begin >= other_end;
}

/* Every piece there is beside three others: over one, inside, around, over two, over all, touching. */
static void what_overlaps_in_any_way_is_refused(void **state)
{
    (void)state;
    for (uint32_t begin = 0; begin < 40; begin++) {
        for (uint32_t end = begin + 1; end <= 40; end++) {
            struct nbd_progress progress;
            bool good = apart(begin, end, 5, 10) && apart(begin, end, 15, 20) && apart(begin, end, 21, 25);

            nbd_progress_init(&progress);
            add(&progress, 5, 10);
            add(&progress, 21, 25);
            add(&progress, 15, 20);
            assert_int_equal(nbd_progress_add(&progress, begin, end), good);
        }
    }
}

/* Pieces of one byte at 0, 2, 4 ... */
static void scatter(struct nbd_progress *progress)
{
    nbd_progress_init(progress);
    for (uint32_t i = 0; i < NBD_PIECES_MAX; i++) {
        assert_false(nbd_progress_is_full(progress));
        add(progress, 2 * i, 2 * i + 1);
    }
    assert_true(nbd_progress_is_full(progress));
}

static void gap_between_the_first_two_is_filled_when_full(void **state)
{
    struct nbd_progress progress;
    struct nbd_piece gap;

    (void)state;
    scatter(&progress);
    assert_false(progress.loose);
    gap = nbd_progress_fill_gap(&progress);
    assert_int_equal(gap.begin, 1);
    assert_int_equal(gap.end, 2);
    assert_true(progress.loose);
    assert_false(nbd_progress_is_full(&progress));
    assert_int_equal(progress.pieces, NBD_PIECES_MAX - 1);
    assert_int_equal(progress.received, NBD_PIECES_MAX); /* what is filled has not come */
    check_piece(&progress, 0, 0, 3);
    check_piece(&progress, 1, 4, 5);
}

static void gap_that_was_filled_may_still_come(void **state)
{
    struct nbd_progress progress;

    (void)state;
    scatter(&progress);
    (void)nbd_progress_fill_gap(&progress);
    for (uint32_t i = 1; i < 14; i += 2) {
        assert_false(nbd_progress_is_whole(&progress, 15));
        add(&progress, i, i + 1);
    }
    assert_true(nbd_progress_is_whole(&progress, 15));
}

static void loose_pieces_overlap_only_inside_of_one(void **state)
{
    (void)state;
    for (uint32_t begin = 0; begin < 20; begin++) {
        for (uint32_t end = begin + 1; end <= 20; end++) {
            struct nbd_progress progress;
            bool good = end <= 3 || begin >= 15 || (begin >= 3 && end == begin + 1);

            scatter(&progress);
            (void)nbd_progress_fill_gap(&progress);
            assert_int_equal(nbd_progress_add(&progress, begin, end), good);
        }
    }
}

/* Or a server could have memory handed out that nobody wrote. */
static void repeated_pieces_do_not_stand_for_missing_ones(void **state)
{
    struct nbd_progress progress;

    (void)state;
    scatter(&progress);
    (void)nbd_progress_fill_gap(&progress);
    while (progress.received < 100) {
        add(&progress, 0, 1);
        assert_false(nbd_progress_is_whole(&progress, 100));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_come_at_first),
        cmocka_unit_test(nothing_is_left_of_the_request_before),
        cmocka_unit_test(one_piece_is_whole),
        cmocka_unit_test(parts_are_not_whole),
        cmocka_unit_test(pieces_in_order_and_in_reverse_stay_one),
        cmocka_unit_test(pieces_that_touch_become_one),
        cmocka_unit_test(every_order_of_six_pieces_is_whole_at_the_end),
        cmocka_unit_test(what_overlaps_in_any_way_is_refused),
        cmocka_unit_test(gap_between_the_first_two_is_filled_when_full),
        cmocka_unit_test(gap_that_was_filled_may_still_come),
        cmocka_unit_test(loose_pieces_overlap_only_inside_of_one),
        cmocka_unit_test(repeated_pieces_do_not_stand_for_missing_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
