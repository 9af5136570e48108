/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random reads and writes of random lengths from several threads. Each thread owns a region of the disk and keeps in
 * memory what it must hold; every read is compared with that. The whole of it goes to a file at the end, for a
 * comparison with what the server holds.
 */
#include "commands.h"
#include "pattern.h"

#include <stdio.h>
#include <string.h>

#define THREADS_MAX     64u
#define COPY_BYTES      (1u << 20)
#define THREAD_GRACE_MS (DISK_WAIT_MS + 60000u)

struct storm {
    struct disk *disk;
    unsigned char *image;  /* what the disk must hold */
    uint64_t region_bytes; /* of each thread */
    uint64_t seed;
    uint32_t threads;
    uint32_t min;
    uint32_t max;
    uint64_t requests; /* of each thread; 0: until the time is up */
    ULONGLONG until;   /* tick count; 0: no time limit */
};

struct worker {
    struct storm *storm;
    HANDLE thread;
    uint32_t index;
    uint64_t random;
    unsigned char *buffer;
    uint64_t reads, writes, bytes;
};

/* Evenly over the powers of two, so that 512 bytes come as often as 8 MiB. */
static uint32_t random_length(struct worker *worker)
{
    const struct storm *storm = worker->storm;
    uint32_t block = storm->disk->block_bytes;
    uint32_t low = storm->min;
    uint32_t choices = 0;
    uint64_t length;

    while (((uint64_t)low << choices) < storm->max)
        choices++;
    length = (uint64_t)low << (random_next(&worker->random) % (choices + 1));
    length += random_next(&worker->random) % length;
    if (random_next(&worker->random) % 8 == 0 || length > storm->max)
        length = random_next(&worker->random) % 2 ? storm->max : storm->min;
    return (uint32_t)(length / block * block);
}

static uint64_t random_offset(struct worker *worker, uint32_t length)
{
    const struct storm *storm = worker->storm;
    uint64_t block = storm->disk->block_bytes;
    uint64_t places = (storm->region_bytes - length) / block + 1;

    return worker->index * storm->region_bytes + random_next(&worker->random) % places * block;
}

static void check_read(struct worker *worker, uint64_t offset, uint32_t length)
{
    const unsigned char *expected = worker->storm->image + offset;
    uint32_t at = 0;

    if (memcmp(worker->buffer, expected, length) == 0)
        return;
    while (worker->buffer[at] == expected[at])
        at++;
    die(EXIT_CODE_FAIL, "storm: thread %u: a read of %u bytes at %llu differs from byte %u on: 0x%02x, expected 0x%02x",
        worker->index, length, (unsigned long long)offset, at, worker->buffer[at], expected[at]);
}

static void one_request(struct worker *worker)
{
    struct storm *storm = worker->storm;
    uint32_t length = random_length(worker);
    uint64_t offset = random_offset(worker, length);

    if (random_next(&worker->random) % 2) {
        pattern_fill(random_next(&worker->random), offset, worker->buffer, length);
        memcpy(storm->image + offset, worker->buffer, length);
        disk_must(storm->disk, true, offset, worker->buffer, length);
        worker->writes++;
    } else {
        memset(worker->buffer, 0xEE, length);
        disk_must(storm->disk, false, offset, worker->buffer, length);
        check_read(worker, offset, length);
        worker->reads++;
    }
    worker->bytes += length;
}

static DWORD WINAPI work(void *context)
{
    struct worker *worker = context;
    const struct storm *storm = worker->storm;

    for (uint64_t i = 0; storm->requests == 0 || i < storm->requests; i++) {
        if (storm->until != 0 && GetTickCount64() >= storm->until)
            break;
        one_request(worker);
    }
    return 0;
}

static void copy(struct storm *storm, bool is_check)
{
    uint64_t bytes = storm->region_bytes * storm->threads;
    unsigned char *buffer = disk_allocate(COPY_BYTES);

    for (uint64_t offset = 0; offset < bytes; offset += COPY_BYTES) {
        uint32_t length = bytes - offset < COPY_BYTES ? (uint32_t)(bytes - offset) : COPY_BYTES;

        disk_must(storm->disk, false, offset, buffer, length);
        if (is_check && memcmp(buffer, storm->image + offset, length) != 0)
            die(EXIT_CODE_FAIL, "storm: at the end the disk differs between %llu and %llu", (unsigned long long)offset,
                (unsigned long long)(offset + length));
        memcpy(storm->image + offset, buffer, length);
    }
    disk_free(buffer);
}

