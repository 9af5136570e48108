/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many disks that programs serve, made and closed by many threads; and each command with each length. */
#include "tests/host/hand.h"

#include "bed/host/schedule.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK  512u
#define LENGTH (32u << 10)

static UCHAR store[PROGRAM_BYTES];

static void describe(WNBD_IOCTL_CREATE_COMMAND *create, const char *name)
{
    wnbd_describe(create, name, 1);
    create->Properties.Flags.UseKernelNbd = 0;
    create->Properties.BlockCount = 2048;
    create->Properties.BlockSize = BLOCK;
    create->Properties.QueueDepth = 4;
    create->Properties.ArenaSize = WNBD_MIN_ARENA_SIZE;
}

/* ---- 128 disks ---- */

static void as_many_disks_as_there_are_addresses(void **state)
{
    enum { DISKS = 128 };
    static struct program programs[DISKS];
    static char names[DISKS + 1][16];
    static UCHAR data[LENGTH];
    struct program_options options = {
        .threads = 1, .store = store, .arena_size = WNBD_MIN_ARENA_SIZE, .queue_depth = 4};
    struct program extra;
    WNBD_CONNECTION_INFO info;

    (void)state;
    fixture_start_machine();
    for (unsigned i = 0; i < DISKS; i++) {
        snprintf(names[i], sizeof(names[i]), "vol%u", i);
        options.name = names[i];
        program_start(&programs[i], &options);
    }
    options.name = "one-more";
    assert_int_equal(program_create(&extra, &options), STATUS_TOO_MANY_ADDRESSES);
    program_free(&extra);
    for (unsigned i = 0; i < DISKS; i += 9) {
        struct bed_file *disk;

        assert_int_equal(wnbd_open_disk(adapter, names[i], &disk), STATUS_SUCCESS);
        wnbd_pattern(data, LENGTH, i);
        assert_int_equal(bed_write(disk, (ULONGLONG)i * LENGTH, data, LENGTH), STATUS_SUCCESS);
        assert_memory_equal(store + (size_t)i * LENGTH, data, LENGTH);
        bed_close(disk);
    }
    for (unsigned i = 0; i < DISKS; i++) {
        if (i % 2 == 0) {
            program_die(&programs[i]);
            program_free(&programs[i]);
        } else {
            program_stop(&programs[i]);
        }
    }
    hand_await_gone(names[126]);
    assert_int_equal(wnbd_show(adapter, names[127], &info), STATUS_OBJECT_NAME_NOT_FOUND);
    options.name = NULL;
    program_start(&extra, &options);
    program_stop(&extra);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Storms ---- */

static volatile bool stopping;

/* Makes a disk, perhaps serves it a little, and ends it in one of the ways there are. */
static void *make_and_close(void *name)
{
    for (unsigned round = 0; !stopping; round++) {
        struct program_options options = {.name = name, .threads = round % 3, .store = store};
        struct program program;
        NTSTATUS status;

        options.queue_depth = 4;
        options.arena_size = WNBD_MIN_ARENA_SIZE;
        options.flags.KeepDisk = round % 5 == 4;
        status = program_create(&program, &options);
        if (status == STATUS_SUCCESS) {
            program_own(&program);
            program_map_arena(&program);
            program_serve(&program);
        } else {
            program.options.threads = 0;
        }
        if (status == STATUS_SUCCESS && round % 4 == 1) {
            bed_io_cancel(&program.own);
        }
        if (round % 2 == 0 || options.flags.KeepDisk) {
            wnbd_unmap(adapter, name);
        }
        program_die(&program);
        program_free(&program);
    }
    return NULL;
}

static void *make_and_cancel(void *name)
{
    WNBD_IOCTL_CREATE_COMMAND create;
    WNBD_IOCTL_CREATE_OUTPUT output;

    describe(&create, name);
    for (unsigned round = 0; !stopping; round++) {
        struct bed_file *file = wnbd_open();
        struct bed_io io;

        wnbd_map_begin(&io, file, &create, &output);
        if (round % 2 == 0) {
            bed_io_cancel(&io);
        }
        if (round % 3 == 0) { /* while it is being made */
            bed_close(file);
        }
        bed_io_wait(&io, MAXULONG, NULL);
        if (round % 3 != 0) {
            bed_close(file);
        }
    }
    return NULL;
}

static void disks_of_the_same_and_other_names(void **state)
{
    static const char *const names[] = {"same", "same", "same", "other", "third", "same"};
    pthread_t threads[ARRAYSIZE(names)];
    struct program_options options = {.threads = 1, .store = store};

    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct program program;

        bed_schedule_seed(seed);
        stopping = false;
        fixture_start_machine();
        for (size_t i = 0; i < ARRAYSIZE(names); i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, i < 4 ? make_and_close : make_and_cancel,
                                            (void *)(ULONG_PTR)names[i]),
                             0);
        }
        hand_pause_ms(8000);
        stopping = true;
        for (size_t i = 0; i < ARRAYSIZE(names); i++) {
            pthread_join(threads[i], NULL);
        }
        for (size_t i = 0; i < ARRAYSIZE(names); i++) {
            wnbd_unmap(adapter, names[i]);
        }
        options.name = "same";
        program_start(&program, &options);
        program_stop(&program);
        fixture_stop_machine(BED_REMOVAL_ASKED);
    }
    bed_schedule_seed(0);
}

