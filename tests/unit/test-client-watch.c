/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The live table: percentiles, order and lines. */
#include "wnbd-client/latency.h"
#include "wnbd-client/watch_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void percentiles_lie_in_their_bucket(void **state)
{
    uint64_t buckets[LATENCY_BUCKETS] = {0};

    (void)state;
    assert_true(latency_within(buckets, 0.5) < 0);
    buckets[10] = 100; /* 512 to 1023 us */
    assert_true(fabs(latency_within(buckets, 0.5) - 768) < 1);
    assert_true(fabs(latency_within(buckets, 1) - 1024) < 1);
    buckets[20] = 1;
    assert_true(latency_within(buckets, 0.99) < 1025);
    assert_true(latency_within(buckets, 0.999) > 1 << 19);
    memset(buckets, 0, sizeof(buckets));
    buckets[0] = 1;
    assert_true(latency_within(buckets, 0.5) <= 1);
}

static void assert_time(double us, const char *expected)
{
    char text[LATENCY_TEXT_SIZE];

    assert_string_equal(latency_format(us, text), expected);
}

static void times_have_units(void **state)
{
    (void)state;
    assert_time(-1, "-");
    assert_time(0.4, "0 us");
    assert_time(850, "850 us");
    assert_time(1234, "1.2 ms");
    assert_time(2.5e6, "2.5 s");
}

static struct watch_row row_of(const char *name, int disk_number, double iops, int64_t pending)
{
    return (struct watch_row){
        .name = name, .state = "connected", .disk_number = disk_number, .iops = iops, .pending = pending};
}

static void assert_order(enum watch_order order, const char *expected)
{
    struct watch_row rows[] = {row_of("b", 1, 10, 3), row_of("a", 2, 10, 1), row_of("c", 0, 30, 2)};
    char got[4] = "";

    watch_sort(rows, 3, order);
    for (size_t i = 0; i < 3; i++)
        got[i] = rows[i].name[0];
    assert_string_equal(got, expected);
}

static void rows_are_sorted_and_ties_go_by_name(void **state)
{
    (void)state;
    assert_order(WATCH_BY_NAME, "abc");
    assert_order(WATCH_BY_DISK, "cba");
    assert_order(WATCH_BY_IOPS, "cab");
    assert_order(WATCH_BY_PENDING, "bca");
    assert_order(WATCH_BY_RECONNECTS, "abc");
    assert_order(WATCH_BY_BYTES, "abc");
    assert_order(WATCH_BY_LATENCY, "abc");
}

static void keys_are_orders(void **state)
{
    enum watch_order order = WATCH_BY_NAME;

    (void)state;
    assert_true(watch_read_key('i', &order));
    assert_int_equal(order, WATCH_BY_IOPS);
    assert_true(watch_read_key('r', &order));
    assert_int_equal(order, WATCH_BY_RECONNECTS);
    assert_false(watch_read_key('x', &order));
    assert_false(watch_read_key(0, &order));
    assert_int_equal(order, WATCH_BY_RECONNECTS);
}

static char *printed(bool kinds, const struct watch_row *row)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    watch_print_header(file, kinds);
    fputc('\n', file);
    watch_print_row(file, kinds, row);
    fclose(file);
    return text;
}

static void columns_stand_below_their_heads(void **state)
{
    struct watch_row row = row_of("vol", 3, 1234.4, 7);
    char *text;

    (void)state;
    row.read_bytes = 5.06e6;
    row.within[0] = 300;
    row.within[1] = 2000;
    row.within[2] = -1;
    text = printed(false, &row);
    assert_string_equal(
        text, "Disk  State             IOPS   Read MB  Write MB       50%       99%     99.9%  Pending  Recon  "
              "InstanceName\n"
              "   3  connected         1234       5.1       0.0    300 us    2.0 ms         -        7      0  "
              "vol");
    free(text);
    row.disk_number = -1;
    text = printed(true, &row);
    assert_string_equal(text, "Request      IOPS      MB/s       50%       99%     99.9%\n"
                              "vol          1234       5.1    300 us    2.0 ms         -");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_lie_in_their_bucket),     cmocka_unit_test(times_have_units),
        cmocka_unit_test(rows_are_sorted_and_ties_go_by_name), cmocka_unit_test(keys_are_orders),
        cmocka_unit_test(columns_stand_below_their_heads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
