/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An arena that is full: who waits, who passes, who is woken. */
#include "tests/host/hand.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SMALL 4096u
#define LARGE (1u << 20)
#define MANY  12

static UCHAR large_data[MANY][LARGE];
static struct bed_io large_ios[MANY];
static WNBD_ARENA_REQUEST large[MANY];

static void begin_large(struct bed_file *disk, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        wnbd_pattern(large_data[i], LARGE, i);
        bed_transfer_begin(&large_ios[i], disk, true, (ULONGLONG)i * LARGE, large_data[i], LARGE);
    }
}

/* As many as there is room for. */
static UINT32 take_all_there_are(struct program *program, WNBD_ARENA_REQUEST *requests)
{
    struct program_output output;
    UINT32 count = 0;

    do {
        assert_int_equal(program_enter(program, NULL, 0, 1, false, &output), STATUS_SUCCESS);
        if (output.head.RequestCount != 0) {
            requests[count++] = output.head.Requests[0];
        }
    } while (output.head.RequestCount != 0);
    return count;
}

static void finish_large(struct program *program, UINT32 taken)
{
    UINT32 answered = 0;

    while (answered < MANY) {
        assert_int_equal(hand_answer(program, large + answered, taken), 0);
        answered += taken;
        taken = answered < MANY ? take_all_there_are(program, large + answered) : 0;
        assert_true(taken != 0 || answered == MANY);
    }
    for (ULONG i = 0; i < MANY; i++) {
        assert_int_equal(bed_io_wait(&large_ios[i], MAXULONG, NULL), STATUS_SUCCESS);
        assert_memory_equal(program->bytes + (size_t)i * LARGE, large_data[i], LARGE);
    }
}

/* The arena is taken up by large writes that are not answered: small requests go on, up to a number. */
static void small_requests_go_on(void **state)
{
    enum { PASSES = 256 };
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    static UCHAR small_data[SMALL];
    UINT32 taken;

    (void)state;
    begin_large(disk, MANY);
    taken = take_all_there_are(&program, large);
    assert_true(taken >= 6 && taken < 8); /* of 8 MiB, and something is left */
    for (unsigned i = 0; i < PASSES; i++) {
        WNBD_ARENA_REQUEST request;
        struct bed_io io;

        bed_transfer_begin(&io, disk, i % 2 == 0, (32ull << 20) + i / 2 * SMALL, small_data, SMALL);
        hand_take(&program, &request, 1);
        assert_int_equal(hand_answer(&program, &request, 1), 0);
        assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    }
    assert_true(hand_is_idle(&program));
    finish_large(&program, taken);
    hand_stop(&program, disk);
}

