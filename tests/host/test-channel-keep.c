/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose a disk is: owners that end, disks that are kept without one, and the next owner. */
#include "tests/host/hand.h"

#include "bed/host/registry.h"
#include "bed/host/schedule.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK  512u
#define LENGTH (64u << 10)

static UCHAR store[PROGRAM_BYTES];

static WNBD_SERVER_STATUS status_of_disk(void)
{
    return fixture_server_status("vol1");
}

static void await_state(WnbdServerState state)
{
    for (int i = 0; i < 20000 && status_of_disk().State != (UINT32)state; i++) {
        hand_pause_ms(1);
    }
    assert_int_equal(status_of_disk().State, state);
}

static void write_and_check(struct bed_file *disk, ULONGLONG offset, ULONG seed)
{
    static UCHAR written[LENGTH];
    static UCHAR read[LENGTH];

    wnbd_pattern(written, LENGTH, seed);
    assert_int_equal(bed_write(disk, offset, written, LENGTH), STATUS_SUCCESS);
    assert_memory_equal(store + offset, written, LENGTH);
    assert_int_equal(bed_read(disk, offset, read, LENGTH), STATUS_SUCCESS);
    assert_memory_equal(read, written, LENGTH);
}

/* The threads of a race pause where the seed has them: BED_SEED, or the test's. */
static void seed_schedule(uint64_t usual)
{
    const char *chosen = getenv("BED_SEED");

    bed_schedule_seed(chosen != NULL ? strtoull(chosen, NULL, 10) : usual);
}

/* ---- One program after the other ---- */

struct writer {
    pthread_t thread;
    struct bed_file *disk;
    ULONGLONG offset;
    volatile bool stopping;
    volatile LONG rounds;
};

/* Nothing fails, and what was written is read, whoever serves the disk. */
static void *write_on(void *context)
{
    struct writer *writer = context;
    UCHAR *written = malloc(LENGTH);
    UCHAR *read = malloc(LENGTH);

    while (!writer->stopping) {
        wnbd_pattern(written, LENGTH, (ULONG)writer->rounds * 4 + (ULONG)(writer->offset / LENGTH));
        if (bed_write(writer->disk, writer->offset, written, LENGTH) != STATUS_SUCCESS ||
            bed_read(writer->disk, writer->offset, read, LENGTH) != STATUS_SUCCESS ||
            memcmp(read, written, LENGTH) != 0) {
            writer->rounds = -1;
            break;
        }
        InterlockedIncrement(&writer->rounds);
    }
    free(written);
    free(read);
    return NULL;
}

static void programs_follow_each_other(void **state)
{
    enum { PROGRAMS = 25, WRITERS = 4 };
    struct program_options options = {.threads = 3, .mixed = true, .store = store};
    struct writer writers[WRITERS] = {0};
    struct program program;
    struct bed_file *disk;

    (void)state;
    options.flags.KeepDisk = 1;
    options.flags.FlushSupported = 1;
    seed_schedule(2);
    disk = hand_start(&program, &options);
    for (ULONG i = 0; i < WRITERS; i++) {
        writers[i].disk = disk;
        writers[i].offset = (ULONGLONG)i * LENGTH;
        pthread_create(&writers[i].thread, NULL, write_on, &writers[i]);
    }
    for (unsigned i = 0; i < PROGRAMS; i++) {
        hand_pause_ms(100);
        program_die(&program);
        program_free(&program);
        program_take_over(&program, &options);
    }
    for (ULONG i = 0; i < WRITERS; i++) {
        writers[i].stopping = true;
        pthread_join(writers[i].thread, NULL);
        assert_true(writers[i].rounds > 0);
    }
    hand_stop(&program, disk);
    bed_schedule_seed(0);
}

/* What the old program had is given again, under another name; it cannot be answered by the old one, and what that
 * writes to its arena is not seen. */
