/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/fixture.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DEVICES_MAX  16
#define PATIENCE_MS  20000
#define LOOK_EACH_MS 2

struct server *server;
struct bed_file *adapter;

static const char *image;

bool fixture_init(int count, char **arguments)
{
    if (count != 2) {
        return false;
    }
    image = arguments[1];
    bed_clock_speed(20);
    bed_print_options(getenv("BED_VERBOSE") == NULL, getenv("BED_FATAL") != NULL);
    return true;
}

void fixture_set_option(const WCHAR *name, WnbdOptValType type, INT64 value)
{
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_SET_DRV_OPT};

    command.Value.Type = type;
    command.Value.Data.AsInt64 = value;
    for (size_t i = 0; name[i] != 0; i++) {
        command.Name[i] = name[i];
    }
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), NULL, 0, NULL),
                     STATUS_SUCCESS);
}

void fixture_start_machine(void)
{
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    adapter = wnbd_open();
    assert_non_null(adapter);
}

void fixture_stop_machine(enum bed_removal removal)
{
    bed_close(adapter);
    assert_int_equal(bed_machine_stop(removal), STATUS_SUCCESS);
    assert_int_equal(port_violation_count(), 0);
}

void fixture_start(const struct server_options *options)
{
    server = server_start(options);
    fixture_start_machine();
}

void fixture_start_usual(void)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};

    fixture_start(&options);
}

void fixture_stop(void)
{
    fixture_stop_machine(BED_REMOVAL_ASKED);
    server_stop(server);
}

struct bed_file *fixture_map(void)
{
    struct bed_file *disk = NULL;

    assert_int_equal(wnbd_map_port(adapter, "vol1", server_port(server)), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    return disk;
}

struct bed_file *fixture_map_several(UINT32 connections)
{
    struct bed_file *disk = NULL;

    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), connections), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fixture_await_connections("vol1", connections);
    return disk;
}

void fixture_unmap(struct bed_file *disk)
{
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
}

struct bed_file *fixture_serve(const struct server_options *options)
{
    server = server_start(options);
    return fixture_map();
}

void fixture_serve_no_more(struct bed_file *disk)
{
    fixture_unmap(disk);
    if (server_complaint(server) != NULL) {
        fail_msg("a server must not be asked so: %s", server_complaint(server));
    }
    server_stop(server);
}

void fixture_write_and_read_back(struct bed_file *disk, ULONGLONG offset, ULONG length)
{
    UCHAR *written = malloc(length);
    UCHAR *read = calloc(1, length);

    wnbd_pattern(written, length, (ULONG)offset);
    assert_int_equal(bed_write(disk, offset, written, length), STATUS_SUCCESS);
    assert_int_equal(bed_read(disk, offset, read, length), STATUS_SUCCESS);
    assert_memory_equal(written, read, length);
    server_read(server, offset, read, length);
    assert_memory_equal(written, read, length);
    free(written);
    free(read);
}

/* ---- What the bed is asked for ---- */

static struct bed_file *open_control(void)
{
    struct bed_file *control = NULL;

    assert_int_equal(bed_open("\\DosDevices\\BedControl", &control), STATUS_SUCCESS);
    return control;
}

/* The instance of the first disk, or of the adapter. */
static void find_device(struct bed_file *control, bool is_adapter, WCHAR instance[BED_INSTANCE_LENGTH])
{
    static struct bed_device devices[DEVICES_MAX];
    ULONG bytes = 0;

    assert_int_equal(bed_control(control, BED_CONTROL_LIST, NULL, 0, devices, sizeof(devices), &bytes), STATUS_SUCCESS);
    for (ULONG i = 0; i < bytes / sizeof(devices[0]); i++) {
        if ((devices[i].is_adapter != 0) == is_adapter) {
            memcpy(instance, devices[i].instance, sizeof(devices[i].instance));
            return;
        }
    }
    fail_msg("the bed has no such device");
}

static void inject(ULONG kind, bool into_adapter, ULONG count)
{
    struct bed_injection injection = {.kind = kind, .count = count};
    struct bed_file *control = open_control();

    find_device(control, into_adapter, injection.instance);
    assert_int_equal(bed_control(control, BED_CONTROL_INJECT, &injection, sizeof(injection), NULL, 0, NULL),
                     STATUS_SUCCESS);
    bed_close(control);
}

void fixture_inject_disk(ULONG kind)
{
    inject(kind, false, 0);
}

void fixture_inject_adapter(ULONG kind)
{
    inject(kind, true, 0);
}

void fixture_fail(ULONG kind, ULONG count)
{
    inject(kind, true, count);
}

void fixture_control_adapter(ULONG code)
{
    struct bed_file *control = open_control();
    struct bed_verdict verdict = {0};
    struct bed_target target;

    find_device(control, true, target.instance);
    assert_int_equal(bed_control(control, code, &target, sizeof(target), &verdict, sizeof(verdict), NULL),
                     STATUS_SUCCESS);
    assert_int_equal(verdict.vetoed, 0);
    bed_close(control);
}

/* ---- What the driver reports ---- */

WNBD_DRV_STATS fixture_statistics(const char *name)
{
    WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = IOCTL_WNBD_STATS};
    WNBD_DRV_STATS statistics = {0};

    strncpy(command.InstanceName, name, sizeof(command.InstanceName) - 1);
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &statistics,
                                 sizeof(statistics), NULL),
                     STATUS_SUCCESS);
    return statistics;
}

WNBD_SERVER_STATUS fixture_server_status(const char *name)
{
    WNBD_IOCTL_SHOW_COMMAND command = {.IoControlCode = IOCTL_WNBD_SHOW};
    WNBD_IOCTL_SHOW_OUTPUT output = {0};

    strncpy(command.InstanceName, name, sizeof(command.InstanceName) - 1);
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &output,
                                 sizeof(output), NULL),
                     STATUS_SUCCESS);
    return output.Server;
}

void fixture_await_connections(const char *name, UINT32 count)
{
    for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LOOK_EACH_MS) {
        if (fixture_server_status(name).Connections == count) {
            return;
        }
        usleep(LOOK_EACH_MS * 1000);
    }
    fail_msg("%s has not got %u connections", name, count);
}

void fixture_await_error(const char *name, const char *words)
{
    for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LOOK_EACH_MS) {
        if (strstr(fixture_server_status(name).LastError, words) != NULL) {
            return;
        }
        usleep(LOOK_EACH_MS * 1000);
    }
    fail_msg("'%s' is said in place of '%s'", fixture_server_status(name).LastError, words);
}

void fixture_await_reconnects(const char *name, ULONGLONG count)
{
    for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LOOK_EACH_MS) {
        WNBD_SERVER_STATUS status = fixture_server_status(name);

        if (status.State == WnbdServerConnected && status.Reconnects >= count) {
            return;
        }
        usleep(LOOK_EACH_MS * 1000);
    }
    fail_msg("%s does not connect again", name);
}
