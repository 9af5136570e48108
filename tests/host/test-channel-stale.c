/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that answers no more though its handle is open: when its disk goes, and when it stays (options Stale...).
 */
#include "tests/host/hand.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK 512u

static bool never_answers_writes(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data,
                                 WNBD_ANSWER *answer)
{
    (void)program;
    (void)data;
    if (request->Request.RequestType == WnbdReqTypeWrite) {
        answer->RequestHandle = 0;
        return true;
    }
    return false;
}

static void set_stale(bool remove, INT64 request_ms, INT64 connection_ms)
{
    fixture_set_option(u"RemoveStaleConnections", WnbdOptBool, remove);
    fixture_set_option(u"StaleReqTimeoutMs", WnbdOptInt64, request_ms);
    fixture_set_option(u"StaleConnTimeoutMs", WnbdOptInt64, connection_ms);
}

/* Windows' time-outs reset the disk again and again; when the program has been silent for long, it goes (D12). */
static void stale_program_loses_its_disk(void **state)
{
    struct program_options options = {.threads = 1, .does = never_answers_writes};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    UCHAR data[BLOCK] = {0};

    (void)state;
    set_stale(true, 1000, 2000);
    assert_int_equal(bed_read(disk, 0, data, BLOCK), STATUS_SUCCESS);
    assert_int_not_equal(bed_write(disk, 0, data, BLOCK), STATUS_SUCCESS);
    hand_await_gone("vol1");
    program_wait(&program);
    assert_int_equal(program.own_status, STATUS_IO_TIMEOUT);
    hand_stop_without(&program, disk);
}

/* One read is answered; then the program does not even come for what there is. */
static void program_that_asks_for_nothing_loses_its_disk(void **state)
{
    struct program_options options = {.threads = 0};
    struct program program;
    WNBD_ARENA_REQUEST request;
    struct bed_file *disk = hand_start(&program, &options);
    UCHAR data[BLOCK] = {0};
    struct bed_io io;

    (void)state;
    set_stale(true, 1000, 2000);
    bed_transfer_begin(&io, disk, false, 0, data, BLOCK);
    hand_take(&program, &request, 1);
    assert_int_equal(hand_answer(&program, &request, 1), 0);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_not_equal(bed_write(disk, 0, data, BLOCK), STATUS_SUCCESS);
    hand_await_gone("vol1");
    program_wait(&program);
    hand_stop_without(&program, disk);
}

static void assert_stays(bool replies, bool remove, INT64 request_ms, INT64 connection_ms)
{
    struct program_options options = {.threads = 1, .does = never_answers_writes};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_CONNECTION_INFO info;
    UCHAR data[BLOCK] = {0};

    set_stale(remove, request_ms, connection_ms);
    if (replies) {
        assert_int_equal(bed_read(disk, 0, data, BLOCK), STATUS_SUCCESS);
    }
    assert_int_not_equal(bed_write(disk, 0, data, BLOCK), STATUS_SUCCESS);
    assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
    assert_int_equal(bed_read(disk, 0, data, BLOCK), STATUS_SUCCESS);
    hand_stop(&program, disk);
}

static void disk_is_not_stale(void **state)
{
    const INT64 never = UINT32_MAX;

    (void)state;
    assert_stays(true, false, 1000, 2000);
    assert_stays(true, true, never, 2000);
    assert_stays(true, true, 1000, never);
    assert_stays(false, true, 1000, 2000);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_program_loses_its_disk),
        cmocka_unit_test(program_that_asks_for_nothing_loses_its_disk),
        cmocka_unit_test(disk_is_not_stale),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