/* ---- Sizes ---- */

static void *write_on(void *disk)
{
    UCHAR *data = calloc(1, LENGTH);

    while (!stopping) { /* beyond the end it fails */
        bed_write(disk, (ULONGLONG)(rand() % 4096) * BLOCK, data, LENGTH);
    }
    free(data);
    return NULL;
}

static bool stays_within(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    (void)program;
    (void)data;
    (void)answer;
    assert_true(request->DataLength <= LENGTH);
    return false;
}

static void sizes_change_under_io(void **state)
{
    enum { THREADS = 3 };
    static const UINT64 refused[] = {0, 1ull << 54, UINT64_MAX, (1ull << 63) / BLOCK, UINT64_MAX / BLOCK + 1};
    struct program_options options = {.threads = 2, .does = stays_within};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_IOCTL_SET_SIZE_COMMAND size = {.IoControlCode = IOCTL_WNBD_SET_DISK_SIZE, .ConnectionId = program.id};
    WNBD_CONNECTION_INFO info;
    pthread_t threads[THREADS];

    (void)state;
    stopping = false;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, write_on, disk);
    }
    for (unsigned round = 0; round < 100; round++) {
        bool bad = round % 10 == 9;

        size.BlockCount = bad ? refused[round / 10 % ARRAYSIZE(refused)] : 1 + (UINT64)(rand() % 8192);
        assert_int_equal(
            bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &size, sizeof(size), NULL, 0, NULL),
            bad ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS);
        if (!bad) {
            assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
            assert_int_equal(info.Properties.BlockCount, size.BlockCount);
        }
        hand_pause_ms(2);
    }
    stopping = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    hand_stop(&program, disk);
}

/* ---- Lengths ---- */

static const struct {
    ULONG code;
    ULONG input;
    ULONG output;
} commands[] = {
    {IOCTL_WNBD_FETCH_REQ, sizeof(WNBD_IOCTL_FETCH_REQ_COMMAND), sizeof(WNBD_IO_REQUEST)},
    {IOCTL_WNBD_SEND_RSP, sizeof(WNBD_IOCTL_SEND_RSP_COMMAND), 0},
    {IOCTL_WNBD_SET_DISK_SIZE, sizeof(WNBD_IOCTL_SET_SIZE_COMMAND), 0},
    {IOCTL_WNBD_OWN, sizeof(WNBD_IOCTL_OWN_COMMAND), 0},
    {IOCTL_WNBD_MAP_ARENA, sizeof(WNBD_IOCTL_MAP_ARENA_COMMAND), sizeof(WNBD_ARENA)},
    {IOCTL_WNBD_ENTER, FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers), FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests)},
    {IOCTL_WNBD_ATTACH, sizeof(WNBD_IOCTL_ATTACH_COMMAND), sizeof(WNBD_CONNECTION_INFO)},
};

