/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time-outs, resets, aborts and removals while requests are on their way: each ends exactly what it must, once, in
 * bounded time. That no SRB is completed twice or never, and no memory touched too late, is the bed's to say.
 */
#include "tests/host/fixture.h"

#include "bed/host/registry.h"
#include "bed/port/control.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUESTS 8
#define LENGTH   (64 << 10)
#define MS       1000 /* microseconds, of the machine's own clock */

static UCHAR data[REQUESTS][LENGTH];
static struct bed_io io[REQUESTS];

static void begin_requests(struct bed_file *disk, bool write)
{
    for (ULONG i = 0; i < REQUESTS; i++) {
        wnbd_pattern(data[i], LENGTH, i);
        bed_transfer_begin(&io[i], disk, write, i * LENGTH, data[i], LENGTH);
    }
}

static void finish_requests(bool succeed)
{
    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_true(NT_SUCCESS(bed_io_wait(&io[i], MAXULONG, NULL)) == succeed);
    }
}

static void expect_written(void)
{
    static UCHAR there[LENGTH];

    for (ULONG i = 0; i < REQUESTS; i++) {
        server_read(server, i * LENGTH, there, LENGTH);
        assert_memory_equal(there, data[i], LENGTH);
    }
}

static struct bed_file *start_slow(unsigned delay_us)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .delay_us = delay_us};

    fixture_start(&options);
    return fixture_map();
}

static void end(struct bed_file *disk)
{
    fixture_unmap(disk);
    fixture_stop();
}

/* ---- Time-outs ---- */

/* The reset that a time-out leads to comes within a millisecond of the reply, before it or after it. */
static void reply_races_the_time_out(void **state)
{
    enum { ROUNDS = 120, DELAY_US = 3 * MS };
    struct bed_file *disk;

    (void)state;
    srand(1);
    disk = start_slow(DELAY_US);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct bed_io one;

        wnbd_pattern(data[0], 4096, round);
        bed_transfer_begin(&one, disk, true, round * 4096, data[0], 4096);
        usleep(DELAY_US - MS + (unsigned)rand() % (2 * MS));
        fixture_inject_disk(BED_INJECT_RESET_LUN);
        assert_int_equal(bed_io_wait(&one, MAXULONG, NULL), STATUS_SUCCESS);
        server_read(server, round * 4096, data[1], 4096);
        assert_memory_equal(data[0], data[1], 4096);
    }
    end(disk);
}

/* Storport's own time-out: nothing is answered for longer than a request may take, and then all is. */
static void silent_server_times_out_and_comes_back(void **state)
{
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "IoTimeoutValue", 2);
    disk = start_slow(250 * MS); /* 5 s of the driver's */
    begin_requests(disk, true);
    usleep(150 * MS);
    server_set_delay(server, 0);
    finish_requests(true);
    expect_written();
    assert_true(fixture_statistics("vol1").AbortedSubmittedIORequests > 0);
    end(disk);
    bed_registry_clear();
}

/* ---- Aborts ---- */

static void abort_ends_one_request_alone(void **state)
{
    struct bed_file *disk;
    WNBD_DRV_STATS statistics;

    (void)state;
    disk = start_slow(10 * MS);
    begin_requests(disk, true);
    usleep(15 * MS);
    fixture_inject_disk(BED_INJECT_ABORT);
    finish_requests(true); /* the class driver sends the aborted one again */
    expect_written();
    statistics = fixture_statistics("vol1");
    assert_int_equal(statistics.AbortedSubmittedIORequests, 1);
    assert_int_equal(statistics.AbortedUnsubmittedIORequests, 0);
    assert_int_equal(fixture_server_status("vol1").Reconnects, 1);
    end(disk);
}

/* Requests that wait for a connection: the server is there, but says that its export is not the one that was mapped. */
static struct bed_file *start_waiting(void)
{
    struct bed_file *disk = start_slow(40 * MS);

    begin_requests(disk, true);
    usleep(5 * MS);
    server_claim(server, FIXTURE_BYTES / 2);
    server_drop(server);
    while (fixture_server_status("vol1").State != WnbdServerReconnecting ||
           fixture_statistics("vol1").UnsubmittedIORequests == 0) {
        usleep(MS);
    }
    return disk;
}

/* One of them at least has ended; then the right export is back. */
static void finish_waiting(void)
{
    while (fixture_statistics("vol1").AbortedUnsubmittedIORequests == 0) {
        usleep(MS);
    }
    server_set_delay(server, 0);
    server_claim(server, FIXTURE_BYTES);
    finish_requests(true);
    expect_written();
}

/* Nothing has to be broken off. */
static void abort_of_a_request_that_was_not_sent(void **state)
{
    struct bed_file *disk;

    (void)state;
    disk = start_waiting();
    fixture_inject_disk(BED_INJECT_ABORT);
    finish_waiting();
    assert_int_equal(fixture_statistics("vol1").AbortedUnsubmittedIORequests, 1);
    end(disk);
}

