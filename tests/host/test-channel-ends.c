/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request of a disk that a program serves ends otherwise than by an answer, wherever it is: aborted, reset, timed
 * out; the disk unmapped, its handle closed, the machine gone. That each SRB is completed once is the bed's to say.
 */
#include "tests/host/hand.h"

#include "bed/port/control.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUESTS 8
#define LENGTH   (64u << 10)

enum stage {
    STAGE_WAITING,
    STAGE_GIVEN,   /* in the arena */
    STAGE_FETCHED, /* in buffers */
    STAGES
};

static UCHAR data[REQUESTS][LENGTH];
static UCHAR buffers[REQUESTS][WNBD_DEFAULT_MAX_TRANSFER_LENGTH];
static struct bed_io ios[REQUESTS];
static WNBD_ARENA_REQUEST requests[REQUESTS];

static void fetch_one(struct program *program, ULONG i)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND fetched;

    assert_int_equal(program_fetch(program, &fetched, buffers[i]), STATUS_SUCCESS);
    requests[i] = (WNBD_ARENA_REQUEST){.Request = fetched.Request};
}

/* Writes, brought to where they are to be found. */
static void begin(struct program *program, struct bed_file *disk, enum stage stage)
{
    for (ULONG i = 0; i < REQUESTS; i++) {
        wnbd_pattern(data[i], LENGTH, i);
        bed_transfer_begin(&ios[i], disk, true, (ULONGLONG)i * LENGTH, data[i], LENGTH);
        if (stage == STAGE_FETCHED) {
            fetch_one(program, i);
        }
    }
    if (stage == STAGE_GIVEN) {
        hand_take(program, requests, REQUESTS);
    }
}

static void finish(bool succeed)
{
    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_true(NT_SUCCESS(bed_io_wait(&ios[i], MAXULONG, NULL)) == succeed);
    }
}

static void expect_written(const struct program *program)
{
    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_memory_equal(program->bytes + (size_t)i * LENGTH, data[i], LENGTH);
    }
}

static UINT32 answer_late(struct program *program)
{
    UINT32 refused = 0;

    for (ULONG i = 0; i < REQUESTS; i++) {
        WNBD_ANSWER answer = {.RequestHandle = requests[i].Request.RequestHandle};

        refused += program_answer(program, &answer);
    }
    return refused;
}

/* ---- The request ends and comes again ---- */

static void interrupt(enum stage stage, ULONG kind, bool whole_adapter, UINT32 aborted)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_DRV_STATS stats;

    begin(&program, disk, stage);
    if (whole_adapter) {
        fixture_inject_adapter(kind);
    } else {
        fixture_inject_disk(kind);
    }
    if (stage == STAGE_WAITING) {
        HAND_AWAIT(AbortedUnsubmittedIORequests, (INT64)aborted);
    } else {
        HAND_AWAIT(AbortedSubmittedIORequests, (INT64)aborted);
        assert_int_equal(answer_late(&program), aborted);
        assert_int_equal(fixture_statistics("vol1").CompletedAbortedIORequests, aborted);
    }
    program.options.threads = 2;
    program_serve(&program);
    finish(true);
    if (aborted == REQUESTS || stage == STAGE_WAITING) { /* the others were answered without having been carried out */
        expect_written(&program);
    }
    stats = fixture_statistics("vol1");
    assert_int_equal(stats.OutstandingIOCount, 0);
    assert_int_equal(stats.TotalReceivedIORequests,
                     stats.TotalSubmittedIORequests + stats.AbortedUnsubmittedIORequests);
    assert_int_equal(stats.TotalSubmittedIORequests, stats.TotalReceivedIOReplies + stats.AbortedSubmittedIORequests);
    hand_stop(&program, disk);
}

static void abort_ends_one_request_alone(void **state)
{
    (void)state;
    for (enum stage stage = 0; stage < STAGES; stage++) {
        interrupt(stage, BED_INJECT_ABORT, false, 1);
    }
}