/* The id lies elsewhere in some of them. */
static void put_id(UCHAR *bytes, ULONG code, WNBD_CONNECTION_ID id)
{
    ULONG at = FIELD_OFFSET(WNBD_IOCTL_OWN_COMMAND, ConnectionId);

    if (code == IOCTL_WNBD_FETCH_REQ) {
        at = FIELD_OFFSET(WNBD_IOCTL_FETCH_REQ_COMMAND, ConnectionId);
    } else if (code == IOCTL_WNBD_SEND_RSP) {
        at = FIELD_OFFSET(WNBD_IOCTL_SEND_RSP_COMMAND, ConnectionId);
    }
    memset(bytes, 0, 512);
    memcpy(bytes, &code, sizeof(code));
    if (code != IOCTL_WNBD_ATTACH) {
        memcpy(bytes + at, &id, sizeof(id));
    }
}

static NTSTATUS send(struct program *program, ULONG code, ULONG input_length, ULONG output_length)
{
    UCHAR *input = malloc(512);
    UCHAR *output = malloc(output_length + 1);
    struct bed_io io;
    NTSTATUS status;

    put_id(input, code, program->id);
    output[output_length] = 0x77;
    bed_control_begin(&io, program->file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, input, input_length,
                      output_length != 0 ? output : NULL, output_length);
    if (code == IOCTL_WNBD_FETCH_REQ) {
        bed_io_cancel(&io);
    }
    status = bed_io_wait(&io, MAXULONG, NULL);
    assert_int_equal(output[output_length], 0x77);
    free(input);
    free(output);
    return status;
}

static void each_length_of_each_command(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(commands); i++) {
        for (ULONG length = 0; length <= commands[i].input + 64; length++) {
            NTSTATUS status = send(&program, commands[i].code, length, commands[i].output);

            assert_true(length >= commands[i].input || status == STATUS_INVALID_PARAMETER);
            assert_true(length < commands[i].input || status != STATUS_BUFFER_OVERFLOW);
        }
        for (ULONG length = 0; length <= commands[i].output + 64; length++) {
            NTSTATUS status = send(&program, commands[i].code, commands[i].input, length);

            assert_true((length < commands[i].output) == (status == STATUS_BUFFER_OVERFLOW));
        }
    }
    hand_stop(&program, disk);
}

/* As many answers as the input holds, and as many requests as the output has room for, whatever is asked. */
static void counts_beyond_the_lengths(void **state)
{
    enum { REQUESTS = 4, SMALL = 4096 }; /* a large one would be given alone */
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    static UCHAR data[REQUESTS][SMALL];
    struct bed_io ios[REQUESTS];
    WNBD_ARENA_REQUEST requests[REQUESTS];
    UINT32 taken = 0;

    (void)state;
    for (ULONG i = 0; i < REQUESTS; i++) {
        bed_transfer_begin(&ios[i], disk, true, i * SMALL, data[i], SMALL);
    }
    for (ULONG room = FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests); taken < REQUESTS; room += 24) {
        WNBD_IOCTL_ENTER_COMMAND enter = {
            .IoControlCode = IOCTL_WNBD_ENTER, .ConnectionId = program.id, .MaxRequests = UINT32_MAX};
        struct program_output output = {0};
        ULONG fit = (room - FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests)) / (ULONG)sizeof(WNBD_ARENA_REQUEST);

        assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &enter,
                                     FIELD_OFFSET(WNBD_IOCTL_ENTER_COMMAND, Answers), &output, room, NULL),
                         STATUS_SUCCESS);
        assert_int_equal(output.head.RequestCount, min(fit, REQUESTS - taken));
        memcpy(requests + taken, output.head.Requests, output.head.RequestCount * sizeof(requests[0]));
        taken += output.head.RequestCount;
        enter.AnswerCount = 1 + room;
        assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &enter, sizeof(enter), &output,
                                     sizeof(output), NULL),
                         STATUS_INVALID_PARAMETER);
    }
    assert_int_equal(hand_answer(&program, requests, REQUESTS), 0);
    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
    hand_stop(&program, disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_disks_as_there_are_addresses),
        cmocka_unit_test(disks_of_the_same_and_other_names),
        cmocka_unit_test(sizes_change_under_io),
        cmocka_unit_test(each_length_of_each_command),
        cmocka_unit_test(counts_beyond_the_lengths),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
