/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests of a disk that a program serves: given in batches, answered in any order, twice, too late, or by nobody. */
#include "tests/host/hand.h"

#include "bed/port/control.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH   4096u
#define MANY     1024
#define MEBIBYTE (1u << 20)

static struct bed_io ios[MANY];
static UCHAR data[MANY][LENGTH];
static WNBD_ARENA_REQUEST requests[MANY];

static void begin(struct bed_file *disk, bool write, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        if (write) {
            wnbd_pattern(data[i], LENGTH, i);
        } else {
            memset(data[i], 0, LENGTH);
        }
        bed_transfer_begin(&ios[i], disk, write, (ULONGLONG)i * LENGTH, data[i], LENGTH);
    }
}

static void finish(ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
}

static void expect_pattern(const UCHAR *bytes, ULONG count)
{
    UCHAR wanted[LENGTH];

    for (ULONG i = 0; i < count; i++) {
        wnbd_pattern(wanted, LENGTH, i);
        assert_memory_equal(bytes + (size_t)i * LENGTH, wanted, LENGTH);
    }
}

static void shuffle(ULONG count)
{
    for (ULONG i = count; i > 1; i--) {
        ULONG other = (ULONG)rand() % i;
        WNBD_ARENA_REQUEST swapped = requests[i - 1];

        requests[i - 1] = requests[other];
        requests[other] = swapped;
    }
}

/* All of them are with the program at once; the last ones are answered first. */
static void answer_out_of_order(UINT32 depth, UINT32 reached)
{
    struct program_options options = {.queue_depth = depth, .arena_size = 16 * MEBIBYTE};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    for (int write = 1; write >= 0; write--) {
        begin(disk, write != 0, reached);
        hand_take(&program, requests, reached);
        assert_int_equal(fixture_statistics("vol1").PendingSubmittedIORequests, reached);
        shuffle(reached);
        assert_int_equal(hand_answer(&program, requests, reached), 0);
        finish(reached);
        expect_pattern(write != 0 ? program.bytes : data[0], reached);
    }
    hand_stop(&program, disk);
}

static void answers_in_any_order_at_full_depth(void **state)
{
    (void)state;
    srand(1);
    answer_out_of_order(1, 1);
    answer_out_of_order(0, 255);
    answer_out_of_order(MANY, 1000); /* as many as the adapter takes */
}

static void answer_twice_is_refused(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct program_output output;
    WNBD_ANSWER answers[2];

    (void)state;
    begin(disk, true, 2);
    hand_take(&program, requests, 2);
    answers[0] = answers[1] = program_carry_out(&program, &requests[0], program_data(&program, &requests[0]));
    assert_int_equal(program_enter(&program, answers, 2, 0, false, &output), STATUS_SUCCESS);
    assert_int_equal(output.head.RefusedCount, 1);
    assert_int_equal(program_answer(&program, &answers[0]), 1);
    assert_int_equal(program_send(&program, &answers[0], NULL), STATUS_NOT_FOUND);
    assert_int_equal(hand_answer(&program, &requests[1], 1), 0);
    finish(2);
    expect_pattern(program.bytes, 2);
    hand_stop(&program, disk);
}

/* A request that waits, or whose slot was used before, is not the program's to answer. */
static void answer_of_what_was_not_given_is_refused(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    begin(disk, true, 8);
    for (UINT64 generation = 0; generation < 4; generation++) {
        for (UINT64 slot = 0; slot < 256; slot++) {
            WNBD_ANSWER answer = {.RequestHandle = generation << 32 | slot};

            assert_int_equal(program_answer(&program, &answer), 1);
        }
    }
    hand_take(&program, requests, 8);
    assert_int_equal(hand_answer(&program, requests, 8), 0);
    finish(8);
    hand_stop(&program, disk);
}

/* The request goes again under another name and in another place; the old place is the program's until it has answered.
 */
static void program_that_is_late_harms_nobody(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_ARENA_REQUEST again;

    (void)state;
    begin(disk, true, 1);
    hand_take(&program, requests, 1);
    fixture_inject_disk(BED_INJECT_ABORT);
    hand_take(&program, &again, 1);
    assert_int_not_equal(again.Request.RequestHandle, requests[0].Request.RequestHandle);
    assert_int_not_equal(again.DataOffset, requests[0].DataOffset);
    memset(program_data(&program, &requests[0]), 0xEE, LENGTH);
    assert_int_equal(hand_answer(&program, &again, 1), 0);
    finish(1);
    expect_pattern(program.bytes, 1);
    for (ULONG i = 0; i < 600; i++) { /* more than the arena has places for, were they not given back */
        begin(disk, false, 1);
        hand_take(&program, &again, 1);
        assert_int_not_equal(again.DataOffset, requests[0].DataOffset);
        memset(program_data(&program, &requests[0]), 0xEE, LENGTH);
        assert_int_equal(hand_answer(&program, &again, 1), 0);
        finish(1);
        expect_pattern(data[0], 1);
    }
    assert_int_equal(hand_answer(&program, requests, 1), 1);
    assert_int_equal(fixture_statistics("vol1").CompletedAbortedIORequests, 1);
    assert_int_equal(hand_answer(&program, requests, 1), 1);
    assert_int_equal(fixture_statistics("vol1").CompletedAbortedIORequests, 1);
    hand_stop(&program, disk);
}

