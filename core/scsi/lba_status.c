/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/lba_status.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"

#define HEADER     8
#define DESCRIPTOR 16

/* Provisioning status (SBC-3, "LBA status descriptor") */
#define STATUS_MAPPED      0x0 /* or unknown */
#define STATUS_DEALLOCATED 0x1

static uint64_t least(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

void lba_status_init(struct lba_status *status, uint8_t *answer, uint32_t capacity, uint64_t lba, uint64_t block_count,
                     uint32_t block_size)
{
    *status = (struct lba_status){
        .answer = answer,
        .capacity = capacity,
        .block_size = block_size,
        .descriptors_max = capacity < HEADER + DESCRIPTOR ? 1 : (capacity - HEADER) / DESCRIPTOR,
        .first = lba,
        .end = block_count * block_size,
    };
    lba_status_restart(status);
}

void lba_status_restart(struct lba_status *status)
{
    status->position = status->first * status->block_size;
    status->is_part_allocated = false;
    status->descriptors = 0;
    status->lba = status->first;
    status->blocks = 0;
}

/* Writes as much as there is room for. */
static void put(const struct lba_status *status, uint64_t at, const uint8_t *bytes, uint32_t length)
{
    if (at < status->capacity) {
        memcpy(status->answer + at, bytes, (uint32_t)least(length, status->capacity - at));
    }
}

static void put_descriptor(const struct lba_status *status, uint32_t blocks, bool is_allocated)
{
    uint8_t descriptor[DESCRIPTOR] = {0};

    store_be64(descriptor, status->lba);
    store_be32(descriptor + 8, blocks);
    descriptor[12] = is_allocated ? STATUS_MAPPED : STATUS_DEALLOCATED;
    put(status, HEADER + (uint64_t)status->descriptors * DESCRIPTOR, descriptor, sizeof(descriptor));
}

static void end_descriptor(struct lba_status *status)
{
    put_descriptor(status, status->blocks, status->is_allocated);
    status->descriptors++;
    status->lba += status->blocks;
    status->blocks = 0;
}

/* Neighbours of one status become one descriptor, unless they are more blocks than it can say. */
static void add_blocks(struct lba_status *status, uint64_t count, bool is_allocated)
{
    while (count != 0 && status->descriptors < status->descriptors_max) {
        uint32_t taken = (uint32_t)least(count, UINT32_MAX - status->blocks);

        if (status->blocks != 0 && (status->is_allocated != is_allocated || taken == 0)) {
            end_descriptor(status);
            continue;
        }
        status->is_allocated = is_allocated;
        status->blocks += taken;
        count -= taken;
    }
}

/* The beginning of an extent that begins within a block, whether it ends that block or not: how many bytes it was. */
static uint64_t add_to_part(struct lba_status *status, uint64_t length, bool is_allocated)
{
    uint32_t part = (uint32_t)(status->position % status->block_size);
    uint64_t taken = part == 0 ? 0 : least(length, status->block_size - part);

    status->is_part_allocated |= taken != 0 && is_allocated;
    if (part != 0 && part + taken == status->block_size) {
        add_blocks(status, 1, status->is_part_allocated);
        status->is_part_allocated = false;
    }
    return taken;
}

void lba_status_add(struct lba_status *status, uint64_t length, bool is_allocated)
{
    uint64_t rest;

    length = least(length, status->end - status->position);
    rest = length - add_to_part(status, length, is_allocated);
    add_blocks(status, rest / status->block_size, is_allocated);
    if (rest % status->block_size != 0) {
        status->is_part_allocated = is_allocated;
    }
    status->position += length;
}

uint32_t lba_status_finish(const struct lba_status *status)
{
    uint32_t descriptors = status->descriptors;
    uint8_t header[HEADER] = {0};

    if (status->blocks != 0) {
        put_descriptor(status, status->blocks, status->is_allocated);
        descriptors++;
    } else if (descriptors == 0) {
        put_descriptor(status, 1, true);
        descriptors++;
    }
    store_be32(header, HEADER - 4 + descriptors * DESCRIPTOR);
    put(status, 0, header, sizeof(header));
    return (uint32_t)least(status->capacity, HEADER + (uint64_t)descriptors * DESCRIPTOR);
}
