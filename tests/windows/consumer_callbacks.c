/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the program does with its requests, and the lines about them. */
#include "consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 64 /* of a payload that are shown */

static struct consumer *consumer_of(PWNBD_DISK disk)
{
    PVOID context = NULL;

    if (WnbdGetUserContext(disk, &context) != ERROR_SUCCESS)
        say("no-context");
    return context;
}

/* Says the same of the same bytes: FNV-1a. */
static uint64_t digest(const uint8_t *data, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ data[i]) * 0x100000001B3u;
    return hash;
}

static const char *hex(const uint8_t *data, uint32_t length, char text[2 * TEXT_BYTES + 1])
{
    text[0] = '\0';
    for (uint32_t i = 0; i < length && i < TEXT_BYTES; i++)
        sprintf(text + 2 * i, "%02x", data[i]);
    return text;
}

static void fill(struct consumer *consumer, uint64_t offset, uint8_t *data, uint32_t length)
{
    if (consumer->manner.fill >= 0)
        memset(data, consumer->manner.fill, length);
    else
        store_read(consumer->store, offset, data, length);
}

static void on_read(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 lba, UINT32 blocks, BOOLEAN fua)
{
    struct consumer *consumer = consumer_of(disk);
    uint32_t block_size = disk->Properties.BlockSize;
    void *data = consumer->manner.copies ? malloc((size_t)blocks * block_size) : buffer;
    struct answer answer = {handle, WnbdReqTypeRead, lba, data, blocks * block_size};

    if (consumer->manner.log)
        say("read %016llx %llu %u %u", (unsigned long long)handle, (unsigned long long)lba, blocks, fua);
    fill(consumer, lba * block_size, data, answer.length);
    answers_give(consumer, &answer);
    if (data != buffer)
        free(data);
}

static void on_write(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 lba, UINT32 blocks, BOOLEAN fua)
{
    struct consumer *consumer = consumer_of(disk);
    uint32_t length = blocks * disk->Properties.BlockSize;
    struct answer answer = {handle, WnbdReqTypeWrite, lba, NULL, 0};

    if (consumer->manner.log)
        say("write %016llx %llu %u %u %016llx", (unsigned long long)handle, (unsigned long long)lba, blocks, fua,
            (unsigned long long)digest(buffer, length));
    if (consumer->manner.fails != WnbdReqTypeWrite)
        store_write(consumer->store, lba * disk->Properties.BlockSize, buffer, length);
    answers_give(consumer, &answer);
}

static void on_flush(PWNBD_DISK disk, UINT64 handle, UINT64 lba, UINT32 blocks)
{
    struct consumer *consumer = consumer_of(disk);
    struct answer answer = {handle, WnbdReqTypeFlush, lba, NULL, 0};

    if (consumer->manner.log)
        say("flush %016llx %llu %u", (unsigned long long)handle, (unsigned long long)lba, blocks);
    answers_give(consumer, &answer);
}

static void on_unmap(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR descriptors, UINT32 count)
{
    struct consumer *consumer = consumer_of(disk);
    struct answer answer = {handle, WnbdReqTypeUnmap, descriptors[0].BlockAddress, NULL, 0};

    for (UINT32 i = 0; i < count; i++) {
        if (consumer->manner.log)
            say("unmap %016llx %u %llu %u %u", (unsigned long long)handle, count,
                (unsigned long long)descriptors[i].BlockAddress, descriptors[i].BlockCount, descriptors[i].Reserved);
        store_zero(consumer->store, descriptors[i].BlockAddress * disk->Properties.BlockSize,
                   (uint64_t)descriptors[i].BlockCount * disk->Properties.BlockSize);
    }
    answers_give(consumer, &answer);
}

/* SPC-4, "READ KEYS": the generation and no keys. */
static void on_reserve_in(PWNBD_DISK disk, UINT64 handle, UINT8 action)
{
    struct consumer *consumer = consumer_of(disk);
    uint32_t generation = consumer->generation;
    uint8_t data[8] = {(uint8_t)(generation >> 24), (uint8_t)(generation >> 16), (uint8_t)(generation >> 8),
                       (uint8_t)generation};
    struct answer answer = {handle, WnbdReqTypePersistResIn, 0, data, sizeof(data)};

    if (consumer->manner.log)
        say("reserve-in %016llx %u", (unsigned long long)handle, action);
    answers_give(consumer, &answer);
}

static void on_reserve_out(PWNBD_DISK disk, UINT64 handle, UINT8 action, UINT8 scope, UINT8 type, PVOID buffer,
                           UINT32 length)
{
    struct consumer *consumer = consumer_of(disk);
    struct answer answer = {handle, WnbdReqTypePersistResOut, 0, NULL, 0};
    char text[2 * TEXT_BYTES + 1];

    if (consumer->manner.log)
        say("reserve-out %016llx %u %u %u %u %s", (unsigned long long)handle, action, scope, type, length,
            hex(buffer, length, text));
    InterlockedIncrement((volatile LONG *)&consumer->generation);
    answers_give(consumer, &answer);
}

const WNBD_INTERFACE callbacks = {
    .Read = on_read,
    .Write = on_write,
    .Flush = on_flush,
    .Unmap = on_unmap,
    .PersistResIn = on_reserve_in,
    .PersistResOut = on_reserve_out,
};
