/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/hand.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GONE_MS 20000

struct bed_file *hand_start(struct program *program, const struct program_options *options)
{
    struct bed_file *disk = NULL;

    fixture_start_machine();
    program_start(program, options);
    assert_int_equal(wnbd_open_disk(adapter, program->options.name, &disk), STATUS_SUCCESS);
    return disk;
}

void hand_stop(struct program *program, struct bed_file *disk)
{
    bed_close(disk);
    program_stop(program);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

void hand_stop_without(struct program *program, struct bed_file *disk)
{
    bed_close(disk);
    program_free(program);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

void hand_take(struct program *program, WNBD_ARENA_REQUEST *requests, UINT32 count)
{
    UINT32 taken = 0;

    while (taken < count) {
        struct program_output output;
        UINT32 room = count - taken < PROGRAM_BATCH ? count - taken : PROGRAM_BATCH;

        assert_int_equal(program_enter(program, NULL, 0, room, true, &output), STATUS_SUCCESS);
        assert_int_equal(output.head.Disconnected, 0);
        assert_true(output.head.RequestCount <= room);
        memcpy(requests + taken, output.head.Requests, output.head.RequestCount * sizeof(*requests));
        taken += output.head.RequestCount;
    }
}

UINT32 hand_answer(struct program *program, const WNBD_ARENA_REQUEST *requests, UINT32 count)
{
    UINT32 refused = 0;

    for (UINT32 i = 0; i < count; i++) {
        WNBD_ANSWER answer = program_carry_out(program, &requests[i], program_data(program, &requests[i]));

        refused += program_answer(program, &answer);
    }
    return refused;
}

bool hand_is_idle(struct program *program)
{
    struct program_output output;

    assert_int_equal(program_enter(program, NULL, 0, 1, false, &output), STATUS_SUCCESS);
    return output.head.RequestCount == 0;
}

void hand_pause_ms(unsigned ms)
{
    LARGE_INTEGER pause = {.QuadPart = -(LONGLONG)ms * 10000};

    KeDelayExecutionThread(UserMode, FALSE, &pause);
}

void hand_await_gone(const char *name)
{
    WNBD_CONNECTION_INFO info;

    for (int i = 0; i < GONE_MS && wnbd_show(adapter, name, &info) == STATUS_SUCCESS; i++) {
        hand_pause_ms(1);
    }
    assert_int_equal(wnbd_show(adapter, name, &info), STATUS_OBJECT_NAME_NOT_FOUND);
}
