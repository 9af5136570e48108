/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several connections to one server (NBD_FLAG_CAN_MULTI_CONN): spread, lost one by one and all together, made again. */
#include "tests/host/fixture.h"

#include "bed/host/resolver.h"
#include "bed/port/control.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS     1000 /* microseconds, of the machine's own clock */
#define BLOCK  4096
#define FLIGHT 16

static const struct server_options several = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_SEVERAL};

/* Transfers that are out together. */
struct flight {
    struct bed_io io[FLIGHT];
    UCHAR data[FLIGHT][BLOCK];
};

static void take_off(struct flight *flight, struct bed_file *disk, bool write)
{
    for (ULONG i = 0; i < FLIGHT; i++) {
        if (write) {
            wnbd_pattern(flight->data[i], BLOCK, i + 100);
        }
        bed_transfer_begin(&flight->io[i], disk, write, i * BLOCK, flight->data[i], BLOCK);
    }
}

static void land(struct flight *flight)
{
    for (ULONG i = 0; i < FLIGHT; i++) {
        assert_int_equal(bed_io_wait(&flight->io[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
}

static void check_written(void)
{
    UCHAR wanted[BLOCK];
    UCHAR data[BLOCK];

    for (ULONG i = 0; i < FLIGHT; i++) {
        wnbd_pattern(wanted, BLOCK, i + 100);
        server_read(server, i * BLOCK, data, BLOCK);
        assert_memory_equal(data, wanted, BLOCK);
    }
}

static void requests_go_over_all_connections(void **state)
{
    WNBD_CONNECTION_INFO info;
    struct bed_file *disk;

    (void)state;
    fixture_start(&several);
    disk = fixture_map_several(4);
    assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
    assert_int_equal(info.Properties.NbdProperties.Connections, 4);
    for (ULONG i = 0; i < 8; i++) {
        fixture_write_and_read_back(disk, i << 20, 1 << 20);
    }
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_int_equal(server_connections(server), 4);
    assert_int_equal(server_busy(server), 4);
    fixture_unmap(disk);
    assert_null(server_complaint(server));
    fixture_stop();
}

static void one_connection_unless_the_server_allows_more(void **state)
{
    WNBD_CONNECTION_INFO info;
    struct bed_file *disk = NULL;

    (void)state;
    fixture_start_usual();
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 4), STATUS_SUCCESS);
    assert_int_equal(wnbd_show(adapter, "vol1", &info), STATUS_SUCCESS);
    assert_int_equal(info.Properties.NbdProperties.Connections, 1);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_write_and_read_back(disk, 0, 1 << 20);
    assert_int_equal(server_connections(server), 1);
    fixture_unmap(disk);
    fixture_stop();
}

static void too_many_connections_are_refused(void **state)
{
    (void)state;
    fixture_start(&several);
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), WNBD_MAX_CONNECTIONS + 1),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(server_connections(server), 0);
    fixture_stop();
}

/* The server says that it takes several and does not. */
static void server_that_takes_fewer_serves_the_disk_all_the_same(void **state)
{
    struct server_options options = several;
    struct bed_file *disk = NULL;

    (void)state;
    options.taken = 2;
    fixture_start(&options);
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 4), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_await_connections("vol1", 2);
    for (ULONG i = 0; i < 50; i++) {
        fixture_write_and_read_back(disk, i << 16, 1 << 16);
        usleep(10 * MS);
    }
    assert_int_equal(fixture_server_status("vol1").State, WnbdServerConnected);
    assert_int_equal(fixture_server_status("vol1").Reconnects, 0);
    fixture_unmap(disk);
    fixture_stop();
}

static void what_one_lost_connection_had_goes_over_the_others(void **state)
{
    static struct flight flight;
    struct server_options options = several;
    struct bed_file *disk;

    (void)state;
    options.delay_us = 20 * MS;
    fixture_start(&options);
    disk = fixture_map_several(4);
    for (ULONG i = 1; i <= 5; i++) {
        take_off(&flight, disk, true);
        usleep(10 * MS);
        server_drop_one(server);
        land(&flight);
        check_written();
        take_off(&flight, disk, false);
        server_drop_one(server);
        land(&flight);
        assert_int_equal(fixture_server_status("vol1").State, WnbdServerConnected);
        fixture_await_connections("vol1", 4);
    }
    assert_true(fixture_server_status("vol1").Reconnects >= 5);
    assert_true(fixture_server_status("vol1").ReplayedRequests >= 5);
    fixture_unmap(disk);
    fixture_stop();
}

static void all_connections_lost_at_once(void **state)
{
    static struct flight flight;
    struct server_options options = several;
    struct bed_file *disk;

    (void)state;
    options.delay_us = 10 * MS;
    fixture_start(&options);
    disk = fixture_map_several(3);
    for (ULONG i = 0; i < 3; i++) {
        take_off(&flight, disk, true);
        usleep(5 * MS);
        server_drop(server);
        land(&flight);
        check_written();
        fixture_await_connections("vol1", 3);
    }
    fixture_unmap(disk);
    fixture_stop();
}

