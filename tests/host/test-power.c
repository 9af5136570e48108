/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The adapter is stopped and started, the power goes and comes: nothing is left pending, nothing is lost. */
#include "tests/host/fixture.h"

#include "bed/host/clock.h"
#include "bed/host/registry.h"
#include "bed/port/control.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUESTS 8
#define HOUR_NS  (3600ull * 1000000000)
#define LENGTH   (64 << 10)
#define MS       1000 /* microseconds, of the machine's own clock */

static UCHAR data[REQUESTS][LENGTH];
static struct bed_io io[REQUESTS];

static void begin_writes(struct bed_file *disk)
{
    for (ULONG i = 0; i < REQUESTS; i++) {
        wnbd_pattern(data[i], LENGTH, i);
        bed_transfer_begin(&io[i], disk, true, i * LENGTH, data[i], LENGTH);
    }
}

static void finish_writes(void)
{
    static UCHAR there[LENGTH];

    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_int_equal(bed_io_wait(&io[i], MAXULONG, NULL), STATUS_SUCCESS);
        server_read(server, i * LENGTH, there, LENGTH);
        assert_memory_equal(there, data[i], LENGTH);
    }
}

static void adapter_stopped_and_started_with_requests_out(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .delay_us = 5 * MS};
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    begin_writes(disk);
    fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
    fixture_inject_adapter(BED_INJECT_RESTART_ADAPTER);
    finish_writes();
    fixture_unmap(disk);
    fixture_stop();
}

/* A server that says nothing must not keep the machine from going down: requests end by their time-outs. */
static void adapter_stopped_while_requests_are_stuck(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .stall_at = 1};
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "IoTimeoutValue", 2);
    fixture_start(&options);
    disk = fixture_map();
    begin_writes(disk);
    fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
    fixture_inject_adapter(BED_INJECT_RESTART_ADAPTER);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    for (ULONG i = 0; i < REQUESTS; i++) {
        assert_false(NT_SUCCESS(bed_io_wait(&io[i], MAXULONG, NULL)));
    }
    bed_close(disk);
    fixture_stop();
    bed_registry_clear();
}

static void connections_are_made_anew_after_sleep(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    fixture_write_and_read_back(disk, 0, 4096);
    fixture_inject_disk(BED_INJECT_SHUT_DOWN);
    fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
    fixture_inject_adapter(BED_INJECT_RESTART_ADAPTER);
    fixture_await_reconnects("vol1", 1);
    assert_int_equal(server_connections(server), 2);
    fixture_write_and_read_back(disk, 4096, 1 << 20);
    fixture_unmap(disk);
    fixture_stop();
}

/* The machine sleeps in the middle of a handshake. */
static void connection_in_the_making_is_made_anew_after_sleep(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .greeting_us = 60 * MS};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;
    struct bed_io request;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    wnbd_map_begin(&request, adapter, &command, &output);
    usleep(10 * MS);
    fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
    fixture_inject_adapter(BED_INJECT_RESTART_ADAPTER);
    assert_int_equal(bed_io_wait(&request, MAXULONG, NULL), STATUS_SUCCESS);
    fixture_await_reconnects("vol1", 1);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_write_and_read_back(disk, 0, 4096);
    assert_int_equal(server_connections(server), 2);
    fixture_unmap(disk);
    fixture_stop();
}

/* There was no server when the machine fell asleep, for much longer than requests wait: that time does not count. */
static void time_asleep_does_not_count(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};
    static UCHAR block[4096];
    struct bed_file *disk;
    struct bed_io request;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 6000); /* 300 ms here */
    fixture_start(&options);
    disk = fixture_map();
    options.port = server_port(server);
    server_stop(server);
    while (fixture_server_status("vol1").State != WnbdServerReconnecting) {
        usleep(MS);
    }
    fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
    bed_clock_sleep(HOUR_NS);
    bed_transfer_begin(&request, disk, true, 0, block, sizeof(block));
    usleep(50 * MS);
    fixture_inject_adapter(BED_INJECT_RESTART_ADAPTER);
    usleep(50 * MS);
    assert_int_equal(fixture_server_status("vol1").State, WnbdServerReconnecting);
    server = server_start(&options);
    assert_int_equal(bed_io_wait(&request, MAXULONG, NULL), STATUS_SUCCESS);
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

static void cache_is_flushed_before_the_network_goes(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    fixture_write_and_read_back(disk, 0, 4096);
    fixture_inject_disk(BED_INJECT_SHUT_DOWN);
    assert_true(server_commands(server, SERVER_FLUSH) > 0);
    assert_int_equal(server_connections(server), 1);
    bed_close(disk);
    fixture_inject_adapter(BED_INJECT_STOP_ADAPTER);
    fixture_stop();
}

static void adapter_disabled_and_enabled(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    fixture_write_and_read_back(disk, 0, 4096);
    bed_close(disk);
    bed_close(adapter);
    fixture_control_adapter(BED_CONTROL_DISABLE);
    fixture_control_adapter(BED_CONTROL_ENABLE);
    adapter = wnbd_open();
    assert_non_null(adapter);
    disk = fixture_map();
    fixture_write_and_read_back(disk, 4096, 4096);
    fixture_unmap(disk);
    fixture_stop();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adapter_stopped_and_started_with_requests_out),
        cmocka_unit_test(adapter_stopped_while_requests_are_stuck),
        cmocka_unit_test(connections_are_made_anew_after_sleep),
        cmocka_unit_test(connection_in_the_making_is_made_anew_after_sleep),
        cmocka_unit_test(time_asleep_does_not_count),
        cmocka_unit_test(cache_is_flushed_before_the_network_goes),
        cmocka_unit_test(adapter_disabled_and_enabled),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
