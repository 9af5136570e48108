/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/io/stats.h"
#include "tests/unit/guard.h"

static void check_sums(const struct io_stats *stats)
{
    assert_int_equal(stats->received, stats->submitted + stats->unsubmitted + stats->aborted_unsubmitted);
    assert_int_equal(stats->submitted, stats->replied + stats->pending + stats->aborted_submitted);
}

static void request_is_counted_on_its_way(void **state)
{
    struct io_stats stats = {0};

    (void)state;
    stats_received(&stats, 10);
    assert_int_equal(stats.received, 1);
    assert_int_equal(stats.unsubmitted, 1);
    assert_int_equal(stats.last_received, 10);
    check_sums(&stats);

    stats_submitted(&stats, 20);
    assert_int_equal(stats.unsubmitted, 0);
    assert_int_equal(stats.submitted, 1);
    assert_int_equal(stats.pending, 1);
    assert_int_equal(stats.last_submitted, 20);
    check_sums(&stats);

    stats_replied(&stats, 30);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.replied, 1);
    assert_int_equal(stats.last_replied, 30);
    assert_int_equal(stats.last_received, 10);
    assert_int_equal(stats.last_submitted, 20);
    check_sums(&stats);
}

static void withdrawal_lets_a_request_be_submitted_again(void **state)
{
    struct io_stats stats = {0};

    (void)state;
    stats_received(&stats, 10);
    stats_submitted(&stats, 20);
    stats_withdrawn(&stats);
    assert_int_equal(stats.submitted, 0);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.unsubmitted, 1);
    check_sums(&stats);

    stats_submitted(&stats, 30);
    stats_replied(&stats, 40);
    assert_int_equal(stats.submitted, 1);
    assert_int_equal(stats.replied, 1);
    check_sums(&stats);
}

static void abort_before_submission(void **state)
{
    struct io_stats stats = {0};

    (void)state;
    stats_received(&stats, 1);
    stats_received(&stats, 2);
    stats_aborted_unsubmitted(&stats);
    assert_int_equal(stats.unsubmitted, 1);
    assert_int_equal(stats.aborted_unsubmitted, 1);
    assert_int_equal(stats.aborted_submitted, 0);
    assert_int_equal(stats.last_received, 2);
    check_sums(&stats);
}

static void abort_after_submission_and_late_reply(void **state)
{
    struct io_stats stats = {0};

    (void)state;
    stats_received(&stats, 1);
    stats_submitted(&stats, 2);
    stats_aborted_submitted(&stats);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.aborted_submitted, 1);
    check_sums(&stats);

    stats_late_reply(&stats);
    assert_int_equal(stats.late_replies, 1);
    assert_int_equal(stats.replied, 0);
    assert_int_equal(stats.last_replied, 0);
    check_sums(&stats);
}

static struct io_request request_of(enum io_operation operation, uint32_t length)
{
    return (struct io_request){.operation = operation, .length = length};
}

static void kinds_are_told_apart(void **state)
{
    static const enum io_operation operations[] = {IO_READ,         IO_WRITE,        IO_FLUSH,
                                                   IO_TRIM,         IO_WRITE_ZEROES, IO_CACHE,
                                                   IO_BLOCK_STATUS, IO_RESERVE_IN,   IO_RESERVE_OUT};
    struct io_stats stats = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        struct io_request request = request_of(operations[i], operations[i] == IO_FLUSH ? 0 : 4096);

        stats_measured(&stats, &request, false, 0, 0);
    }
    assert_int_equal(stats.traffic[STATS_READ].answered, 1);
    assert_int_equal(stats.traffic[STATS_WRITE].bytes, 4096);
    assert_int_equal(stats.traffic[STATS_FLUSH].answered, 1);
    assert_int_equal(stats.traffic[STATS_FLUSH].bytes, 0);
    assert_int_equal(stats.traffic[STATS_UNMAP].answered, 2);
    assert_int_equal(stats.traffic[STATS_UNMAP].bytes, 8192);
}

static void failures_have_no_bytes(void **state)
{
    struct io_request request = request_of(IO_READ, 512);
    struct io_stats stats = {0};

    (void)state;
    stats_measured(&stats, &request, true, 0, 10);
    assert_int_equal(stats.traffic[STATS_READ].answered, 1);
    assert_int_equal(stats.traffic[STATS_READ].failed, 1);
    assert_int_equal(stats.traffic[STATS_READ].bytes, 0);
    assert_int_equal(stats.traffic[STATS_READ].latency[1], 1);
}

static void times_fall_into_powers_of_two(void **state)
{
    static const struct {
        uint64_t time;
        unsigned bucket;
    } cases[] = {{0, 0},
                 {9, 0},
                 {10, 1},
                 {19, 1},
                 {20, 2},
                 {39, 2},
                 {40, 3},
                 {10ull << 30, 31},
                 {10ull << 29, 30},
                 {(10ull << 30) - 1, 30},
                 {10ull << 31, 31},
                 {UINT64_MAX, 31}};
    struct io_request request = request_of(IO_WRITE, 512);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct io_stats stats = {0};

        stats_measured(&stats, &request, false, 0, cases[i].time);
        assert_int_equal(stats.traffic[STATS_WRITE].latency[cases[i].bucket], 1);
    }
}

static void time_that_goes_back_is_none(void **state)
{
    struct io_request request = request_of(IO_FLUSH, 0);
    struct io_stats stats = {0};

    (void)state;
    stats_measured(&stats, &request, false, 100, 50);
    assert_int_equal(stats.traffic[STATS_FLUSH].latency[0], 1);
}

static void spent_time_is_taken_from_the_middle_of_each_element(void **state)
{
    static const uint64_t times[] = {5, 15, 30, 60, 15000000}; /* 0.5 us, 1.5, 3, 6 us; 1.5 s is from 2^20 us to 2^21 */
    static const uint64_t spent[] = {1, 3, 6, 12, 3 << 20};
    struct io_request request = request_of(IO_READ, 512);
    uint64_t expected = 0;
    struct io_stats stats = {0};

    (void)state;
    assert_int_equal(stats_spent(&stats.traffic[STATS_READ]), 0);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        stats_measured(&stats, &request, false, 1000, 1000 + times[i]);
        expected += spent[i];
        assert_int_equal(stats_spent(&stats.traffic[STATS_READ]), expected);
    }
    assert_int_equal(stats_spent(&stats.traffic[STATS_WRITE]), 0);
}

static void spent_time_of_the_longest_requests_fits(void **state)
{
    struct stats_traffic traffic = {.latency[STATS_BUCKETS - 1] = UINT32_MAX};

    (void)state;
    assert_int_equal(stats_spent(&traffic), (uint64_t)UINT32_MAX * 3 << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_counted_on_its_way),
        cmocka_unit_test(withdrawal_lets_a_request_be_submitted_again),
        cmocka_unit_test(abort_before_submission),
        cmocka_unit_test(abort_after_submission_and_late_reply),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(failures_have_no_bytes),
        cmocka_unit_test(times_fall_into_powers_of_two),
        cmocka_unit_test(time_that_goes_back_is_none),
        cmocka_unit_test(spent_time_is_taken_from_the_middle_of_each_element),
        cmocka_unit_test(spent_time_of_the_longest_requests_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
