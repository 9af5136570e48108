/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything at once: transfers whose data is checked, maps that are given up, unmaps, reports, resets, a server that
 * goes away, and an unload with or without asking. Each seed makes other choices and other delays; BED_SEED=n runs one
 * seed alone.
 */
#include "tests/host/server.h"
#include "tests/host/wnbd.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/host/schedule.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXPORT_BYTES (8 << 20)
#define AREA_BYTES   (1 << 20) /* of each writer */
#define WRITERS      3
#define RUN_MS       250
#define SEEDS        16
#define REMOVALS     30
#define MANY_WRITERS 8

static const char *image;
static struct server *server;
static struct bed_file *adapter;
static volatile bool stopping;

struct actor {
    pthread_t thread;
    struct bed_file *disk; /* a writer's */
    unsigned number;
    uint64_t random;
    uint64_t offset; /* of its area */
    const char *wrong;
};

static unsigned choose(struct actor *actor, unsigned below)
{
    actor->random ^= actor->random << 13;
    actor->random ^= actor->random >> 7;
    actor->random ^= actor->random << 17;
    return (unsigned)(actor->random % below);
}

/* ---- actors ---- */

/* Writes and reads back in its own area. What a failed write has left is not known until the next good one. */
static void *write_and_read(void *argument)
{
    struct actor *actor = argument;
    UCHAR *wanted = calloc(1, AREA_BYTES);
    UCHAR *read = malloc(AREA_BYTES);
    bool known = true;

    while (!stopping && actor->wrong == NULL) {
        ULONG length = 512u << choose(actor, 10);
        ULONG at = choose(actor, (AREA_BYTES - length) / 512 + 1) * 512;

        if (choose(actor, 2) == 0) {
            wnbd_pattern(wanted + at, length, choose(actor, 255));
            known &= NT_SUCCESS(bed_write(actor->disk, actor->offset + at, wanted + at, length));
        } else if (NT_SUCCESS(bed_read(actor->disk, actor->offset + at, read, length)) && known &&
                   memcmp(read, wanted + at, length) != 0) {
            actor->wrong = "a read brought other data than was written";
        }
    }
    free(wanted);
    free(read);
    return NULL;
}

/* A map that may be given up at any moment, then its removal. */
static void *map_and_unmap(void *argument)
{
    struct actor *actor = argument;
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;

    while (!stopping) {
        struct bed_io io;

        wnbd_describe(&command, "other", server_port(server));
        strcpy(command.Properties.NbdProperties.ExportName, "other");
        wnbd_map_begin(&io, adapter, &command, &output);
        if (choose(actor, 3) == 0) {
            bed_io_wait(&io, choose(actor, 60), NULL);
            if (io.irp != NULL) {
                bed_io_cancel(&io);
            }
        }
        if (io.irp != NULL) {
            bed_io_wait(&io, MAXULONG, NULL);
        }
        wnbd_unmap(adapter, "other");
    }
    return NULL;
}

static void *report(void *argument)
{
    static const ULONG codes[] = {IOCTL_WNBD_LIST, IOCTL_WNBD_STATS, IOCTL_WNBD_SHOW, IOCTL_WNBD_PING,
                                  IOCTL_WNBD_VERSION};
    struct actor *actor = argument;
    static UCHAR answer[8 + 4 * sizeof(WNBD_CONNECTION_INFO)];

    while (!stopping) {
        WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = codes[choose(actor, ARRAYSIZE(codes))]};

        strcpy(command.InstanceName, choose(actor, 2) == 0 ? "vol1" : "other");
        bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), answer, sizeof(answer),
                    NULL);
    }
    return NULL;
}

static void inject(struct bed_file *control, struct actor *actor)
{
    static const ULONG kinds[] = {BED_INJECT_RESET_LUN, BED_INJECT_RESET_TARGET, BED_INJECT_FORCE_TIMEOUT,
                                  BED_INJECT_RESCAN,    BED_INJECT_FAIL_MAPPING, BED_INJECT_RESET_BUS};
    static struct bed_device devices[8];
    struct bed_injection injection = {.kind = kinds[choose(actor, ARRAYSIZE(kinds))], .count = 3};
    ULONG bytes = 0;

    if (!NT_SUCCESS(bed_control(control, BED_CONTROL_LIST, NULL, 0, devices, sizeof(devices), &bytes)) || bytes == 0) {
        return;
    }
    memcpy(injection.instance, devices[choose(actor, bytes / sizeof(devices[0]))].instance, sizeof(injection.instance));
    bed_control(control, BED_CONTROL_INJECT, &injection, sizeof(injection), NULL, 0, NULL);
}

static void *trouble(void *argument)
{
    struct actor *actor = argument;
    struct bed_file *control;

    if (!NT_SUCCESS(bed_open("\\DosDevices\\BedControl", &control))) {
        actor->wrong = "there is no BedControl";
        return NULL;
    }
    while (!stopping) {
        LARGE_INTEGER pause = {.QuadPart = -(LONGLONG)choose(actor, 1500) * 10000};

        KeDelayExecutionThread(UserMode, FALSE, &pause);
        inject(control, actor);
    }
    bed_close(control);
    return NULL;
}

