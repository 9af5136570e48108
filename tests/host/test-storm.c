/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything at once: transfers whose data is checked, maps that are given up, unmaps, reports, resets, a server that
 * goes away, and an unload with or without asking. Each seed makes other choices and other delays; BED_SEED=n runs one
 * seed alone.
 */
#include "tests/host/actor.h"
#include "tests/host/server.h"
#include "tests/host/wnbd.h"

#include "bed/host/clock.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/host/schedule.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

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

/* ---- actors ---- */

/* Writes and reads back in its own area. What a failed write has left is not known until the next good one. */
static void *write_and_read(void *argument)
{
    struct actor *actor = argument;
    uint64_t offset = actor->number * (uint64_t)AREA_BYTES;
    UCHAR *wanted = calloc(1, AREA_BYTES);
    UCHAR *read = malloc(AREA_BYTES);
    bool known = true;

    while (!actors_stopping && actor->wrong == NULL) {
        ULONG length = 512u << actor_choose(actor, 10);
        ULONG at = actor_choose(actor, (AREA_BYTES - length) / 512 + 1) * 512;

        if (actor_choose(actor, 2) == 0) {
            wnbd_pattern(wanted + at, length, actor_choose(actor, 255));
            known &= NT_SUCCESS(bed_write(actor->disk, offset + at, wanted + at, length));
        } else if (NT_SUCCESS(bed_read(actor->disk, offset + at, read, length)) && known &&
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

    while (!actors_stopping) {
        struct bed_io io;

        wnbd_describe(&command, "other", server_port(server));
        strcpy(command.Properties.NbdProperties.ExportName, "other");
        wnbd_map_begin(&io, adapter, &command, &output);
        if (actor_choose(actor, 3) == 0) {
            bed_io_wait(&io, actor_choose(actor, 60), NULL);
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

    while (!actors_stopping) {
        WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = codes[actor_choose(actor, ARRAYSIZE(codes))]};

        strcpy(command.InstanceName, actor_choose(actor, 2) == 0 ? "vol1" : "other");
        bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), answer, sizeof(answer),
                    NULL);
    }
    return NULL;
}

static void *trouble(void *argument)
{
    static const ULONG kinds[] = {BED_INJECT_RESET_LUN, BED_INJECT_RESET_TARGET, BED_INJECT_FORCE_TIMEOUT,
                                  BED_INJECT_RESCAN,    BED_INJECT_FAIL_MAPPING, BED_INJECT_RESET_BUS};

    actor_trouble(argument, kinds, ARRAYSIZE(kinds), 1500);
    return NULL;
}

/* ---- one storm ---- */

static const char *play(uint64_t seed)
{
    struct actor actors[WRITERS + 3];
    struct bed_file *disks[WRITERS];
    const char *wrong;

    actors_stopping = false;
    for (unsigned i = 0; i < WRITERS; i++) {
        if (!NT_SUCCESS(wnbd_open_disk(adapter, "vol1", &disks[i]))) {
            return "the disk does not appear";
        }
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        actors[i].disk = disks[i];
        actor_start(&actors[i], write_and_read, seed, i);
    }
    actor_start(&actors[WRITERS], map_and_unmap, seed, WRITERS);
    actor_start(&actors[WRITERS + 1], report, seed, WRITERS + 1);
    actor_start(&actors[WRITERS + 2], trouble, seed, WRITERS + 2);
    if (seed % 4 == 1) {
        wnbd_unmap(adapter, "vol1");
    }
    actors_sleep(RUN_MS * (unsigned)bed_clock_factor());
    actors_stopping = true;
    wrong = actors_join(actors, WRITERS + 3);
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

    while (!actors_stopping &&
           NT_SUCCESS(bed_write(actor->disk, actor_choose(actor, 100) * 512, data, 512u << actor_choose(actor, 9)))) {
    }
    free(data);
    return NULL;
}

static void remove_under_writers(uint64_t seed)
{
    struct actor actors[MANY_WRITERS];
    struct bed_file *disk;

    bed_schedule_seed(seed);
    actors_stopping = false;
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 1 + seed % 4), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    for (unsigned i = 0; i < MANY_WRITERS; i++) {
        actors[i].disk = disk;
        actor_start(&actors[i], write_only, seed, i);
    }
    actors_sleep((unsigned)(seed % 10) * 30);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    actors_join(actors, MANY_WRITERS);
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
