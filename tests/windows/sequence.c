/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole ranges, several requests in flight: write-random, verify, hash. */
#include "commands.h"
#include "pattern.h"

#include <stdio.h>

#include <bcrypt.h>

#define DEPTH_MAX 255u

/* What is done to a range. */
struct job {
    uint64_t seed;
    uint64_t offset;
    uint64_t end;
    uint32_t depth;
    uint32_t size; /* bytes of one request, the last may be shorter */
    bool is_write;
    BCRYPT_HASH_HANDLE hash; /* NULL: a read is compared with the pattern instead */
};

struct slot {
    struct transfer transfer;
    unsigned char *buffer;
    uint64_t offset;
    uint32_t length; /* 0: nothing in flight */
};

static void take_job(struct disk *disk, struct arguments *arguments, struct job *job)
{
    uint64_t bytes;

    disk_measure(disk);
    job->seed = arguments_number(arguments, "--seed", 1);
    job->offset = arguments_number(arguments, "--offset", 0);
    if (job->offset >= disk->bytes)
        die(EXIT_CODE_USE, "the disk has %llu bytes", (unsigned long long)disk->bytes);
    bytes = arguments_number(arguments, "--bytes", disk->bytes - job->offset);
    job->depth = (uint32_t)arguments_number(arguments, "--depth", 8);
    job->size = (uint32_t)arguments_number(arguments, "--size", 256 * 1024);
    job->hash = NULL;
    if (bytes > disk->bytes - job->offset || (bytes | job->offset) % disk->block_bytes != 0)
        die(EXIT_CODE_USE, "--offset and --bytes are whole blocks inside the disk of %llu bytes",
            (unsigned long long)disk->bytes);
    if (job->depth == 0 || job->depth > DEPTH_MAX || job->size == 0 || job->size % disk->block_bytes != 0)
        die(EXIT_CODE_USE, "--depth is 1 to %u, --size whole blocks", DEPTH_MAX);
    job->end = job->offset + bytes;
    arguments_check_all_used(arguments);
}

static void start_slot(struct disk *disk, const struct job *job, struct slot *slot, uint64_t offset)
{
    slot->offset = offset;
    slot->length = 0;
    if (offset >= job->end)
        return;
    slot->length = job->end - offset < job->size ? (uint32_t)(job->end - offset) : job->size;
    if (job->is_write)
        pattern_fill(job->seed, offset, slot->buffer, slot->length);
    disk_start(disk, &slot->transfer, job->is_write, offset, slot->buffer, slot->length);
}

static void compare(const struct job *job, const struct slot *slot)
{
    size_t at = pattern_difference(job->seed, slot->offset, slot->buffer, slot->length);

    if (at != slot->length)
        die(EXIT_CODE_FAIL, "verify: byte %llu differs: 0x%02x read in the request at %llu of %u bytes",
            (unsigned long long)(slot->offset + at), slot->buffer[at], (unsigned long long)slot->offset, slot->length);
}

static void finish_slot(struct disk *disk, const struct job *job, struct slot *slot)
{
    DWORD transferred;
    DWORD error = disk_wait(disk, &slot->transfer, &transferred);

    if (error != ERROR_SUCCESS || transferred != slot->length)
        die(EXIT_CODE_FAIL, "%s offset %llu length %u: error %lu, %lu bytes", job->is_write ? "write" : "read",
            (unsigned long long)slot->offset, slot->length, error, transferred);
    if (job->hash)
        BCryptHashData(job->hash, slot->buffer, slot->length, 0);
    else if (!job->is_write)
        compare(job, slot);
}

static void run(struct disk *disk, const struct job *job)
{
    struct slot slots[DEPTH_MAX];
    uint64_t next = job->offset;
    uint64_t started = GetTickCount64();
    double seconds;

    for (uint32_t i = 0; i < job->depth; i++, next += job->size) {
        transfer_make(&slots[i].transfer);
        slots[i].buffer = disk_allocate(job->size);
        start_slot(disk, job, &slots[i], next);
    }
    /* In the order they were started: a hash needs the order, and the slots behind stay in flight meanwhile. */
    for (uint32_t i = 0; slots[i].length != 0; i = (i + 1) % job->depth, next += job->size) {
        finish_slot(disk, job, &slots[i]);
        start_slot(disk, job, &slots[i], next);
    }
    for (uint32_t i = 0; i < job->depth; i++) {
        transfer_end(&slots[i].transfer);
        disk_free(slots[i].buffer);
    }
    seconds = (double)(GetTickCount64() - started) / 1000.0;
    printf("%llu bytes %s, %u requests in flight, %.1f s\n", (unsigned long long)(job->end - job->offset),
           job->is_write ? "written" : "read", job->depth, seconds);
}

int command_write_random(struct disk *disk, struct arguments *arguments)
{
    struct job job = {.is_write = true};

    take_job(disk, arguments, &job);
    run(disk, &job);
    return 0;
}

int command_verify(struct disk *disk, struct arguments *arguments)
{
    struct job job = {.is_write = false};

    take_job(disk, arguments, &job);
    run(disk, &job);
    puts("verify: equal");
    return 0;
}

int command_hash(struct disk *disk, struct arguments *arguments)
{
    struct job job = {.is_write = false};
    BCRYPT_ALG_HANDLE algorithm;
    unsigned char digest[32];

    take_job(disk, arguments, &job);
    if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0) != 0 ||
        BCryptCreateHash(algorithm, &job.hash, NULL, 0, NULL, 0, 0) != 0)
        die(EXIT_CODE_FAIL, "no SHA-256 here");
    run(disk, &job);
    BCryptFinishHash(job.hash, digest, sizeof(digest), 0);
    BCryptDestroyHash(job.hash);
    BCryptCloseAlgorithmProvider(algorithm, 0);
    printf("sha256: ");
    for (size_t i = 0; i < sizeof(digest); i++)
        printf("%02x", digest[i]);
    puts("");
    return 0;
}