static void unanswered_requests_are_given_again(void **state)
{
    struct program_options options = {.store = store};
    static UCHAR data[2][LENGTH];
    WNBD_ARENA_REQUEST requests[2];
    struct program program;
    struct program next;
    struct program_output output;
    struct bed_file *disk;
    struct bed_io ios[2];
    WNBD_ANSWER answer;

    (void)state;
    options.flags.KeepDisk = 1;
    disk = hand_start(&program, &options);
    for (ULONG i = 0; i < 2; i++) {
        wnbd_pattern(data[i], LENGTH, i);
        bed_transfer_begin(&ios[i], disk, true, i * LENGTH, data[i], LENGTH);
    }
    hand_take(&program, requests, 1);
    answer = (WNBD_ANSWER){.RequestHandle = requests[0].Request.RequestHandle};
    bed_io_cancel(&program.own); /* its thread has ended, and its handle is still there */
    program_wait(&program);
    assert_int_equal(program_enter(&program, &answer, 1, 1, false, &output), STATUS_ACCESS_DENIED);
    program_take_over(&next, &options);
    assert_int_equal(program_enter(&program, &answer, 1, 1, true, &output), STATUS_ACCESS_DENIED);
    assert_int_equal(program_send(&program, &answer, NULL), STATUS_ACCESS_DENIED);
    assert_int_equal(program_map_arena(&program), STATUS_ACCESS_DENIED);
    assert_int_equal(program_enter(&next, &answer, 1, 0, false, &output), STATUS_SUCCESS);
    assert_int_equal(output.head.RefusedCount, 1);
    hand_take(&next, requests, 2);
    assert_int_not_equal(requests[0].Request.RequestHandle, answer.RequestHandle);
    assert_int_not_equal(requests[1].Request.RequestHandle, answer.RequestHandle);
    memset((void *)(ULONG_PTR)program.arena.Address, 0xEE, (size_t)program.arena.Size);
    assert_int_equal(hand_answer(&next, requests, 2), 0);
    for (ULONG i = 0; i < 2; i++) {
        assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
        assert_memory_equal(store + i * LENGTH, data[i], LENGTH);
    }
    program_free(&program); /* its handle, closed now, is nobody's */
    next.options.threads = 1;
    program_serve(&next);
    write_and_check(disk, 1 << 20, 9);
    hand_stop(&next, disk);
}

/* Requests wait for the next program, but not for ever; one that comes after that still can. */
static void requests_fail_when_nobody_comes(void **state)
{
    struct program_options options = {.threads = 2, .store = store};
    struct program program;
    struct bed_file *disk;
    UCHAR data[BLOCK] = {0};

    (void)state;
    options.flags.KeepDisk = 1;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 500);
    disk = hand_start(&program, &options);
    for (ULONG round = 0; round < 4; round++) {
        write_and_check(disk, round * LENGTH, round);
        program_die(&program);
        program_free(&program);
        assert_int_not_equal(bed_write(disk, 0, data, sizeof(data)), STATUS_SUCCESS);
        await_state(WnbdServerLost);
        assert_int_not_equal(bed_write(disk, 0, data, sizeof(data)), STATUS_SUCCESS);
        program_take_over(&program, &options);
        await_state(WnbdServerConnected);
    }
    write_and_check(disk, 0, 77);
    hand_stop(&program, disk);
    bed_registry_clear();
}

/* The next program comes at the moment at which requests are given up. */
static void attach_races_the_time_out(void **state)
{
    enum { ROUNDS = 60, TIMEOUT_MS = 60 };
    struct program_options options = {.threads = 2, .store = store};
    struct program program;
    struct bed_file *disk;
    UCHAR data[BLOCK] = {0};
    struct bed_io io;

    (void)state;
    options.flags.KeepDisk = 1;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", TIMEOUT_MS);
    seed_schedule(2);
    disk = hand_start(&program, &options);
    srand(4);
    for (ULONG round = 0; round < ROUNDS; round++) {
        program_die(&program);
        program_free(&program);
        bed_transfer_begin(&io, disk, true, 0, data, sizeof(data));
        hand_pause_ms(TIMEOUT_MS - 20 + (unsigned)rand() % 40);
        program_take_over(&program, &options);
        bed_io_wait(&io, MAXULONG, NULL);
        write_and_check(disk, round * LENGTH, round);
    }
    hand_stop(&program, disk);
    bed_registry_clear();
    bed_schedule_seed(0);
}

/* ---- Several that would be it ---- */

