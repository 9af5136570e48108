/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each call of the driver that may fail does so once: the first in one run, the second in the next, until a run asks
 * for fewer calls. Whatever happens then, it ends, nothing is left, and the next attempt succeeds.
 */
#include "tests/host/each_call.h"
#include "tests/host/pass.h"
#include "tests/host/server.h"
#include "tests/host/wnbd.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define EXPORT_BYTES    (8 << 20)
#define DATA_BYTES      (192 << 10)
#define SPEED           50
#define REQUEST_LIMIT_S 100 /* two seconds at that speed: a busy machine is no reason to reset a disk */

static const char *image;
static struct server *server;
static struct bed_file *adapter;
static UINT32 connections; /* of each disk */

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

static NTSTATUS map(const char *name)
{
    return wnbd_map_several(adapter, name, server_port(server), connections);
}

static UINT32 connected(void)
{
    WNBD_IOCTL_SHOW_COMMAND command = {.IoControlCode = IOCTL_WNBD_SHOW, .InstanceName = "vol1"};
    WNBD_IOCTL_SHOW_OUTPUT output = {0};

    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &output,
                                 sizeof(output), NULL),
                     STATUS_SUCCESS);
    return output.Server.Connections;
}

/* Maps "vol1", with all of its connections, and opens it. */
static struct bed_file *map_whole(void)
{
    struct bed_file *disk = NULL;

    assert_int_equal(map("vol1"), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    while (connected() < connections) {
        usleep(1000);
    }
    return disk;
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
    pass_write_same_16(disk, &pass, PASS_NDOB, 8, 64, 0);
    pass_lba_status(disk, &pass, 0, 4);
    pass_log_sense(disk, &pass, 0x0C, 28); /* counts the blocks in use */
}

static void map_use_and_unmap(void)
{
    static UCHAR data[512];
    struct bed_file *disk;

    assert_int_equal(map("again"), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "again", &disk), STATUS_SUCCESS);
    assert_int_equal(bed_write(disk, 0, data, sizeof(data)), STATUS_SUCCESS);
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "again"), STATUS_SUCCESS);
}

/* ---- what is tried ---- */

static void starting(unsigned k)
{
    NTSTATUS status;

    faults_arm(k);
    status = bed_machine_start(image);
    faults_disarm();
    if (NT_SUCCESS(status)) {
        adapter = wnbd_open();
        machine_stop();
    }
}

static void mapping(unsigned k)
{
    NTSTATUS status;

    machine_start();
    faults_arm(k);
    status = map("vol1");
    faults_disarm();
    if (NT_SUCCESS(status)) {
        assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    }
    map_use_and_unmap();
    machine_stop();
}

static void using(unsigned k)
{
    struct bed_file *disk;

    machine_start();
    disk = map_whole();
    faults_arm(k);
    transfers(disk);
    faults_disarm();
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    map_use_and_unmap();
    machine_stop();
}

static void unmapping(unsigned k)
{
    struct bed_file *disk;

    machine_start();
    disk = map_whole();
    transfers(disk);
    bed_close(disk);
    faults_arm(k);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    faults_disarm();
    map_use_and_unmap();
    machine_stop();
}

static void unloading(unsigned k)
{
    machine_start();
    bed_close(map_whole());
    faults_arm(k);
    machine_stop();
    faults_disarm();
}

static void for_each_call_with(scenario *run, const struct server_options *options)
{
    server = server_start(options);
    assert_true(for_each_call(run) > 0);
    server_stop(server);
}

/* With simple replies over one connection, and with structured ones over several. */
static void in_each_form(scenario *run)
{
    const struct server_options simple = {.size = EXPORT_BYTES, .flags = SERVER_FLAGS_USUAL};
    const struct server_options structured = {
        .size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL, .form = SERVER_STRUCTURED, .seed = 1};

    connections = 1;
    for_each_call_with(run, &simple);
    connections = 3;
    for_each_call_with(run, &structured);
}

static void starting_fails(void **state)
{
    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "ConnectTimeoutMs", 30000);
    in_each_form(starting);
}

static void mapping_fails(void **state)
{
    (void)state;
    in_each_form(mapping);
}

static void using_fails(void **state)
{
    (void)state;
    in_each_form(using);
}

static void unmapping_fails(void **state)
{
    (void)state;
    in_each_form(unmapping);
}

static void unloading_fails(void **state)
{
    (void)state;
    in_each_form(unloading);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starting_fails),  cmocka_unit_test(mapping_fails),   cmocka_unit_test(using_fails),
        cmocka_unit_test(unmapping_fails), cmocka_unit_test(unloading_fails),
    };

    if (count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_clock_speed(SPEED);
    bed_print_options(getenv("BED_VERBOSE") == NULL, getenv("BED_FATAL") != NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
