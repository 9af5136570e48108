/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libwnbd/pace.h and libwnbd/latency.h */
#include "guard.h"
#include "libwnbd/latency.h"
#include "libwnbd/pace.h"

static struct pace after(UINT64 ns, int times)
{
    struct pace pace;

    pace_start(&pace);
    for (int i = 0; i < times; i++)
        pace_note(&pace, ns);
    return pace;
}

static void is_slow_at_first(void **state)
{
    struct pace pace = after(0, 0);

    (void)state;
    assert_false(pace_is_quick(&pace));
    assert_int_equal(pace_batch(&pace), 1);
}

static void quick_callbacks_are_seen_soon(void **state)
{
    struct pace pace = after(2000, 8);

    (void)state;
    assert_true(pace_is_quick(&pace));
    pace = after(1000, 100);
    assert_int_equal(pace_batch(&pace), PACE_BATCH_MAX);
    pace = after(0, 100);
    assert_int_equal(pace_batch(&pace), PACE_BATCH_MAX);
    pace = after(20000, 100);
    assert_in_range(pace_batch(&pace), 4, 5);
}

static void slow_callbacks_take_one_at_a_time(void **state)
{
    struct pace pace = after(60000, 100);

    (void)state;
    assert_false(pace_is_quick(&pace));
    assert_int_equal(pace_batch(&pace), 1);
    pace = after(UINT64_MAX, 100);
    assert_false(pace_is_quick(&pace));
}

static void one_long_callback_is_forgotten(void **state)
{
    struct pace pace = after(1000, 100);

    (void)state;
    pace_note(&pace, 30000000000ull);
    assert_false(pace_is_quick(&pace));
    for (int i = 0; i < 10; i++)
        pace_note(&pace, 1000);
    assert_true(pace_is_quick(&pace));
}

static void buckets_are_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(latency_bucket(0), 0);
    assert_int_equal(latency_bucket(999), 0);
    for (UINT32 bucket = 1; bucket < WNBD_LATENCY_BUCKETS - 1; bucket++) {
        UINT64 least_ns = ((UINT64)1 << (bucket - 1)) * 1000;

        assert_int_equal(latency_bucket(least_ns), bucket);
        assert_int_equal(latency_bucket(2 * least_ns - 1), bucket);
    }
    assert_int_equal(latency_bucket(((UINT64)1 << 30) * 1000), WNBD_LATENCY_BUCKETS - 1);
    assert_int_equal(latency_bucket(UINT64_MAX), WNBD_LATENCY_BUCKETS - 1);
}

static void each_type_has_its_own_row(void **state)
{
    WNBD_LATENCY latency = {0};
    WNBD_LATENCY expected = {.Read = {[1] = 1}, .Write = {[2] = 1}, .Flush = {[3] = 1}, .Unmap = {[4] = 1}};

    (void)state;
    latency_count(&latency, WnbdReqTypeRead, 1000);
    latency_count(&latency, WnbdReqTypeWrite, 2000);
    latency_count(&latency, WnbdReqTypeFlush, 4000);
    latency_count(&latency, WnbdReqTypeUnmap, 8000);
    latency_count(&latency, WnbdReqTypePersistResIn, 8000);
    latency_count(&latency, WnbdReqTypeUnknown, 8000);
    assert_memory_equal(&latency, &expected, sizeof(latency));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_slow_at_first),
        cmocka_unit_test(quick_callbacks_are_seen_soon),
        cmocka_unit_test(slow_callbacks_take_one_at_a_time),
        cmocka_unit_test(one_long_callback_is_forgotten),
        cmocka_unit_test(buckets_are_powers_of_two),
        cmocka_unit_test(each_type_has_its_own_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