/* The one that waits longest gets its turn, though small ones come all the time. */
static void large_request_gets_its_turn(void **state)
{
    enum { AT_ONCE = 32 };
    struct program_options options = {.arena_size = WNBD_MIN_ARENA_SIZE};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    static UCHAR small_data[AT_ONCE][SMALL];
    static UCHAR whole[WNBD_MIN_ARENA_SIZE];
    WNBD_ARENA_REQUEST requests[AT_ONCE];
    struct bed_io ios[AT_ONCE];
    struct bed_io whole_io;
    bool got = false;

    (void)state;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        bed_transfer_begin(&ios[i], disk, true, (32ull << 20) + i * SMALL, small_data[i], SMALL);
        hand_take(&program, &requests[i], 1);
    }
    wnbd_pattern(whole, sizeof(whole), 3);
    bed_transfer_begin(&whole_io, disk, true, 0, whole, sizeof(whole));
    for (unsigned round = 0; round < 1000 && !got; round++) {
        unsigned i = round % AT_ONCE;

        if (requests[i].DataLength != 0) {
            assert_int_equal(hand_answer(&program, &requests[i], 1), 0);
            assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
            bed_transfer_begin(&ios[i], disk, true, (32ull << 20) + i * SMALL, small_data[i], SMALL);
        }
        memset(&requests[i], 0, sizeof(requests[i]));
        if (take_all_there_are(&program, large) != 0) {
            requests[i] = large[0];
            got = large[0].DataLength == sizeof(whole);
        }
    }
    assert_true(got);
    assert_int_equal(hand_answer(&program, &large[0], 1), 0);
    assert_int_equal(bed_io_wait(&whole_io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_memory_equal(program.bytes, whole, sizeof(whole));
    for (unsigned i = 0; i < AT_ONCE; i++) {
        WNBD_ARENA_REQUEST request;

        hand_take(&program, &request, 1);
        assert_int_equal(hand_answer(&program, &request, 1), 0);
    }
    for (unsigned i = 0; i < AT_ONCE; i++) {
        assert_int_equal(bed_io_wait(&ios[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
    hand_stop(&program, disk);
}

/* Threads that wait while there is no room are left alone until there is. */
static void nobody_is_woken_in_vain(void **state)
{
    struct program_options options = {0};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct program_output outputs[2];
    struct bed_io ios[2];
    UINT32 taken;

    (void)state;
    begin_large(disk, MANY);
    taken = take_all_there_are(&program, large);
    for (int i = 0; i < 2; i++) {
        memset(&outputs[i], 0, sizeof(outputs[i]));
        program_enter_begin(&program, &ios[i], 1, &outputs[i]);
    }
    assert_int_equal(bed_io_wait(&ios[0], 200, NULL), STATUS_TIMEOUT);
    assert_int_equal(bed_io_wait(&ios[1], 200, NULL), STATUS_TIMEOUT);
    assert_int_equal(hand_answer(&program, large, 1), 0);
    assert_int_equal(bed_io_wait(&ios[0], MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(outputs[0].head.RequestCount, 0); /* large data is copied by a command that comes for it */
    memmove(large, large + 1, (taken - 1) * sizeof(large[0]));
    taken -= 1;
    assert_int_equal(program_enter(&program, NULL, 0, 1, false, &outputs[0]), STATUS_SUCCESS);
    assert_int_equal(outputs[0].head.RequestCount, 1);
    large[taken++] = outputs[0].head.Requests[0];
    assert_int_equal(bed_io_wait(&ios[1], 200, NULL), STATUS_TIMEOUT);
    bed_io_cancel(&ios[1]);
    assert_int_equal(bed_io_wait(&ios[1], MAXULONG, NULL), STATUS_CANCELLED);
    for (UINT32 answered = 1; answered < MANY;) {
        assert_int_equal(hand_answer(&program, large, taken), 0);
        answered += taken;
        taken = take_all_there_are(&program, large);
    }
    for (ULONG i = 0; i < MANY; i++) {
        assert_int_equal(bed_io_wait(&large_ios[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
    hand_stop(&program, disk);
}

/* Several threads, large and small ones at once, in the smallest arena. */
static void small_arena_serves_all(void **state)
{
    struct program_options options = {.threads = 4, .arena_size = WNBD_MIN_ARENA_SIZE, .mixed = true};
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    static UCHAR small_data[MANY][SMALL];
    struct bed_io small_ios[MANY];

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        begin_large(disk, MANY);
        for (ULONG i = 0; i < MANY; i++) {
            bed_transfer_begin(&small_ios[i], disk, true, (32ull << 20) + i * SMALL, small_data[i], SMALL);
        }
        for (ULONG i = 0; i < MANY; i++) {
            assert_int_equal(bed_io_wait(&small_ios[i], MAXULONG, NULL), STATUS_SUCCESS);
            assert_int_equal(bed_io_wait(&large_ios[i], MAXULONG, NULL), STATUS_SUCCESS);
            assert_memory_equal(program.bytes + (size_t)i * LARGE, large_data[i], LARGE);
        }
        memset(program.bytes, 0, MANY * LARGE);
    }
    hand_stop(&program, disk);
}

static void assert_not_created(const struct program_options *options)
{
    struct program program;

    assert_int_equal(program_create(&program, options), STATUS_INVALID_PARAMETER);
    program_free(&program);
}

static void sizes_out_of_bounds_are_refused(void **state)
{
    (void)state;
    fixture_start_machine();
    assert_not_created(&(struct program_options){.arena_size = WNBD_MIN_ARENA_SIZE / 2});
    assert_not_created(&(struct program_options){.arena_size = WNBD_MIN_ARENA_SIZE + 4096});
    assert_not_created(&(struct program_options){.arena_size = WNBD_MAX_ARENA_SIZE + (64 << 10)});
    assert_not_created(&(struct program_options){.queue_depth = WNBD_ABS_MAX_IO_REQ_PER_LUN + 1});
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_requests_go_on),
        cmocka_unit_test(large_request_gets_its_turn),
        cmocka_unit_test(nobody_is_woken_in_vain),
        cmocka_unit_test(small_arena_serves_all),
        cmocka_unit_test(sizes_out_of_bounds_are_refused),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
