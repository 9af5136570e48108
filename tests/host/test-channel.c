/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks that a program serves. */
#include "tests/host/hand.h"
#include "tests/host/pass.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK 512u

/* ---- Data ---- */

static void write_and_read_back(const struct program *program, struct bed_file *disk, ULONGLONG offset, ULONG length)
{
    UCHAR *written = malloc(length);
    UCHAR *read = calloc(1, length);

    wnbd_pattern(written, length, (ULONG)offset + 1);
    assert_int_equal(bed_write(disk, offset, written, length), STATUS_SUCCESS);
    assert_memory_equal(program->bytes + offset, written, length);
    assert_int_equal(bed_read(disk, offset, read, length), STATUS_SUCCESS);
    assert_memory_equal(read, written, length);
    free(written);
    free(read);
}

static void move_data(const struct program_options *options)
{
    static const ULONG lengths[] = {512, 4096, 5120, 32768, 33280, 65536, 1 << 20, 2 << 20, (2 << 20) + 512, 5 << 20};
    struct program program;
    struct bed_file *disk = hand_start(&program, options);
    ULONG block = program.options.block_size;

    for (size_t i = 0; i < ARRAYSIZE(lengths); i++) {
        ULONG length = (lengths[i] + block - 1) / block * block;

        write_and_read_back(&program, disk, (ULONGLONG)block * (i + 1), length);
        write_and_read_back(&program, disk, PROGRAM_BYTES - length, length);
    }
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_int_equal(program.refused, 0);
    hand_stop(&program, disk);
}

static void batches(void **state)
{
    (void)state;
    move_data(&(struct program_options){.threads = 1});
    move_data(&(struct program_options){.threads = 4, .flags.FlushSupported = 1, .flags.FUASupported = 1});
    move_data(&(struct program_options){.threads = 2, .block_size = 4096, .flags.LargeBlocksAllowed = 1});
}

static void one_at_a_time(void **state)
{
    (void)state;
    move_data(&(struct program_options){.threads = 1, .one_at_a_time = true});
    move_data(&(struct program_options){.threads = 4, .one_at_a_time = true, .flags.FlushSupported = 1});
}

static void smallest_arena_and_queue(void **state)
{
    (void)state;
    move_data(&(struct program_options){.threads = 3, .queue_depth = 1, .arena_size = WNBD_MIN_ARENA_SIZE});
    move_data(&(struct program_options){.threads = 1, .queue_depth = 1, .one_at_a_time = true});
}

