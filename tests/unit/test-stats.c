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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_counted_on_its_way),
        cmocka_unit_test(withdrawal_lets_a_request_be_submitted_again),
        cmocka_unit_test(abort_before_submission),
        cmocka_unit_test(abort_after_submission_and_late_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