static void resets_end_them_all(void **state)
{
    (void)state;
    for (enum stage stage = 0; stage < STAGES; stage++) {
        interrupt(stage, BED_INJECT_RESET_LUN, false, REQUESTS);
        interrupt(stage, BED_INJECT_RESET_TARGET, false, REQUESTS);
        interrupt(stage, BED_INJECT_RESET_BUS, true, REQUESTS);
        interrupt(stage, BED_INJECT_FORCE_TIMEOUT, false, REQUESTS);
    }
}

static NTSTATUS wait_resetting(struct bed_io *io)
{
    enum { TRIES = 100, PAUSE_MS = 50 };
    NTSTATUS status = bed_io_wait(io, PAUSE_MS, NULL);

    for (ULONG i = 0; i < TRIES && status == STATUS_TIMEOUT; i++) {
        fixture_inject_adapter(BED_INJECT_RESET_BUS);
        status = bed_io_wait(io, PAUSE_MS, NULL);
    }
    return status;
}

/* Windows tries a request again only so often: the last of its ends comes while the port driver is in HwResetBus. */
static void resets_again_and_again_end_the_request(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    begin(&program, disk, STAGE_WAITING);
    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_int_equal(wait_resetting(&ios[i]), STATUS_IO_DEVICE_ERROR);
    }
    hand_stop(&program, disk);
}

/* Large data is being copied, out and in, while resets and aborts come. */
static void resets_and_aborts_while_data_is_copied(void **state)
{
    enum { ROUNDS = 60, LARGE = 2 << 20, AT_ONCE = 3 };
    static const ULONG kinds[] = {BED_INJECT_RESET_LUN, BED_INJECT_ABORT, BED_INJECT_FORCE_TIMEOUT};
    static UCHAR large[AT_ONCE][LARGE];
    struct program_options options = {.threads = 3, .mixed = true};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    srand(3);
    for (ULONG round = 0; round < ROUNDS; round++) {
        bool write = round % 2 == 0;

        for (ULONG i = 0; i < AT_ONCE; i++) {
            wnbd_pattern(large[i], LARGE, round / 2 + i);
            memset(large[i], 0, write ? 0 : LARGE);
            bed_transfer_begin(&ios[i], disk, write, (ULONGLONG)i * LARGE, large[i], LARGE);
        }
        hand_pause_ms((unsigned)rand() % 30);
        fixture_inject_disk(kinds[round % ARRAYSIZE(kinds)]);
        for (ULONG i = 0; i < AT_ONCE; i++) {
            assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
            assert_memory_equal(large[i], program.bytes + (size_t)i * LARGE, LARGE);
        }
    }
    hand_stop(&program, disk);
}

/* ---- The disk goes ---- */

static void unmapped(struct program *program)
{
    assert_int_equal(wnbd_unmap(adapter, program->options.name), STATUS_SUCCESS);
}

static void closed(struct program *program)
{
    program_die(program);
}

static void disowned(struct program *program)
{
    bed_io_cancel(&program->own);
}

static void end_disk(void (*how)(struct program *), enum stage stage)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct program_output output;

    begin(&program, disk, stage);
    how(&program);
    finish(false);
    hand_await_gone("vol1");
    if (program.file != NULL) {
        WNBD_ANSWER answer = {.RequestHandle = requests[0].Request.RequestHandle};

        assert_int_equal(program_enter(&program, &answer, 1, 0, false, &output), STATUS_INVALID_HANDLE);
        assert_int_equal(program_send(&program, &answer, NULL), STATUS_INVALID_HANDLE);
    }
    program_wait(&program);
    memset((void *)(ULONG_PTR)program.arena.Address, 0xEE, (size_t)program.arena.Size); /* it is the program's still */
    hand_stop_without(&program, disk);
}

static void disk_ends_with_requests_everywhere(void **state)
{
    (void)state;
    for (enum stage stage = 0; stage < STAGES; stage++) {
        end_disk(unmapped, stage);
        end_disk(closed, stage);
        end_disk(disowned, stage);
    }
}

/* ---- What the owner is told ---- */