/* Requests come in vain until the program answers those that were aborted. */
static void queue_full_of_unanswered_requests_recovers(void **state)
{
    enum { DEPTH = 4 };
    struct program_options options = {.queue_depth = DEPTH};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_ARENA_REQUEST again[DEPTH];

    (void)state;
    begin(disk, true, DEPTH);
    hand_take(&program, requests, DEPTH);
    fixture_inject_disk(BED_INJECT_RESET_LUN);
    HAND_AWAIT(AbortedSubmittedIORequests, DEPTH);
    hand_pause_ms(200);
    assert_true(hand_is_idle(&program));
    assert_int_equal(fixture_statistics("vol1").OutstandingIOCount, 0);
    assert_int_equal(hand_answer(&program, requests, DEPTH), DEPTH);
    hand_take(&program, again, DEPTH);
    assert_int_equal(hand_answer(&program, again, DEPTH), 0);
    finish(DEPTH);
    expect_pattern(program.bytes, DEPTH);
    hand_stop(&program, disk);
}

/* ---- Waiting ---- */

static void wake_ends_as_many_as_it_says(void **state)
{
    enum { WAITING = 5 };
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct program_output outputs[WAITING];
    WNBD_IOCTL_ENTER_COMMAND wake = {.IoControlCode = IOCTL_WNBD_ENTER, .ConnectionId = program.id, .Wake = 2};
    WNBD_ENTER_OUTPUT output;

    (void)state;
    for (int i = 0; i < WAITING; i++) {
        memset(&outputs[i], 0xFF, sizeof(outputs[i]));
        program_enter_begin(&program, &ios[i], 1, &outputs[i]);
    }
    for (int round = 0; round < 3; round++) {
        assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &wake,
                                     FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers), &output, sizeof(output), NULL),
                         STATUS_SUCCESS);
        for (int i = 2 * round; i < 2 * round + 2 && i < WAITING; i++) {
            assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
            assert_int_equal(outputs[i].head.RequestCount, 0);
            assert_int_equal(outputs[i].head.Disconnected, 0);
        }
        if (round < 2) {
            assert_int_equal(bed_io_wait(&ios[2 * round + 2], 20, NULL), STATUS_TIMEOUT);
        }
    }
    hand_stop(&program, disk);
}

static void *enter_again_and_again(void *context)
{
    struct program *program = context;
    struct program_output output;

    while (program_enter(program, NULL, 0, 1, true, &output) == STATUS_SUCCESS && !output.head.Disconnected) {
    }
    return NULL;
}

/* Those that come back are not woken again: the command ends, and the disk can go. */
static void wake_of_all_ends_though_they_come_back(void **state)
{
    enum { THREADS = 3 };
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_IOCTL_ENTER_COMMAND wake = {.IoControlCode = IOCTL_WNBD_ENTER, .ConnectionId = program.id, .Wake = UINT32_MAX};
    WNBD_ENTER_OUTPUT output;
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, enter_again_and_again, &program);
    }
    for (int i = 0; i < 200; i++) {
        assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &wake,
                                     FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers), &output, sizeof(output), NULL),
                         STATUS_SUCCESS);
    }
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    program_wait(&program);
    program_free(&program);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* A cancelled command that was given the request is completed with it; else the request waits for the next. */
static void cancel_loses_no_request(void **state)
{
    enum { ROUNDS = 3000 };
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    unsigned cancelled = 0;

    (void)state;
    srand(2);
    for (ULONG round = 0; round < ROUNDS; round++) {
        struct program_output output;
        struct bed_io enter;
        NTSTATUS status;

        memset(&output, 0, sizeof(output));
        program_enter_begin(&program, &enter, 1, &output);
        if (round % 3 == 0) {
            bed_io_cancel(&enter);
        }
        begin(disk, true, 1);
        if (round % 3 != 0) {
            bed_io_cancel(&enter);
        }
        status = bed_io_wait(&enter, MAXULONG, NULL);
        assert_true(status == STATUS_SUCCESS || status == STATUS_CANCELLED);
        cancelled += status == STATUS_CANCELLED;
        if (status == STATUS_CANCELLED || output.head.RequestCount == 0) {
            hand_take(&program, requests, 1);
        } else {
            requests[0] = output.head.Requests[0];
        }
        assert_int_equal(hand_answer(&program, requests, 1), 0);
        finish(1);
    }
    assert_true(cancelled >= ROUNDS / 3 && cancelled < ROUNDS);
    assert_true(hand_is_idle(&program));
    hand_stop(&program, disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_any_order_at_full_depth),
        cmocka_unit_test(answer_twice_is_refused),
        cmocka_unit_test(answer_of_what_was_not_given_is_refused),
        cmocka_unit_test(program_that_is_late_harms_nobody),
        cmocka_unit_test(queue_full_of_unanswered_requests_recovers),
        cmocka_unit_test(wake_ends_as_many_as_it_says),
        cmocka_unit_test(wake_of_all_ends_though_they_come_back),
        cmocka_unit_test(cancel_loses_no_request),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
