/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As test-faults.c, for a disk that a program serves: each call of the driver that may fail does so once, the first in
 * one run, the second in the next. Whatever happens then, it ends, nothing is left, and the next attempt succeeds.
 */
#include "tests/host/each_call.h"
#include "tests/host/pass.h"
#include "tests/host/program.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA_BYTES      (192 << 10)
#define SPEED           50
#define REQUEST_LIMIT_S 100 /* two seconds at that speed: a busy machine is no reason to reset a disk */

static const char *image;
static struct bed_file *adapter;
static UCHAR store[PROGRAM_BYTES];

static void machine_start(void)
{
    bed_registry_set(BED_PARAMETERS_KEY, "IoTimeoutValue", REQUEST_LIMIT_S);
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    adapter = wnbd_open();
    assert_non_null(adapter);
}

static void machine_stop(void)
{
    bed_close(adapter);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
}

static struct program_options options_of(unsigned threads, bool one_at_a_time)
{
    struct program_options options = {.threads = threads, .one_at_a_time = one_at_a_time, .store = store};

    options.flags.KeepDisk = 1;
    options.flags.FlushSupported = 1;
    options.flags.UnmapSupported = 1;
    return options;
}

/* Serves `disk` in the usual way, and ends. */
static void use_and_stop(struct program *program)
{
    static UCHAR data[DATA_BYTES];
    struct bed_file *disk;

    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    assert_int_equal(bed_write(disk, 4096, data, sizeof(data)), STATUS_SUCCESS);
    assert_int_equal(bed_read(disk, 4096, data, sizeof(data)), STATUS_SUCCESS);
    bed_close(disk);
    program_stop(program);
}

static void serve_use_and_stop(struct program *program)
{
    program->options.threads = 1;
    program_serve(program);
    use_and_stop(program);
}

/* ---- What is tried ---- */

static void creating(unsigned k)
{
    struct program_options options = options_of(0, false);
    struct program program;
    NTSTATUS status;

    machine_start();
    faults_arm(k);
    status = program_create(&program, &options);
    faults_disarm();
    assert_true(status == STATUS_SUCCESS || status == STATUS_INSUFFICIENT_RESOURCES);
    program.options.flags.KeepDisk = 0;
    if (status != STATUS_SUCCESS) {
        program_free(&program);
        assert_int_equal(program_create(&program, &options), STATUS_SUCCESS);
    }
    assert_int_equal(program_map_arena(&program), STATUS_SUCCESS);
    serve_use_and_stop(&program);
    machine_stop();
}

static void mapping_the_arena(unsigned k)
{
    struct program_options options = options_of(0, false);
    struct program program;
    NTSTATUS status;

    machine_start();
    assert_int_equal(program_create(&program, &options), STATUS_SUCCESS);
    faults_arm(k);
    status = program_map_arena(&program);
    faults_disarm();
    assert_true(NT_SUCCESS(status) || status == STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(program_map_arena(&program), NT_SUCCESS(status) ? STATUS_INVALID_DEVICE_STATE : STATUS_SUCCESS);
    serve_use_and_stop(&program);
    machine_stop();
}

static void transfers(struct bed_file *disk)
{
    static UCHAR data[DATA_BYTES];
    struct pass pass;

    bed_write(disk, 0, data, 512);
    bed_write(disk, 4096, data, sizeof(data));
    bed_read(disk, 4096, data, sizeof(data));
    bed_read(disk, 0, data, 4096);
    bed_flush(disk);
    pass_unmap(disk, &pass, 8, 64);
}

static void entering(unsigned k)
{
    struct program_options options = options_of(2, false);
    struct bed_file *disk;
    struct program program;

    machine_start();
    program_start(&program, &options);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    faults_arm(k);
    transfers(disk);
    faults_disarm();
    bed_close(disk);
    use_and_stop(&program);
    assert_int_equal(program.failed, 0);
    machine_stop();
}

/* One request and answer of a program whose buffer may not be locked: an error is told, and nothing hangs. */
static bool fetch_and_answer(struct program *program, UCHAR *data)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND fetched;
    NTSTATUS status = program_fetch(program, &fetched, data);
    WNBD_ARENA_REQUEST request = {0};
    WNBD_ANSWER answer;

    if (status == STATUS_INVALID_HANDLE) {
        return false; /* the disk has gone already */
    }
    if (status != STATUS_SUCCESS) {
        assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
        return true;
    }
    if (fetched.Request.RequestType == WnbdReqTypeDisconnect) {
        return false;
    }
    request.Request = fetched.Request;
    request.DataLength = fetched.Request.RequestType == WnbdReqTypeRead ? fetched.Request.Cmd.Read.BlockCount * 512 : 0;
    answer = program_carry_out(program, &request, data);
    status = program_send(program, &answer, data);
    assert_true(status == STATUS_SUCCESS || status == STATUS_INSUFFICIENT_RESOURCES);
    return true;
}

