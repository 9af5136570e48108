/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/pattern.h"

#include "driver/disk.h"
#include "driver/memory.h"

NTSTATUS pattern_allocate(struct disk *disk)
{
    struct pattern *pattern = &disk->pattern;

    pattern->bytes = memory_allocate(STORAGE_PATTERN_MAX, TAG_DISK);
    if (pattern->bytes == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    pattern->mdl = IoAllocateMdl(pattern->bytes, STORAGE_PATTERN_MAX, FALSE, FALSE, NULL);
    if (pattern->mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(pattern->mdl);
    return STATUS_SUCCESS;
}

void pattern_free(struct disk *disk)
{
    if (disk->pattern.mdl != NULL) {
        IoFreeMdl(disk->pattern.mdl);
    }
    memory_free(disk->pattern.bytes, TAG_DISK);
}

bool pattern_take(struct disk *disk, struct record *record)
{
    struct pattern *pattern = &disk->pattern;

    if (InterlockedCompareExchange(&pattern->taken, 1, 0) != 0) {
        return false;
    }
    storage_put_pattern(&record->command, pattern->bytes); /* first: the record's MDL takes the place of the block */
    record->data = pattern->bytes;
    if (disk->backend->takes_pages) {
        record->pages = pattern->mdl;
        record->pages_address = pattern->bytes;
        record_init_mdl(record);
        record_map_pages(record);
    }
    return true;
}

void pattern_give(struct disk *disk)
{
    InterlockedExchange(&disk->pattern.taken, 0);
}