/* A WRITE (10) of block 0 that nobody sends again when it fails. */
struct lone_write {
    SCSI_PASS_THROUGH header;
    UCHAR data[512];
};

static void lone_write_begin(struct bed_io *request, struct bed_file *disk, struct lone_write *write, UCHAR fill)
{
    static const UCHAR cdb[10] = {0x2A, 0, 0, 0, 0, 0, 0, 0, 1};

    memset(write, 0, sizeof(*write));
    write->header.Length = sizeof(write->header);
    write->header.CdbLength = sizeof(cdb);
    write->header.DataIn = SCSI_IOCTL_DATA_OUT;
    write->header.DataTransferLength = sizeof(write->data);
    write->header.TimeOutValue = 60;
    write->header.DataBufferOffset = offsetof(struct lone_write, data);
    memcpy(write->header.Cdb, cdb, sizeof(cdb));
    memset(write->data, fill, sizeof(write->data));
    bed_control_begin(request, disk, IOCTL_SCSI_PASS_THROUGH, write, sizeof(*write), write, sizeof(*write));
}

/* The old write is on the server's side when it is aborted, and takes longer than the new one. */
static void aborted_write_never_lands_after_a_newer_one(void **state)
{
    enum { DELAY_US = 50 * MS }; /* within what a fence waits for */
    struct lone_write old;
    struct bed_file *disk;
    struct bed_io request;
    UCHAR newer[512];
    UCHAR there[512];

    (void)state;
    disk = start_slow(DELAY_US);
    lone_write_begin(&request, disk, &old, 'o');
    while (server_requests(server) == 0) {
        usleep(MS);
    }
    usleep(DELAY_US / 5); /* the server has begun to take its time */
    server_set_delay(server, 0);
    fixture_inject_disk(BED_INJECT_ABORT);
    assert_false(NT_SUCCESS(bed_io_wait(&request, MAXULONG, NULL)));
    memset(newer, 'n', sizeof(newer));
    assert_int_equal(bed_write(disk, 0, newer, sizeof(newer)), STATUS_SUCCESS);
    usleep(2 * DELAY_US);
    server_read(server, 0, there, sizeof(there));
    assert_memory_equal(there, newer, sizeof(newer));
    assert_int_equal(fixture_server_status("vol1").UnfencedConnections, 0);
    end(disk);
}

/* ---- Resets ---- */

/* Requests are where `pause_us` after their beginning finds them; a reset ends them, and they go again. */
static void reset_after(struct bed_file *disk, bool write, unsigned pause_us)
{
    begin_requests(disk, write);
    usleep(pause_us);
    fixture_inject_disk(BED_INJECT_RESET_LUN);
    server_set_delay(server, 0);
    finish_requests(true);
    if (write) {
        expect_written();
    }
}

static void reset_finds_requests_that_were_sent(void **state)
{
    struct bed_file *disk;

    (void)state;
    for (unsigned pause_us = 0; pause_us < 4 * MS; pause_us += 500) {
        disk = start_slow(20 * MS);
        reset_after(disk, true, pause_us);
        end(disk);
    }
}

static void reset_finds_a_payload_half_received(void **state)
{
    struct server_options options = {
        .size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .delay_us = 20 * MS, .halting = true};
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    reset_after(disk, false, 10 * MS);
    end(disk);
}

/* The reply is there, the send has not come back: WSK may still read the request's memory. */
static void reset_finds_a_send_that_is_not_acknowledged(void **state)
{
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "BedAckMs", 100);
    disk = start_slow(0);
    reset_after(disk, true, 5 * MS);
    end(disk);
    bed_registry_clear();
}

static void reset_finds_requests_that_wait_for_a_connection(void **state)
{
    struct bed_file *disk;

    (void)state;
    disk = start_waiting();
    fixture_inject_disk(BED_INJECT_RESET_LUN);
    finish_waiting();
    end(disk);
}

static void bus_reset_finds_requests_of_every_disk(void **state)
{
    struct bed_file *disk;

    (void)state;
    disk = start_slow(20 * MS);
    begin_requests(disk, true);
    usleep(5 * MS);
    fixture_inject_adapter(BED_INJECT_RESET_BUS);
    server_set_delay(server, 0);
    finish_requests(true);
    expect_written();
    end(disk);
}

/* ---- Removals ---- */

static struct bed_file *start_stuck(void)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .stall_at = 1};

    fixture_start(&options);
    return fixture_map();
}

static void removal_while_requests_are_stuck(void **state)
{
    struct bed_file *disk;

    (void)state;
    disk = start_stuck();
    begin_requests(disk, true);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    finish_requests(false);
    bed_close(disk);
    fixture_stop();
}

static void *stop_machine(void *state)
{
    (void)state;
    fixture_stop_machine(BED_REMOVAL_SURPRISE);
    return NULL;
}