static void cleared(struct program *program)
{
    WNBD_IOCTL_REMOVE_COMMAND command;

    wnbd_remove_command(&command, program->options.name);
    command.Options.Flags.WithAllDisks = 1;
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), NULL, 0, NULL),
                     STATUS_SUCCESS);
}

static NTSTATUS told(void (*how)(struct program *))
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    how(&program);
    program_wait(&program);
    hand_stop_without(&program, disk);
    return program.own_status;
}

static void owner_is_told_who_has_removed_the_disk(void **state)
{
    (void)state;
    assert_int_equal(told(unmapped), STATUS_SUCCESS);
    assert_int_equal(told(cleared), STATUS_SHUTDOWN_IN_PROGRESS);
    assert_int_equal(told(disowned), STATUS_CANCELLED);
}

static void *stop_machine(void *context)
{
    (void)context;
    fixture_stop_machine(BED_REMOVAL_SURPRISE);
    return NULL;
}

static void machine_ends_with_requests_everywhere(void **state)
{
    (void)state;
    for (enum stage stage = 0; stage < STAGES; stage++) {
        struct program_options options = {0};
        struct program program;
        struct bed_file *disk = hand_start(&program, &options);
        struct program_output output = {0};
        struct bed_io enter;
        pthread_t thread;

        begin(&program, disk, stage);
        if (stage != STAGE_WAITING) {
            program_enter_begin(&program, &enter, 1, &output);
        }
        assert_int_equal(pthread_create(&thread, NULL, stop_machine, NULL), 0);
        finish(false);
        bed_close(disk);
        if (stage != STAGE_WAITING) {
            assert_int_equal(bed_io_wait(&enter, MAXULONG, NULL), STATUS_SUCCESS);
            assert_int_equal(output.head.Disconnected, 1);
        }
        program_wait(&program);
        assert_int_equal(program.own_status, STATUS_DEVICE_REMOVED);
        program_free(&program);
        pthread_join(thread, NULL);
    }
}

/* The adapter is stopped, for a machine that goes to sleep, and goes on. */
static void adapter_stops_and_goes_on(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk;

    (void)state;
    for (enum stage stage = 0; stage < STAGES; stage++) {
        options.threads = 0;
        disk = hand_start(&program, &options);
        begin(&program, disk, stage);
        fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
        hand_pause_ms(50);
        fixture_inject_adapter(BED_INJECT_RESTART_ADAPTER);
        program.options.threads = 2;
        program_serve(&program);
        finish(true);
        expect_written(&program);
        hand_stop(&program, disk);
    }
}

/* ---- Commands that wait for the disk's end ---- */

static void commands_that_wait_are_told_of_the_end(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_IOCTL_FETCH_REQ_COMMAND fetch = {.IoControlCode = IOCTL_WNBD_FETCH_REQ, .ConnectionId = program.id};
    struct program_output output = {0};
    struct bed_io fetching;
    struct bed_io entering;

    (void)state;
    program_enter_begin(&program, &entering, 1, &output);
    bed_control_begin(&fetching, program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &fetch, sizeof(fetch), &fetch,
                      sizeof(fetch));
    unmapped(&program);
    assert_int_equal(bed_io_wait(&entering, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(output.head.Disconnected, 1);
    assert_int_equal(bed_io_wait(&fetching, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(fetch.Request.RequestType, WnbdReqTypeDisconnect);
    program_wait(&program);
    hand_stop_without(&program, disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abort_ends_one_request_alone),
        cmocka_unit_test(resets_end_them_all),
        cmocka_unit_test(resets_again_and_again_end_the_request),
        cmocka_unit_test(resets_and_aborts_while_data_is_copied),
        cmocka_unit_test(disk_ends_with_requests_everywhere),
        cmocka_unit_test(machine_ends_with_requests_everywhere),
        cmocka_unit_test(adapter_stops_and_goes_on),
        cmocka_unit_test(commands_that_wait_are_told_of_the_end),
        cmocka_unit_test(owner_is_told_who_has_removed_the_disk),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
