/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random requests of one length to one disk or several whose numbers follow each other, always as many in flight to
 * each: how many a second. What is read is not looked at.
 */
#include "commands.h"
#include "pattern.h"

#include <stdio.h>

#define DEPTH_MAX 256u
#define DISKS_MAX 128u

struct rate {
    struct disk *disk; /* the first */
    HANDLE handles[DISKS_MAX];
    uint32_t disks;
    HANDLE port; /* where what has completed is picked up, in any order */
    uint64_t random;
    uint32_t depth; /* of each disk */
    uint32_t size;
    bool is_write;
    uint64_t requests; /* to be made; 0: until the time is up */
    ULONGLONG until;   /* tick count */
};

/* The `index`th of all requests in flight; each disk has `depth` of them. */
static void start(struct rate *rate, uint64_t index, OVERLAPPED *overlapped, void *buffer)
{
    uint64_t offset = random_next(&rate->random) % (rate->disk->bytes / rate->size) * rate->size;
    HANDLE handle = rate->handles[index / rate->depth];
    BOOL done;

    *overlapped = (OVERLAPPED){.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    done = rate->is_write ? WriteFile(handle, buffer, rate->size, NULL, overlapped)
                          : ReadFile(handle, buffer, rate->size, NULL, overlapped);
    if (!done && GetLastError() != ERROR_IO_PENDING)
        die(EXIT_CODE_FAIL, "rate: a request failed at once: error %lu", GetLastError());
}

static OVERLAPPED *next_done(struct rate *rate)
{
    OVERLAPPED *overlapped = NULL;
    ULONG_PTR key;
    DWORD bytes;

    if (!GetQueuedCompletionStatus(rate->port, &bytes, &key, &overlapped, DISK_WAIT_MS))
        die(EXIT_CODE_FAIL, "rate: a request %s: error %lu", overlapped ? "failed" : "did not end", GetLastError());
    if (bytes != rate->size)
        die(EXIT_CODE_FAIL, "rate: a request transferred %lu bytes of %u", bytes, rate->size);
    return overlapped;
}

static bool wants_more(const struct rate *rate, uint64_t started)
{
    return rate->requests != 0 ? started < rate->requests : GetTickCount64() < rate->until;
}

static uint64_t run(struct rate *rate)
{
    uint64_t in_flight = (uint64_t)rate->depth * rate->disks;
    OVERLAPPED *overlapped = disk_allocate(in_flight * sizeof(*overlapped));
    unsigned char *buffers = disk_allocate(in_flight * rate->size);
    uint64_t started = 0, done = 0;

    for (; started < in_flight && wants_more(rate, started); started++)
        start(rate, started, &overlapped[started], buffers + started * rate->size);
    while (done < started) {
        uint64_t index = (uint64_t)(next_done(rate) - overlapped);

        done++;
        if (wants_more(rate, started)) {
            start(rate, index, &overlapped[index], buffers + index * rate->size);
            started++;
        }
    }
    disk_free(buffers);
    disk_free(overlapped);
    return done;
}

/* Disks beside the first, whose number is `number`: the same size is taken for granted. */
static void open_more(struct rate *rate, uint32_t number)
{
    rate->handles[0] = rate->disk->handle;
    for (uint32_t i = 1; i < rate->disks; i++) {
        char path[64];

        snprintf(path, sizeof(path), "\\\\.\\PhysicalDrive%u", number + i);
        rate->handles[i] = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                       OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
        if (rate->handles[i] == INVALID_HANDLE_VALUE)
            die(EXIT_CODE_FAIL, "rate: cannot open %s: error %lu", path, GetLastError());
    }
    rate->port = NULL;
    for (uint32_t i = 0; i < rate->disks; i++) {
        rate->port = CreateIoCompletionPort(rate->handles[i], rate->port, 0, 1);
        if (!rate->port)
            die(EXIT_CODE_FAIL, "rate: no completion port: error %lu", GetLastError());
    }
}

static void take_rate(struct disk *disk, struct arguments *arguments, struct rate *rate)
{
    rate->disk = disk;
    rate->random = arguments_number(arguments, "--seed", 1);
    rate->depth = (uint32_t)arguments_number(arguments, "--depth", 1);
    rate->size = (uint32_t)arguments_number(arguments, "--size", 4096);
    rate->is_write = arguments_flag(arguments, "--write");
    rate->requests = arguments_number(arguments, "--requests", 0);
    rate->until = GetTickCount64() + arguments_number(arguments, "--ms", 1000);
    rate->disks = (uint32_t)arguments_number(arguments, "--disks", 1);
    arguments_check_all_used(arguments);
    if (rate->disks == 0 || rate->disks > DISKS_MAX)
        die(EXIT_CODE_USE, "--disks is 1 to %u", DISKS_MAX);
    if (rate->depth == 0 || rate->depth > DEPTH_MAX)
        die(EXIT_CODE_USE, "--depth is 1 to %u", DEPTH_MAX);
    if (rate->size == 0 || rate->size % disk->block_bytes != 0 || rate->size > disk->bytes)
        die(EXIT_CODE_USE, "--size is whole blocks of the disk");
    open_more(rate, disk->number);
}

int command_rate(struct disk *disk, struct arguments *arguments)
{
    LARGE_INTEGER frequency, begin, end;
    struct rate rate;
    uint64_t requests;
    double seconds;

    disk_measure(disk);
    take_rate(disk, arguments, &rate);
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&begin);
    requests = run(&rate);
    QueryPerformanceCounter(&end);
    CloseHandle(rate.port);
    seconds = (double)(end.QuadPart - begin.QuadPart) / (double)frequency.QuadPart;
    printf("rate: %llu requests of %u bytes, %u disks, depth %u, %.3f s, %.1f a second\n", (unsigned long long)requests,
           rate.size, rate.disks, rate.depth, seconds, (double)requests / seconds);
    return 0;
}
