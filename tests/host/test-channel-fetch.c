/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FETCH_REQ with buffers that do not fit: what does not fit stays, and goes to the next that asks. */
#include "tests/host/hand.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH 4096u

static UCHAR data[LENGTH];
static UCHAR buffer[LENGTH];

/* FETCH_REQ with `room` bytes for data and `output_size` for what it says. */
static void fetch_begin(struct program *program, struct bed_io *io, WNBD_IOCTL_FETCH_REQ_COMMAND *fetch, UINT32 room,
                        ULONG output_size)
{
    *fetch = (WNBD_IOCTL_FETCH_REQ_COMMAND){.IoControlCode = IOCTL_WNBD_FETCH_REQ,
                                            .ConnectionId = program->id,
                                            .DataBuffer = room != 0 ? buffer : NULL,
                                            .DataBufferSize = room};
    bed_control_begin(io, program->file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, fetch, sizeof(*fetch), fetch, output_size);
}

static NTSTATUS fetch(struct program *program, WNBD_IOCTL_FETCH_REQ_COMMAND *fetch, UINT32 room)
{
    struct bed_io io;

    fetch_begin(program, &io, fetch, room, sizeof(*fetch));
    return bed_io_wait(&io, MAXULONG, NULL);
}

/* Carries out the write that has been fetched, whole. */
static void carry_out(struct program *program, const WNBD_IO_REQUEST *request)
{
    WNBD_ARENA_REQUEST fetched = {.Request = *request};
    WNBD_ANSWER answer;

    assert_int_equal(request->RequestType, WnbdReqTypeWrite);
    answer = program_carry_out(program, &fetched, buffer);
    assert_int_equal(program_send(program, &answer, buffer), STATUS_SUCCESS);
}

static void finish(struct program *program, struct bed_file *disk, struct bed_io *write)
{
    assert_int_equal(bed_io_wait(write, MAXULONG, NULL), STATUS_SUCCESS);
    assert_memory_equal(program->bytes, data, LENGTH);
    hand_stop(program, disk);
}

static void write_waits_for_a_buffer_that_holds_it(void **state)
{
    struct program_options options = {.one_at_a_time = true};
    WNBD_IOCTL_FETCH_REQ_COMMAND fetched;
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct bed_io write;

    (void)state;
    wnbd_pattern(data, LENGTH, 1);
    bed_transfer_begin(&write, disk, true, 0, data, LENGTH);
    HAND_AWAIT(UnsubmittedIORequests, 1);
    assert_int_equal(fetch(&program, &fetched, LENGTH - 1), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(fetch(&program, &fetched, 0), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(fetch(&program, &fetched, LENGTH), STATUS_SUCCESS);
    carry_out(&program, &fetched.Request);
    finish(&program, disk, &write);
}

static void buffer_that_waits_does_not_hold_the_write(void **state)
{
    struct program_options options = {.one_at_a_time = true};
    WNBD_IOCTL_FETCH_REQ_COMMAND fetched;
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    struct bed_io fetching;
    struct bed_io write;

    (void)state;
    wnbd_pattern(data, LENGTH, 2);
    fetch_begin(&program, &fetching, &fetched, LENGTH - 1, sizeof(fetched));
    bed_transfer_begin(&write, disk, true, 0, data, LENGTH);
    assert_int_equal(bed_io_wait(&fetching, MAXULONG, NULL), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(fetch(&program, &fetched, LENGTH), STATUS_SUCCESS);
    carry_out(&program, &fetched.Request);
    finish(&program, disk, &write);
}

/* Programs may give room for the request, and not for the command that it is a part of. */
static void output_is_the_request_alone(void **state)
{
    struct program_options options = {.one_at_a_time = true};
    WNBD_IOCTL_FETCH_REQ_COMMAND fetched;
    WNBD_IO_REQUEST request;
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);
    ULONG_PTR information = 0;
    struct bed_io fetching;
    struct bed_io write;

    (void)state;
    wnbd_pattern(data, LENGTH, 3);
    bed_transfer_begin(&write, disk, true, 0, data, LENGTH);
    fetch_begin(&program, &fetching, &fetched, LENGTH, sizeof(request));
    assert_int_equal(bed_io_wait(&fetching, MAXULONG, &information), STATUS_SUCCESS);
    assert_int_equal(information, sizeof(request));
    memcpy(&request, &fetched, sizeof(request));
    assert_int_equal(request.Cmd.Write.BlockCount, LENGTH / 512);
    carry_out(&program, &request);
    finish(&program, disk, &write);
}

/* A program's buffers keep no more memory locked than its requests can need. */
static void as_many_wait_as_there_can_be_requests(void **state)
{
    enum { DEPTH = 4 };
    struct program_options options = {.one_at_a_time = true, .queue_depth = DEPTH};
    WNBD_IOCTL_FETCH_REQ_COMMAND fetches[DEPTH + 1];
    struct bed_io waiting[DEPTH];
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    for (int i = 0; i < DEPTH; i++) {
        fetch_begin(&program, &waiting[i], &fetches[i], LENGTH, sizeof(fetches[i]));
    }
    assert_int_equal(fetch(&program, &fetches[DEPTH], LENGTH), STATUS_INSUFFICIENT_RESOURCES);
    bed_io_cancel(&waiting[0]);
    assert_int_equal(bed_io_wait(&waiting[0], MAXULONG, NULL), STATUS_CANCELLED);
    fetch_begin(&program, &waiting[0], &fetches[0], LENGTH, sizeof(fetches[0]));
    assert_int_equal(bed_io_wait(&waiting[0], 20, NULL), STATUS_TIMEOUT);
    for (int i = 0; i < DEPTH; i++) {
        bed_io_cancel(&waiting[i]);
        assert_int_equal(bed_io_wait(&waiting[i], MAXULONG, NULL), STATUS_CANCELLED);
    }
    hand_stop(&program, disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_waits_for_a_buffer_that_holds_it),
        cmocka_unit_test(buffer_that_waits_does_not_hold_the_write),
        cmocka_unit_test(output_is_the_request_alone),
        cmocka_unit_test(as_many_wait_as_there_can_be_requests),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