static volatile bool stopping;
static volatile LONG owned;

static void *attach_and_leave(void *context)
{
    const struct program_options *options = context;

    while (!stopping) {
        struct program program;

        if (program_attach(&program, options) == STATUS_SUCCESS) {
            InterlockedIncrement(&owned);
            if (owned % 2 == 0) {
                program_map_arena(&program);
            }
        }
        program_free(&program); /* closes the handle */
    }
    return NULL;
}

static void many_attach_themselves_and_leave(void **state)
{
    enum { THREADS = 4, ENOUGH = 300 };
    struct program_options options = {.store = store};
    pthread_t threads[THREADS];
    struct program program;
    struct bed_file *disk;
    static UCHAR data[LENGTH];
    struct bed_io io;

    (void)state;
    options.flags.KeepDisk = 1;
    seed_schedule(2);
    disk = hand_start(&program, &options);
    wnbd_pattern(data, LENGTH, 6);
    bed_transfer_begin(&io, disk, true, 0, data, LENGTH);
    program_die(&program);
    program_free(&program);
    stopping = false;
    owned = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, attach_and_leave, &options);
    }
    while (owned < ENOUGH) {
        hand_pause_ms(10);
    }
    stopping = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    options.threads = 1;
    program_take_over(&program, &options);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_memory_equal(store, data, LENGTH);
    write_and_check(disk, 1 << 20, 3);
    hand_stop(&program, disk);
    bed_schedule_seed(0);
}

static void *attach_once(void *context)
{
    struct program *program = context;

    if (program_attach(program, &program->options) == STATUS_SUCCESS) {
        InterlockedIncrement(&owned);
    }
    return NULL;
}

static void one_of_several_gets_it(void **state)
{
    enum { THREADS = 4, ROUNDS = 30 };
    struct program_options options = {.threads = 0, .store = store};
    struct program programs[THREADS];
    pthread_t threads[THREADS];
    struct bed_file *disk;

    (void)state;
    options.flags.KeepDisk = 1;
    seed_schedule(2);
    disk = hand_start(&programs[0], &options);
    program_die(&programs[0]);
    program_free(&programs[0]);
    for (int round = 0; round < ROUNDS; round++) {
        await_state(WnbdServerReconnecting);
        owned = 0;
        for (int i = 0; i < THREADS; i++) {
            programs[i].options = options;
            pthread_create(&threads[i], NULL, attach_once, &programs[i]);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
        assert_int_equal(owned, 1);
        for (int i = 0; i < THREADS; i++) {
            program_free(&programs[i]);
        }
    }
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    fixture_stop_machine(BED_REMOVAL_ASKED);
    bed_schedule_seed(0);
}

static void one_command_owns(void **state)
{
    struct program_options options = {.threads = 1, .store = store};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_IOCTL_OWN_COMMAND own = {.IoControlCode = IOCTL_WNBD_OWN, .ConnectionId = program.id};

    (void)state;
    assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &own, sizeof(own), NULL, 0, NULL),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &own, sizeof(own), NULL, 0, NULL),
                     STATUS_ACCESS_DENIED);
    own.ConnectionId += 128;
    assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &own, sizeof(own), NULL, 0, NULL),
                     STATUS_INVALID_HANDLE);
    write_and_check(disk, 0, 1);
    hand_stop(&program, disk);
}

/* ---- Handles ---- */

static void disks_of_one_handle_go_with_it(void **state)
{
    struct program_options options = {.store = store};
    WNBD_IOCTL_CREATE_COMMAND create;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    wnbd_describe(&create, "vol2", 1);
    create.Properties.Flags.UseKernelNbd = 0;
    create.Properties.BlockCount = 2048;
    create.Properties.BlockSize = BLOCK;
    assert_int_equal(wnbd_map(program.file, &create, &output), STATUS_SUCCESS);
    strcpy(create.Properties.InstanceName, "vol3");
    create.Properties.Flags.KeepDisk = 1;
    assert_int_equal(wnbd_map(program.file, &create, &output), STATUS_SUCCESS);
    program_die(&program);
    hand_await_gone("vol1");
    hand_await_gone("vol2");
    assert_int_equal(wnbd_unmap(adapter, "vol3"), STATUS_SUCCESS);
    hand_stop_without(&program, disk);
}