/* The adapter is torn out; the program closes its disk when its requests have failed. */
static void unload_while_requests_are_stuck(void **state)
{
    struct bed_file *disk;
    pthread_t thread;

    (void)state;
    disk = start_stuck();
    begin_requests(disk, true);
    assert_int_equal(pthread_create(&thread, NULL, stop_machine, NULL), 0);
    finish_requests(false);
    bed_close(disk);
    pthread_join(thread, NULL);
    server_stop(server);
}

static void removal_while_the_handshake_is_half_done(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .silent = true};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_io request;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    wnbd_map_begin(&request, adapter, &command, &output);
    assert_int_equal(bed_io_wait(&request, 200, NULL), STATUS_TIMEOUT);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    assert_int_equal(bed_io_wait(&request, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(output.Status, STATUS_CANCELLED);
    fixture_stop();
}

/* ---- Storms ---- */

static volatile bool stopping;

static void *map_and_unmap(void *name)
{
    while (!stopping) {
        wnbd_map_port(adapter, name, server_port(server));
        wnbd_unmap(adapter, name);
    }
    return NULL;
}

/* The same name and others, from many threads; the adapter is reset in between. The export is the same, so all but one
 * are refused at any time. */
static void maps_and_unmaps_of_the_same_and_other_names(void **state)
{
    static const char *const names[] = {"same", "same", "same", "other", "third"};
    pthread_t threads[ARRAYSIZE(names)];

    (void)state;
    stopping = false;
    fixture_start_usual();
    for (size_t i = 0; i < ARRAYSIZE(names); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, (void *)(ULONG_PTR)names[i]), 0);
    }
    for (unsigned i = 0; i < 40; i++) {
        usleep(10 * MS);
        fixture_inject_adapter(i % 2 == 0 ? BED_INJECT_RESET_BUS : BED_INJECT_RESCAN);
    }
    stopping = true;
    for (size_t i = 0; i < ARRAYSIZE(names); i++) {
        pthread_join(threads[i], NULL);
    }
    fixture_stop();
}

/* ---- Back-pressure ---- */

static ULONG64 memory_of_the_driver(void)
{
    static struct bed_counts counts[4];
    struct bed_file *control;
    ULONG bytes = 0;

    assert_int_equal(bed_open("\\DosDevices\\BedControl", &control), STATUS_SUCCESS);
    assert_int_equal(bed_control(control, BED_CONTROL_COUNTS, NULL, 0, counts, sizeof(counts), &bytes), STATUS_SUCCESS);
    bed_close(control);
    assert_true(bytes >= sizeof(counts[0]));
    return counts[0].nonpaged_bytes;
}

/* 24 MiB wait for a server that takes nothing: they cost nothing beyond what the disk has, and others go on. */
static void stuck_server_holds_no_memory_and_no_other_disk(void **state)
{
    enum { MANY = 24, MANY_LENGTH = 1 << 20 };
    struct server_options good = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};
    UCHAR *large = calloc(MANY, MANY_LENGTH);
    struct bed_io many[MANY];
    struct bed_file *stuck;
    struct bed_file *other = NULL;
    struct server *stuck_server;
    ULONG64 before;

    (void)state;
    stuck = start_stuck();
    stuck_server = server;
    server = server_start(&good);
    assert_int_equal(wnbd_map_port(adapter, "vol2", server_port(server)), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol2", &other), STATUS_SUCCESS);
    before = memory_of_the_driver();
    for (ULONG i = 0; i < MANY; i++) {
        bed_transfer_begin(&many[i], stuck, true, i * MANY_LENGTH, large + i * MANY_LENGTH, MANY_LENGTH);
    }
    fixture_write_and_read_back(other, 0, 5 << 20);
    fixture_write_and_read_back(other, 8 << 20, 4096);
    assert_int_equal(memory_of_the_driver(), before);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    for (ULONG i = 0; i < MANY; i++) {
        assert_false(NT_SUCCESS(bed_io_wait(&many[i], MAXULONG, NULL)));
    }
    bed_close(stuck);
    bed_close(other);
    fixture_stop();
    server_stop(stuck_server);
    free(large);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_races_the_time_out),
        cmocka_unit_test(silent_server_times_out_and_comes_back),
        cmocka_unit_test(abort_ends_one_request_alone),
        cmocka_unit_test(abort_of_a_request_that_was_not_sent),
        cmocka_unit_test(aborted_write_never_lands_after_a_newer_one),
        cmocka_unit_test(reset_finds_requests_that_were_sent),
        cmocka_unit_test(reset_finds_a_payload_half_received),
        cmocka_unit_test(reset_finds_a_send_that_is_not_acknowledged),
        cmocka_unit_test(reset_finds_requests_that_wait_for_a_connection),
        cmocka_unit_test(bus_reset_finds_requests_of_every_disk),
        cmocka_unit_test(removal_while_requests_are_stuck),
        cmocka_unit_test(unload_while_requests_are_stuck),
        cmocka_unit_test(removal_while_the_handshake_is_half_done),
        cmocka_unit_test(maps_and_unmaps_of_the_same_and_other_names),
        cmocka_unit_test(stuck_server_holds_no_memory_and_no_other_disk),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
