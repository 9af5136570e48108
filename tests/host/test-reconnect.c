/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection is lost, and the disk is not: what comes back, what is refused, and the end while there is none. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include "bed/host/registry.h"
#include "bed/host/resolver.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000 /* microseconds, of the machine's own clock */

static void await_state(UINT32 state)
{
    while (fixture_server_status("vol1").State != state) {
        usleep(MS);
    }
}

static void grown_export_gives_a_larger_disk(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .claimed = FIXTURE_BYTES / 2, .flags = SERVER_FLAGS_USUAL};
    WNBD_CONNECTION_INFO info;
    struct bed_file *disk;
    UCHAR block[512];

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    fixture_write_and_read_back(disk, FIXTURE_BYTES / 2 - 512, 512);
    assert_false(NT_SUCCESS(bed_read(disk, FIXTURE_BYTES / 2, block, sizeof(block))));
    server_claim(server, FIXTURE_BYTES);
    server_drop(server);
    fixture_await_reconnects("vol1", 1);
    assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
    assert_int_equal(info.Properties.BlockCount, FIXTURE_BYTES / 512);
    fixture_write_and_read_back(disk, 0, 512); /* which learns that there is more */
    fixture_write_and_read_back(disk, FIXTURE_BYTES - 512, 512);
    assert_false(NT_SUCCESS(bed_read(disk, FIXTURE_BYTES, block, sizeof(block))));
    fixture_unmap(disk);
    fixture_stop();
}

static void shrunken_export_is_refused_until_it_is_right_again(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    server_claim(server, FIXTURE_BYTES - 512);
    server_drop(server);
    while (strstr(fixture_server_status("vol1").LastError, "smaller than it was") == NULL) {
        usleep(MS);
    }
    assert_int_equal(fixture_server_status("vol1").State, WnbdServerReconnecting);
    server_claim(server, FIXTURE_BYTES);
    fixture_await_reconnects("vol1", 1);
    fixture_write_and_read_back(disk, 0, 1 << 20);
    fixture_unmap(disk);
    fixture_stop();
}

/* The server moves to another address behind its name. */
static void name_that_leads_elsewhere_is_asked_again(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};
    struct server *before;
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    (void)state;
    resolver_alias("storage.test", "127.0.0.1");
    fixture_start(&options);
    before = server;
    wnbd_describe(&command, "vol1", server_port(server));
    strcpy(command.Properties.NbdProperties.Hostname, "storage.test");
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_write_and_read_back(disk, 0, 4096);
    options.host = 2;
    options.port = server_port(before);
    server = server_start(&options);
    resolver_alias("storage.test", "127.0.0.2");
    server_stop(before);
    fixture_await_reconnects("vol1", 1);
    fixture_write_and_read_back(disk, 4096, 64 << 10);
    assert_int_equal(server_connections(server), 1);
    fixture_unmap(disk);
    fixture_stop();
    resolver_alias(NULL, NULL);
}

static void removal_while_there_is_no_server(void **state)
{
    static UCHAR data[4096];
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    server_stop(server);
    await_state(WnbdServerReconnecting);
    bed_transfer_begin(&io, disk, true, 0, data, sizeof(data));
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    assert_false(NT_SUCCESS(bed_io_wait(&io, MAXULONG, NULL)));
    bed_close(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void unload_while_there_is_no_server(void **state)
{
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    bed_close(disk);
    server_stop(server);
    await_state(WnbdServerReconnecting);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void assert_not_ready(struct bed_file *disk)
{
    static const UCHAR test_unit_ready[6] = {0};
    struct pass pass;
    struct bed_io io;

    pass_begin(&io, disk, &pass, test_unit_ready, sizeof(test_unit_ready), SCSI_IOCTL_DATA_UNSPECIFIED, 0);
    assert_false(pass_wait(&io, &pass));
    assert_true(pass_has_sense(&pass, 2));
    assert_int_equal(pass.sense[12], 0x08);
}

/* ReconnectTimeoutMs over: requests fail, the disk stays, and works when the server is back. */
static void disk_outlives_the_time_its_requests_wait(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};
    static UCHAR data[4096];
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 3000);
    fixture_start(&options);
    disk = fixture_map();
    options.port = server_port(server);
    server_stop(server);
    assert_false(NT_SUCCESS(bed_write(disk, 0, data, sizeof(data))));
    assert_int_equal(fixture_server_status("vol1").State, WnbdServerLost);
    assert_not_ready(disk);
    server = server_start(&options);
    fixture_await_reconnects("vol1", 1);
    fixture_write_and_read_back(disk, 0, 1 << 20);
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

/* ReconnectTimeoutMs 0: requests wait for as long as it takes. */
static void requests_that_wait_for_ever(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};
    static UCHAR data[4096];
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 0);
    fixture_start(&options);
    disk = fixture_map();
    options.port = server_port(server);
    server_stop(server);
    bed_transfer_begin(&io, disk, true, 0, data, sizeof(data));
    usleep(300 * MS);
    assert_int_equal(fixture_server_status("vol1").State, WnbdServerReconnecting);
    server = server_start(&options);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

/* No wrong byte, no error: whatever was in flight when the server went is sent again. */
static void connection_lost_again_and_again_under_verified_writes(void **state)
{
    enum { ROUNDS = 40, COUNT = 8, LENGTH = 64 << 10 };
    static UCHAR data[COUNT][LENGTH];
    static UCHAR there[LENGTH];
    struct bed_io io[COUNT];
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    for (ULONG round = 0; round < ROUNDS; round++) {
        server_set_delay(server, round % 3 * 200);
        for (ULONG i = 0; i < COUNT; i++) {
            wnbd_pattern(data[i], LENGTH, round + i);
            bed_transfer_begin(&io[i], disk, true, i * LENGTH, data[i], LENGTH);
        }
        usleep(round * 20);
        server_drop(server);
        for (ULONG i = 0; i < COUNT; i++) {
            assert_int_equal(bed_io_wait(&io[i], MAXULONG, NULL), STATUS_SUCCESS);
            server_read(server, i * LENGTH, there, LENGTH);
            assert_memory_equal(there, data[i], LENGTH);
        }
    }
    fixture_unmap(disk);
    fixture_stop();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grown_export_gives_a_larger_disk),
        cmocka_unit_test(shrunken_export_is_refused_until_it_is_right_again),
        cmocka_unit_test(name_that_leads_elsewhere_is_asked_again),
        cmocka_unit_test(removal_while_there_is_no_server),
        cmocka_unit_test(unload_while_there_is_no_server),
        cmocka_unit_test(disk_outlives_the_time_its_requests_wait),
        cmocka_unit_test(requests_that_wait_for_ever),
        cmocka_unit_test(connection_lost_again_and_again_under_verified_writes),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