static void reset_ends_what_is_out_on_all_connections(void **state)
{
    static struct flight flight;
    struct server_options options = several;
    struct bed_file *disk;

    (void)state;
    options.delay_us = 50 * MS;
    fixture_start(&options);
    disk = fixture_map_several(4);
    take_off(&flight, disk, true);
    usleep(20 * MS);
    fixture_inject_disk(BED_INJECT_RESET_LUN);
    land(&flight); /* the class driver sends them again */
    check_written();
    fixture_await_connections("vol1", 4);
    assert_int_equal(fixture_statistics("vol1").PendingSubmittedIORequests, 0);
    fixture_unmap(disk);
    fixture_stop();
}

static void abort_of_one_request_ends_one_connection(void **state)
{
    static struct flight flight;
    struct server_options options = several;
    struct bed_file *disk;

    (void)state;
    options.delay_us = 50 * MS;
    fixture_start(&options);
    disk = fixture_map_several(4);
    take_off(&flight, disk, false);
    usleep(10 * MS);
    fixture_inject_disk(BED_INJECT_ABORT);
    for (ULONG i = 0; i < FLIGHT; i++) {
        bed_io_wait(&flight.io[i], MAXULONG, NULL);
    }
    fixture_await_connections("vol1", 4);
    assert_int_equal(fixture_server_status("vol1").Reconnects, 1);
    fixture_unmap(disk);
    fixture_stop();
}

/* One that takes a connection and ends it at once is not asked without pause, and what is out does not suffer. */
static void server_that_ends_what_is_too_much_is_left_in_peace(void **state)
{
    struct server_options options = several;
    struct bed_file *disk = NULL;

    (void)state;
    options.taken = 2;
    options.ends_others = true;
    fixture_start(&options);
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 4), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    for (ULONG i = 0; i < 50; i++) { /* half a second is ten of the driver's */
        fixture_write_and_read_back(disk, i << 16, 1 << 16);
        usleep(10 * MS);
    }
    assert_in_range(server_connections(server), 3, 20);
    fixture_unmap(disk);
    fixture_stop();
}

/* Two servers behind one name hold two disks, however alike: what is made beside a connection goes where that goes. */
static void connection_beside_others_goes_to_their_server(void **state)
{
    struct server_options options = several;
    struct server *other;
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_file *disk = NULL;

    (void)state;
    resolver_alias("storage.test", "127.0.0.1");
    fixture_start(&options);
    options.host = 2;
    options.port = server_port(server);
    other = server_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    strcpy(command.Properties.NbdProperties.Hostname, "storage.test");
    command.Properties.NbdProperties.Connections = 3;
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_await_connections("vol1", 3);
    fixture_write_and_read_back(disk, 0, 1 << 20);
    resolver_alias("storage.test", "127.0.0.2");
    server_refuse(server);
    server_drop_one(server);
    fixture_await_connections("vol1", 2);
    for (ULONG i = 0; i < 30; i++) {
        fixture_write_and_read_back(disk, i << 16, 1 << 16);
        usleep(10 * MS);
    }
    assert_int_equal(server_connections(other), 0);
    fixture_unmap(disk);
    fixture_stop();
    server_stop(other);
    resolver_alias(NULL, NULL);
}

/* Servers tell a connection its size once: when one says that there is more, all are made anew. */
static void grown_export_is_grown_on_all_connections(void **state)
{
    struct server_options options = several;
    struct bed_file *disk;

    (void)state;
    options.claimed = FIXTURE_BYTES / 2;
    fixture_start(&options);
    disk = fixture_map_several(3);
    fixture_write_and_read_back(disk, 0, 1 << 20);
    server_claim(server, FIXTURE_BYTES);
    server_drop_one(server);
    fixture_await_reconnects("vol1", 3);
    fixture_await_connections("vol1", 3);
    fixture_write_and_read_back(disk, 0, 512); /* which learns that there is more */
    fixture_write_and_read_back(disk, FIXTURE_BYTES - (1 << 20), 1 << 20);
    fixture_unmap(disk);
    fixture_stop();
}

static void disk_goes_while_connections_are_missing(void **state)
{
    struct server_options options = several;
    struct bed_file *disk = NULL;

    (void)state;
    options.taken = 1;
    fixture_start(&options);
    for (ULONG i = 0; i < 4; i++) {
        assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 8), STATUS_SUCCESS);
        assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
        usleep(i * 10 * MS);
        fixture_unmap(disk);
    }
    fixture_stop();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_over_all_connections),
        cmocka_unit_test(one_connection_unless_the_server_allows_more),
        cmocka_unit_test(too_many_connections_are_refused),
        cmocka_unit_test(server_that_takes_fewer_serves_the_disk_all_the_same),
        cmocka_unit_test(what_one_lost_connection_had_goes_over_the_others),
        cmocka_unit_test(all_connections_lost_at_once),
        cmocka_unit_test(reset_ends_what_is_out_on_all_connections),
        cmocka_unit_test(abort_of_one_request_ends_one_connection),
        cmocka_unit_test(server_that_ends_what_is_too_much_is_left_in_peace),
        cmocka_unit_test(connection_beside_others_goes_to_their_server),
        cmocka_unit_test(grown_export_is_grown_on_all_connections),
        cmocka_unit_test(disk_goes_while_connections_are_missing),
    };

    return fixture_init(count, arguments) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
