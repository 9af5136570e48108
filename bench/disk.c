/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk on the simulated kernel. In place of an address it has the way that requests go: `enter`, to a program in
 * batches; `classic`, to a program by a FETCH_REQ and a SEND_RSP for each, with a buffer for any request, as it must
 * have who does not know what comes; `fitting`, the same with a buffer for these requests only; `ramdisk`, to a
 * miniport that has the data, which is what the simulation costs by itself. One thread asks, and one of the program
 * serves.
 */
#include "bench/meter.h"
#include "bench/pattern.h"
#include "bench/plan.h"

#include "bed/host/machine.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "tests/host/program.h"

#include <string.h>

#define DISK_LIMIT_MS 10000

struct ask {
    struct bed_io io;
    uint64_t offset;
    uint8_t *data;
    PMDL pages; /* of `data`, locked all the time: the requests are to cost, not the buffers of who asks */
};

struct disk {
    struct plan plan;
    struct places places;
    struct program program; /* there is none with a RAM disk */
    bool is_ramdisk;
    struct bed_file *file;
    struct ask asks[PLAN_DEPTH_MAX]; /* `depth` of them, a ring: the oldest is waited for */
};

static void start_machine(const char *image)
{
    bed_print_options(true, true);
    bed_registry_set(BED_PARAMETERS_KEY, "BedSample", 0); /* watches no memory */
    if (bed_machine_start(image) != STATUS_SUCCESS) {
        fail("the simulated machine does not start");
    }
}

static void start_ramdisk(struct disk *disk)
{
    start_machine(BENCH_RAMDISK);
    if (bed_open_disk(0, DISK_LIMIT_MS, &disk->file) != STATUS_SUCCESS) {
        fail("the disk does not open");
    }
}

static void start_program(struct disk *disk)
{
    const char *way = disk->plan.address;
    bool fits = strcmp(way, "fitting") == 0;
    struct program_options options = {
        .threads = 1,
        .one_at_a_time = fits || strcmp(way, "classic") == 0,
        .fetch_room = fits ? disk->plan.size : 0,
    };

    if (!options.one_at_a_time && strcmp(way, "enter") != 0) {
        fail("the way is neither enter, classic, fitting nor ramdisk");
    }
    start_machine(BENCH_WNBD);
    program_start(&disk->program, &options);
    if (wnbd_open_disk(disk->program.file, "vol1", &disk->file) != STATUS_SUCCESS) {
        fail("the disk does not open");
    }
}

static void stop(struct disk *disk)
{
    for (uint32_t i = 0; i < disk->plan.depth; i++) {
        bed_buffer_unlock(disk->asks[i].pages);
    }
    bed_close(disk->file);
    if (!disk->is_ramdisk) {
        program_stop(&disk->program);
    }
    if (bed_machine_stop(BED_REMOVAL_ASKED) != STATUS_SUCCESS) {
        fail("the simulated machine does not stop");
    }
}

static void prepare(struct disk *disk)
{
    uint8_t *data = allocate((size_t)disk->plan.depth * disk->plan.size);

    disk->places = plan_places(&disk->plan, PROGRAM_BYTES);
    for (uint32_t i = 0; i < disk->plan.depth; i++) {
        disk->asks[i].data = data + (size_t)i * disk->plan.size;
        disk->asks[i].pages = bed_buffer_lock(disk->asks[i].data, disk->plan.size);
    }
    if (!disk->is_ramdisk && !disk->plan.write) {
        pattern_fill(disk->program.bytes, PROGRAM_BYTES, 0);
    }
}

static void ask(struct disk *disk, struct ask *ask)
{
    ask->offset = place_next(&disk->places) * disk->plan.size;
    if (disk->plan.verify && disk->plan.write) {
        pattern_fill(ask->data, disk->plan.size, ask->offset);
    }
    bed_transfer_begin_locked(&ask->io, disk->file, disk->plan.write, ask->offset, ask->pages);
}

static void wait(struct disk *disk, struct ask *ask)
{
    const uint8_t *bytes;

    if (bed_io_wait(&ask->io, DISK_LIMIT_MS, NULL) != STATUS_SUCCESS) {
        fail("a request failed");
    }
    bytes = disk->plan.write ? disk->program.bytes + ask->offset : ask->data;
    if (disk->plan.verify && !disk->is_ramdisk && !pattern_holds(bytes, disk->plan.size, ask->offset)) {
        fail("the data is not what it should be");
    }
}

static void run(struct disk *disk)
{
    uint64_t started = 0, answered = 0;
    struct meter meter;

    meter_begin(&meter, &disk->plan, 0);
    for (;;) {
        uint64_t allowed = meter_allows(&meter, started, disk->plan.depth - (started - answered));

        for (; allowed != 0; allowed--) {
            ask(disk, &disk->asks[started++ % disk->plan.depth]);
        }
        if (started == answered) {
            break;
        }
        wait(disk, &disk->asks[answered++ % disk->plan.depth]);
    }
    meter_end(&meter, answered, METER_NO_CALLS);
}

int main(int count, char **arguments)
{
    static struct disk disk;

    disk.plan = plan_read(count, arguments);
    disk.is_ramdisk = strcmp(disk.plan.address, "ramdisk") == 0;
    if (disk.is_ramdisk) {
        start_ramdisk(&disk);
    } else {
        start_program(&disk);
    }
    prepare(&disk);
    run(&disk);
    stop(&disk);
    return 0;
}