static void unmap_gives_one_descriptor_a_request(void **state)
{
    struct program_options options = {.threads = 1, .flags.UnmapSupported = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct pass pass = {0};

    (void)state;
    memset(program.bytes, 0xFF, 1 << 20);
    assert_true(pass_unmap(disk, &pass, 2, 3));
    assert_int_equal(program.requests[WnbdReqTypeUnmap], 1);
    for (ULONG i = 0; i < 8 * BLOCK; i++) {
        assert_int_equal(program.bytes[i], i / BLOCK >= 2 && i / BLOCK < 5 ? 0 : 0xFF);
    }
    hand_stop(&program, disk);
}

static void flush_only_where_there_is_a_cache(void **state)
{
    struct program_options options = {.threads = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_int_equal(program.requests[WnbdReqTypeFlush], 0);
    hand_stop(&program, disk);
    options.flags.FlushSupported = 1;
    disk = hand_start(&program, &options);
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_true(program.requests[WnbdReqTypeFlush] >= 1);
    hand_stop(&program, disk);
}

static void read_only_is_write_protected(void **state)
{
    struct program_options options = {.threads = 1, .flags.ReadOnly = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    UCHAR data[BLOCK] = {0};

    (void)state;
    assert_int_equal(bed_write(disk, 0, data, sizeof(data)), STATUS_MEDIA_WRITE_PROTECTED);
    assert_int_equal(program.requests[WnbdReqTypeWrite], 0);
    assert_int_equal(bed_read(disk, 0, data, sizeof(data)), STATUS_SUCCESS);
    hand_stop(&program, disk);
}

/* ---- Answers ---- */

static bool answers_short(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    (void)program;
    if (request->Request.RequestType != WnbdReqTypeRead) {
        return false;
    }
    memset(data, 0x5A, request->DataLength);
    answer->DataLength = request->Request.Cmd.Read.BlockAddress == 9   ? 0
                         : request->Request.Cmd.Read.BlockAddress == 8 ? 100
                                                                       : request->DataLength + 4096;
    return true;
}

/* D2 of the interface: what is missing is zeroes, what is too much is ignored. */
static void short_answer_reads_as_zeroes(void **state)
{
    struct program_options options = {.threads = 1, .does = answers_short};

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct program program;
        struct bed_file *disk;
        UCHAR data[3 * BLOCK];

        options.one_at_a_time = kind == 1;
        disk = hand_start(&program, &options);
        memset(data, 1, sizeof(data));
        assert_int_equal(bed_read(disk, 8 * BLOCK, data, BLOCK), STATUS_SUCCESS);
        for (ULONG i = 0; i < BLOCK; i++) {
            assert_int_equal(data[i], i < 100 ? 0x5A : 0);
        }
        assert_int_equal(bed_read(disk, 9 * BLOCK, data, BLOCK), STATUS_SUCCESS);
        for (ULONG i = 0; i < BLOCK; i++) {
            assert_int_equal(data[i], 0);
        }
        assert_int_equal(bed_read(disk, 10 * BLOCK, data, BLOCK), STATUS_SUCCESS);
        assert_int_equal(data[0], 0x5A);
        assert_int_equal(data[BLOCK], 1);
        hand_stop(&program, disk);
    }
}

static bool answers_sense(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    (void)program;
    (void)data;
    if (request->Request.RequestType != WnbdReqTypeRead || request->Request.Cmd.Read.BlockAddress != 7) {
        return false;
    }
    answer->ScsiStatus = 2;
    answer->SenseKey = 3;
    answer->ASC = 0x11;
    answer->Information = 7;
    answer->InformationValid = 1;
    return true;
}

static void sense_arrives(void **state)
{
    struct program_options options = {.threads = 1, .does = answers_sense};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct pass pass = {0};
    ULONG lba = 0;

    (void)state;
    assert_false(pass_read(disk, &pass, 7, 1, BLOCK));
    assert_true(pass_has_sense(&pass, 3));
    assert_int_equal(pass.sense[12], 0x11);
    assert_true(pass_has_information(&pass, &lba));
    assert_int_equal(lba, 7);
    assert_true(pass_read(disk, &pass, 8, 1, BLOCK));
    hand_stop(&program, disk);
}

static void nonsense_is_refused(void **state)
{
    struct program_options options = {.threads = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_ANSWER answers[3] = {{.RequestHandle = 1}, {.RequestHandle = 0}, {.RequestHandle = UINT64_MAX}};
    struct program_output output;

    (void)state;
    assert_int_equal(program_enter(&program, answers, 3, 0, false, &output), STATUS_SUCCESS);
    assert_int_equal(output.head.RefusedCount, 3);
    write_and_read_back(&program, disk, 0, 4096);
    hand_stop(&program, disk);
}

/* ---- Whose ---- */

static void others_are_denied(void **state)
{
    struct program_options options = {.threads = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct program other = program;
    struct program_output output;
    WNBD_IOCTL_SET_SIZE_COMMAND size = {
        .IoControlCode = IOCTL_WNBD_SET_DISK_SIZE, .ConnectionId = program.id, .BlockCount = 8};

    (void)state;
    other.file = adapter;
    assert_int_equal(program_enter(&other, NULL, 0, 1, false, &output), STATUS_ACCESS_DENIED);
    assert_int_equal(program_map_arena(&other), STATUS_ACCESS_DENIED);
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &size, sizeof(size), NULL, 0, NULL),
                     STATUS_ACCESS_DENIED);
    other.id += 128;
    assert_int_equal(program_enter(&other, NULL, 0, 1, false, &output), STATUS_INVALID_HANDLE);
    write_and_read_back(&program, disk, 0, 4096);
    hand_stop(&program, disk);
}

static void disk_goes_with_its_handle(void **state)
{
    struct program_options options = {.threads = 2};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    write_and_read_back(&program, disk, 0, 4096);
    program_die(&program);
    hand_await_gone("vol1");
    program_free(&program);
    bed_close(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static bool never_answers(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *data, WNBD_ANSWER *answer)
{
    (void)program;
    (void)data;
    if (request->Request.RequestType == WnbdReqTypeWrite) {
        answer->RequestHandle = 0;
        return true;
    }
    return false;
}

static void requests_end_with_the_disk(void **state)
{
    struct program_options options = {.threads = 2, .does = never_answers};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    static UCHAR data[65536];
    struct bed_io io;

    (void)state;
    bed_transfer_begin(&io, disk, true, 0, data, sizeof(data));
    while (program.requests[WnbdReqTypeWrite] == 0) {
        LARGE_INTEGER pause = {.QuadPart = -10000};

        KeDelayExecutionThread(UserMode, FALSE, &pause);
    }
    program_die(&program);
    assert_int_not_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    hand_await_gone("vol1");
    program_free(&program);
    bed_close(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void own_cancelled_ends_the_disk(void **state)
{
    struct program_options options = {.threads = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    bed_io_cancel(&program.own);
    hand_await_gone("vol1");
    program_wait(&program);
    assert_int_equal(program.disconnected + program.failed, 1);
    program_free(&program);
    bed_close(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void resize(void **state)
{
    struct program_options options = {.threads = 1};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    WNBD_IOCTL_SET_SIZE_COMMAND size = {.IoControlCode = IOCTL_WNBD_SET_DISK_SIZE, .ConnectionId = program.id};
    WNBD_CONNECTION_INFO info;
    UCHAR data[BLOCK] = {0};
    struct pass pass;

    (void)state;
    assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &size, sizeof(size), NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    size.BlockCount = 1000;
    assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &size, sizeof(size), NULL, 0, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
    assert_int_equal(info.Properties.BlockCount, 1000);
    assert_false(pass_prefetch(disk, &pass, 0, 1)); /* the first command after it learns so, once */
    assert_true(pass_has_sense(&pass, 6));
    assert_int_equal(pass.sense[12], 0x2A);
    assert_int_equal(pass.sense[13], 0x09);
    assert_true(pass_prefetch(disk, &pass, 0, 1));
    size.BlockCount = (UINT64)INT64_MAX / BLOCK + 1; /* more bytes than Windows can count */
    assert_int_equal(bed_control(program.file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &size, sizeof(size), NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(bed_read(disk, 999 * BLOCK, data, BLOCK), STATUS_SUCCESS);
    assert_int_not_equal(bed_read(disk, 1000 * BLOCK, data, BLOCK), STATUS_SUCCESS);
    hand_stop(&program, disk);
}

/* ---- Kept ---- */

static void kept_disk_is_served_again(void **state)
{
    struct program_options options = {.threads = 2, .does = never_answers, .flags.KeepDisk = 1};
    struct program program;
    struct program next;
    struct bed_file *disk = hand_start(&program, &options);
    static UCHAR data[65536];
    struct bed_io io;

    (void)state;
    assert_int_equal(program_attach(&next, &options), STATUS_SHARING_VIOLATION);
    program_free(&next);
    wnbd_pattern(data, sizeof(data), 5);
    bed_transfer_begin(&io, disk, true, 4096, data, sizeof(data));
    while (program.requests[WnbdReqTypeWrite] == 0) {
        LARGE_INTEGER pause = {.QuadPart = -10000};

        KeDelayExecutionThread(UserMode, FALSE, &pause);
    }
    program_die(&program);
    options.does = NULL;
    program_take_over(&next, &options);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_memory_equal(next.bytes + 4096, data, sizeof(data));
    write_and_read_back(&next, disk, 1 << 20, 1 << 20);
    program_free(&program);
    hand_stop(&next, disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(smallest_arena_and_queue),
        cmocka_unit_test(unmap_gives_one_descriptor_a_request),
        cmocka_unit_test(flush_only_where_there_is_a_cache),
        cmocka_unit_test(read_only_is_write_protected),
        cmocka_unit_test(short_answer_reads_as_zeroes),
        cmocka_unit_test(sense_arrives),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(others_are_denied),
        cmocka_unit_test(disk_goes_with_its_handle),
        cmocka_unit_test(requests_end_with_the_disk),
        cmocka_unit_test(own_cancelled_ends_the_disk),
        cmocka_unit_test(resize),
        cmocka_unit_test(kept_disk_is_served_again),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