/* A command that another thread had begun to send when the handle was closed comes after CLEANUP: it makes nobody an
 * owner who could never end. */
static void closed_handle_owns_nothing(void **state)
{
    WNBD_IOCTL_ATTACH_COMMAND attach = {.IoControlCode = IOCTL_WNBD_ATTACH, .InstanceName = "vol1"};
    struct program_options options = {.store = store};
    WNBD_IOCTL_CREATE_COMMAND create;
    WNBD_IOCTL_CREATE_OUTPUT output;
    WNBD_CONNECTION_INFO info;
    struct program program;
    struct program_output entered;
    struct bed_file *disk;
    struct bed_file *file;
    struct bed_io enter;

    (void)state;
    options.flags.KeepDisk = 1;
    disk = hand_start(&program, &options);
    file = program.file;
    program_enter_begin(&program, &enter, 1, &entered); /* keeps the file object until it is waited for */
    program_die(&program);
    wnbd_describe(&create, "vol2", 1);
    create.Properties.Flags.UseKernelNbd = 0;
    create.Properties.BlockCount = 2048;
    create.Properties.BlockSize = BLOCK;
    assert_int_equal(wnbd_map(file, &create, &output), STATUS_INVALID_HANDLE);
    assert_int_equal(wnbd_show(adapter, "vol2", &info), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(
        bed_control(file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &attach, sizeof(attach), &info, sizeof(info), NULL),
        STATUS_SHARING_VIOLATION);
    assert_int_equal(bed_io_wait(&enter, MAXULONG, NULL), STATUS_ACCESS_DENIED);
    program_free(&program);
    program_take_over(&program, &options);
    hand_stop(&program, disk);
}

/* The disk's thread is just making it ready: it has no owner then, and another program can have it. */
static void handle_closed_while_its_disk_is_made(void **state)
{
    enum { ROUNDS = 100 };
    struct program_options options = {.threads = 1, .store = store};
    WNBD_IOCTL_CREATE_COMMAND create;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct program program;
    struct bed_file *file;
    struct bed_io io;

    (void)state;
    options.flags.KeepDisk = 1;
    fixture_start_machine();
    seed_schedule(2);
    for (int round = 0; round < ROUNDS; round++) {
        wnbd_describe(&create, "vol1", 1);
        create.Properties.Flags.UseKernelNbd = 0;
        create.Properties.Flags.KeepDisk = 1;
        create.Properties.BlockCount = PROGRAM_BYTES / BLOCK;
        create.Properties.BlockSize = BLOCK;
        assert_int_equal(bed_open_interface(&WNBD_GUID, &file), STATUS_SUCCESS);
        bed_control_begin(&io, file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &create, sizeof(create), &output,
                          sizeof(output));
        bed_close(file);
        assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
        await_state(WnbdServerReconnecting);
        program_take_over(&program, &options);
        program_stop(&program);
        hand_await_gone("vol1");
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
    bed_schedule_seed(0);
}

/* ---- The arena of an owner who is gone ---- */

struct late {
    pthread_t thread;
    struct bed_file *file;
    WNBD_IOCTL_SEND_RSP_COMMAND command;
    NTSTATUS status;
};

static void *answer_late(void *context)
{
    struct late *late = context;

    late->status = bed_control(late->file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &late->command, sizeof(late->command),
                               NULL, 0, NULL);
    return NULL;
}

/* Begins to answer a request of ENTER with a buffer of its own, and is gone. */
static NTSTATUS die_answering(struct program *program, UINT64 handle, struct program *next, UCHAR *data)
{
    struct late late = {.file = program->file};
    struct program_output entered;
    struct bed_io enter;

    late.command = (WNBD_IOCTL_SEND_RSP_COMMAND){.IoControlCode = IOCTL_WNBD_SEND_RSP,
                                                 .Response.RequestHandle = handle,
                                                 .ConnectionId = program->id,
                                                 .DataBuffer = data,
                                                 .DataBufferSize = WNBD_DEFAULT_MAX_TRANSFER_LENGTH};
    program_enter_begin(program, &enter, 1, &entered); /* keeps the file object until it is waited for */
    pthread_create(&late.thread, NULL, answer_late, &late);
    usleep((useconds_t)rand() % 1000);
    program_die(program);
    program_take_over(next, &program->options);
    pthread_join(late.thread, NULL);
    assert_int_equal(bed_io_wait(&enter, MAXULONG, NULL), STATUS_ACCESS_DENIED);
    program_free(program);
    return late.status;
}

/* Each of them needs the whole arena. */
static void serve_one_after_the_other(struct program *program, unsigned count)
{
    struct program_output output;

    while (count-- != 0) {
        WNBD_ARENA_REQUEST request = program_next(program);
        WNBD_ANSWER answer = program_carry_out(program, &request, program_data(program, &request));

        assert_int_equal(program_enter(program, NULL, 0, 1, false, &output), STATUS_SUCCESS);
        assert_int_equal(output.head.RequestCount, 0);
        assert_int_equal(program_answer(program, &answer), 0);
    }
}

/* What the old owner has answered goes back to the arena that it was in, not to that of the next, which would have it
 * twice then. */
static void answer_outlives_its_arena(void **state)
{
    enum { ROUNDS = 200, LARGE = WNBD_DEFAULT_MAX_TRANSFER_LENGTH, IOS = 3 };
    struct program_options options = {.store = store, .arena_size = WNBD_MIN_ARENA_SIZE};
    UCHAR *data = malloc(LARGE * (IOS + 1));
    struct program programs[2];
    struct bed_io ios[IOS];
    struct bed_file *disk;

    (void)state;
    options.flags.KeepDisk = 1;
    disk = hand_start(&programs[0], &options);
    srand(7);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct program *next = &programs[(round + 1) % 2];
        NTSTATUS status;

        bed_transfer_begin(&ios[0], disk, false, 0, data, LARGE);
        status = die_answering(&programs[round % 2], program_next(&programs[round % 2]).Request.RequestHandle, next,
                               data + IOS * LARGE);
        for (ULONG i = 1; i < IOS; i++) {
            bed_transfer_begin(&ios[i], disk, false, i * LARGE, data + i * LARGE, LARGE);
        }
        serve_one_after_the_other(next, NT_SUCCESS(status) ? IOS - 1 : IOS);
        for (ULONG i = 0; i < IOS; i++) {
            assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
        }
    }
    hand_stop(&programs[ROUNDS % 2], disk);
    free(data);
}

/* Nobody serves it: it can go all the same, by name and with the machine. */
static void orphan_goes(void **state)
{
    struct program_options options = {.store = store};
    static UCHAR data[LENGTH];
    struct bed_io io;

    (void)state;
    options.flags.KeepDisk = 1;
    for (int by_name = 0; by_name < 2; by_name++) {
        struct program program;
        struct bed_file *disk = hand_start(&program, &options);

        bed_transfer_begin(&io, disk, true, 0, data, LENGTH);
        program_die(&program);
        await_state(WnbdServerReconnecting);
        if (by_name == 1) {
            assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
            assert_int_not_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
            hand_stop_without(&program, disk);
        } else {
            WNBD_ARENA_REQUEST request;

            program_free(&program);
            program_take_over(&program, &options);
            hand_take(&program, &request, 1);
            assert_int_equal(hand_answer(&program, &request, 1), 0);
            assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
            program_die(&program);
            hand_stop_without(&program, disk);
        }
    }
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_follow_each_other),
        cmocka_unit_test(unanswered_requests_are_given_again),
        cmocka_unit_test(requests_fail_when_nobody_comes),
        cmocka_unit_test(attach_races_the_time_out),
        cmocka_unit_test(many_attach_themselves_and_leave),
        cmocka_unit_test(one_of_several_gets_it),
        cmocka_unit_test(one_command_owns),
        cmocka_unit_test(disks_of_one_handle_go_with_it),
        cmocka_unit_test(closed_handle_owns_nothing),
        cmocka_unit_test(handle_closed_while_its_disk_is_made),
        cmocka_unit_test(answer_outlives_its_arena),
        cmocka_unit_test(orphan_goes),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