static void save(const struct storm *storm, const char *path)
{
    uint64_t bytes = storm->region_bytes * storm->threads;
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(storm->image, 1, bytes, file) != bytes || fclose(file) != 0)
        die(EXIT_CODE_FAIL, "storm: cannot write %s", path);
}

static void run_workers(struct storm *storm)
{
    struct worker workers[THREADS_MAX] = {0};
    uint64_t reads = 0, writes = 0, bytes = 0;
    ULONGLONG started = GetTickCount64();
    DWORD grace_ms = THREAD_GRACE_MS;

    if (storm->until != 0)
        grace_ms += (DWORD)(storm->until - started);
    else
        grace_ms *= 4; /* counted requests have no time of their own */
    for (uint32_t i = 0; i < storm->threads; i++) {
        workers[i] = (struct worker){
            .storm = storm, .index = i, .random = mix(storm->seed + i), .buffer = disk_allocate(storm->max)};
        workers[i].thread = CreateThread(NULL, 0, work, &workers[i], 0, NULL);
        if (!workers[i].thread)
            die(EXIT_CODE_FAIL, "storm: cannot start a thread: error %lu", GetLastError());
    }
    for (uint32_t i = 0; i < storm->threads; i++) {
        if (WaitForSingleObject(workers[i].thread, grace_ms) != WAIT_OBJECT_0)
            die(EXIT_CODE_FAIL, "storm: thread %u did not end", i);
        CloseHandle(workers[i].thread);
        disk_free(workers[i].buffer);
        reads += workers[i].reads;
        writes += workers[i].writes;
        bytes += workers[i].bytes;
    }
    printf("storm: %llu reads, %llu writes, %llu bytes, %u threads, %.1f s\n", (unsigned long long)reads,
           (unsigned long long)writes, (unsigned long long)bytes, storm->threads,
           (double)(GetTickCount64() - started) / 1000.0);
}

static void take_storm(struct disk *disk, struct arguments *arguments, struct storm *storm)
{
    uint64_t limit = arguments_number(arguments, "--bytes", disk->bytes);
    uint64_t seconds = arguments_number(arguments, "--seconds", 0);
    uint64_t requests = arguments_number(arguments, "--requests", seconds == 0 ? 1000 : 0);

    storm->disk = disk;
    storm->seed = arguments_number(arguments, "--seed", 1);
    storm->threads = (uint32_t)arguments_number(arguments, "--threads", 8);
    storm->min = (uint32_t)arguments_number(arguments, "--min", disk->block_bytes);
    storm->max = (uint32_t)arguments_number(arguments, "--max", 8u << 20);
    if (storm->threads == 0 || storm->threads > THREADS_MAX)
        die(EXIT_CODE_USE, "--threads is 1 to %u", THREADS_MAX);
    if (storm->min == 0 || storm->min > storm->max || (storm->min | storm->max) % disk->block_bytes != 0)
        die(EXIT_CODE_USE, "--min and --max are whole blocks");
    storm->region_bytes = (limit < disk->bytes ? limit : disk->bytes) / storm->threads;
    storm->region_bytes -= storm->region_bytes % disk->block_bytes;
    if (storm->region_bytes < storm->max)
        die(EXIT_CODE_USE, "%u regions of %u bytes do not fit the disk", storm->threads, storm->max);
    storm->requests = (requests + storm->threads - 1) / storm->threads;
    storm->until = seconds == 0 ? 0 : GetTickCount64() + seconds * 1000;
}

int command_storm(struct disk *disk, struct arguments *arguments)
{
    const char *out = arguments_text(arguments, "--out", NULL);
    struct storm storm;

    disk_measure(disk);
    take_storm(disk, arguments, &storm);
    arguments_check_all_used(arguments);
    storm.image = disk_allocate(storm.region_bytes * storm.threads);
    copy(&storm, false);
    run_workers(&storm);
    copy(&storm, true);
    if (out)
        save(&storm, out);
    disk_free(storm.image);
    puts("storm: every read was right");
    return 0;
}