static void *fetch_and_answer_all(void *context)
{
    UCHAR *data = malloc(WNBD_DEFAULT_MAX_TRANSFER_LENGTH);

    while (fetch_and_answer(context, data)) {
    }
    free(data);
    return NULL;
}

static void fetching(unsigned k)
{
    struct program_options options = options_of(0, true);
    struct bed_file *disk;
    struct program program;
    pthread_t thread;

    machine_start();
    program_start(&program, &options);
    pthread_create(&thread, NULL, fetch_and_answer_all, &program);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    faults_arm(k);
    transfers(disk);
    faults_disarm();
    transfers(disk);
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    pthread_join(thread, NULL);
    program_wait(&program);
    program_free(&program);
    machine_stop();
}

/* The program has gone; another attaches itself and maps its arena. */
static void attaching(unsigned k)
{
    struct program_options options = options_of(2, false);
    struct program program;
    NTSTATUS status;

    machine_start();
    program_start(&program, &options);
    program_die(&program);
    program_free(&program);
    options.threads = 0;
    faults_arm(k);
    status = program_attach(&program, &options);
    if (NT_SUCCESS(status)) {
        status = program_map_arena(&program);
    }
    faults_disarm();
    if (!NT_SUCCESS(status)) {
        program_free(&program);
        program_take_over(&program, &options);
    }
    serve_use_and_stop(&program);
    machine_stop();
}

static void removing(unsigned k)
{
    struct program_options options = options_of(2, false);
    struct program program;

    machine_start();
    program_start(&program, &options);
    faults_arm(k);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    program_wait(&program);
    faults_disarm();
    program_free(&program);
    program_start(&program, &options);
    use_and_stop(&program);
    machine_stop();
}

static void creating_fails(void **state)
{
    (void)state;
    assert_true(for_each_call(creating) > 0);
}

static void mapping_the_arena_fails(void **state)
{
    (void)state;
    assert_true(for_each_call(mapping_the_arena) > 0);
}

static void entering_asks_for_nothing_that_may_fail(void **state)
{
    (void)state;
    assert_int_equal(for_each_call(entering), 0);
}

static void fetching_fails(void **state)
{
    (void)state;
    assert_true(for_each_call(fetching) > 0);
}

static void attaching_fails(void **state)
{
    (void)state;
    assert_true(for_each_call(attaching) > 0);
}

static void removing_asks_for_nothing_that_may_fail(void **state)
{
    (void)state;
    assert_int_equal(for_each_call(removing), 0);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_fails),
        cmocka_unit_test(mapping_the_arena_fails),
        cmocka_unit_test(entering_asks_for_nothing_that_may_fail),
        cmocka_unit_test(fetching_fails),
        cmocka_unit_test(attaching_fails),
        cmocka_unit_test(removing_asks_for_nothing_that_may_fail),
    };

    if (count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_clock_speed(SPEED);
    bed_print_options(getenv("BED_VERBOSE") == NULL, getenv("BED_FATAL") != NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