/* ---- one storm ---- */

static void act(struct actor *actor, void *(*routine)(void *), uint64_t seed, unsigned number)
{
    actor->number = number;
    actor->random = seed * 7919 + number + 1;
    actor->wrong = NULL;
    if (pthread_create(&actor->thread, NULL, routine, actor) != 0) {
        abort();
    }
}

static const char *finish(struct actor *actors, unsigned count)
{
    LARGE_INTEGER pause = {.QuadPart = -(LONGLONG)RUN_MS * 10000 * (LONGLONG)bed_clock_factor()};
    const char *wrong = NULL;

    KeDelayExecutionThread(UserMode, FALSE, &pause);
    stopping = true;
    for (unsigned i = 0; i < count; i++) {
        pthread_join(actors[i].thread, NULL);
        wrong = wrong != NULL ? wrong : actors[i].wrong;
    }
    return wrong;
}

static const char *play(uint64_t seed)
{
    struct actor actors[WRITERS + 3];
    struct bed_file *disks[WRITERS];
    const char *wrong;

    stopping = false;
    for (unsigned i = 0; i < WRITERS; i++) {
        if (!NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disks[i]))) {
            return "the disk does not appear";
        }
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        actors[i].disk = disks[i];
        actors[i].offset = i * (uint64_t)AREA_BYTES;
        act(&actors[i], write_and_read, seed, i);
    }
    act(&actors[WRITERS], map_and_unmap, seed, WRITERS);
    act(&actors[WRITERS + 1], report, seed, WRITERS + 1);
    act(&actors[WRITERS + 2], trouble, seed, WRITERS + 2);
    if (seed % 4 == 1) {
        wnbd_unmap(adapter, "vol1");
    }
    wrong = finish(actors, WRITERS + 3);
    for (unsigned i = 0; i < WRITERS; i++) {
        bed_close(disks[i]);
    }
    return wrong;
}

static void storm(uint64_t seed)
{
    struct server_options options = {
        .size = EXPORT_BYTES,
        .flags = seed % 2 == 0 ? SERVER_FLAGS_SEVERAL : SERVER_FLAGS_USUAL,
        .backwards = seed % 2 == 1,
        .drop_at = seed % 3 == 2 ? 150 : 0,
        .maximum = seed % 5 == 3 ? 65536 : 0,
    };
    const char *wrong;

    bed_schedule_seed(seed);
    server = server_start(&options);
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    adapter = wnbd_open();
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 1 + seed % 7), STATUS_SUCCESS);
    wrong = play(seed);
    bed_close(adapter);
    assert_int_equal(bed_machine_stop(seed % 2 == 0 ? BED_REMOVAL_ASKED : BED_REMOVAL_SURPRISE), STATUS_SUCCESS);
    server_stop(server);
    if (wrong != NULL || port_violation_count() != 0) {
        fail_msg("seed %llu: %s", (unsigned long long)seed, wrong != NULL ? wrong : "violations");
    }
}

/* ---- a disk removed under those who write to it ---- */

static void *write_only(void *argument)
{
    UCHAR *data = calloc(1, 128 << 10); /* of its own: the bed takes an overlap with lent memory for a fault */
    struct actor *actor = argument;

    while (!stopping && NT_SUCCESS(bed_write(actor->disk, choose(actor, 100) * 512, data, 512u << choose(actor, 9)))) {
    }
    free(data);
    return NULL;
}

static void remove_under_writers(uint64_t seed)
{
    LARGE_INTEGER pause = {.QuadPart = -(LONGLONG)(seed % 10) * 30 * 10000};
    struct actor actors[MANY_WRITERS];
    struct bed_file *disk;

    bed_schedule_seed(seed);
    stopping = false;
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 1 + seed % 4), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    for (unsigned i = 0; i < MANY_WRITERS; i++) {
        actors[i].disk = disk;
        act(&actors[i], write_only, seed, i);
    }
    KeDelayExecutionThread(UserMode, FALSE, &pause);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    for (unsigned i = 0; i < MANY_WRITERS; i++) {
        pthread_join(actors[i].thread, NULL);
    }
    bed_close(disk);
    if (port_violation_count() != 0) {
        fail_msg("violations with seed %llu", (unsigned long long)seed);
    }
}

static void removals_under_writers(void **state)
{
    struct server_options options = {.size = EXPORT_BYTES, .flags = SERVER_FLAGS_SEVERAL};

    (void)state;
    server = server_start(&options);
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    adapter = wnbd_open();
    for (uint64_t seed = 0; seed < REMOVALS; seed++) {
        remove_under_writers(seed);
    }
    bed_close(adapter);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
    server_stop(server);
}

static void storms(void **state)
{
    const char *chosen = getenv("BED_SEED");

    (void)state;
    if (chosen != NULL) {
        storm(strtoull(chosen, NULL, 10));
        return;
    }
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        storm(seed);
    }
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storms),
        cmocka_unit_test(removals_under_writers),
    };

    if (count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_clock_speed(20);
    bed_registry_set(BED_PARAMETERS_KEY, "ReconnectTimeoutMs", 4000);
    bed_print_options(getenv("BED_VERBOSE") == NULL, getenv("BED_FATAL") != NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
