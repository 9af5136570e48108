/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/used_blocks.h"

void used_blocks_init(struct used_blocks *used, uint64_t block_count, uint32_t block_size)
{
    *used = (struct used_blocks){.end = block_count * block_size, .block_size = block_size};
}

void used_blocks_restart(struct used_blocks *used)
{
    used->position = 0;
    used->lba = 0;
    used->count = 0;
}

/* Counts the blocks of [position, end), not empty, of which the first may have been counted. */
static void count_blocks(struct used_blocks *used, uint64_t end)
{
    uint64_t first = used->position / used->block_size;
    uint64_t behind = (end - 1) / used->block_size + 1;

    if (first < used->lba) {
        first = used->lba;
    }
    used->count += behind - first;
    used->lba = behind;
}

void used_blocks_add(struct used_blocks *used, uint64_t length, bool is_allocated)
{
    uint64_t left = used->end - used->position;
    uint64_t end = used->position + (length < left ? length : left);

    if (is_allocated && end != used->position) {
        count_blocks(used, end);
    }
    used->position = end;
}

uint64_t used_blocks_next(struct used_blocks *used)
{
    used->position -= used->position % used->block_size;
    return used->position;
}
