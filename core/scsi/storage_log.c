/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LOG SENSE of page 0C (SBC-3, "Logical Block Provisioning log page"): the blocks in use are counted by a walk over the
 * whole disk, for as many answers of the backend as that takes. A walk that was given up leaves nothing known, and a
 * page without the count says so.
 */
#include "core/scsi/storage_internal.h"

#include "core/base/memory.h"
#include "core/scsi/log.h"

/* For what has not been looked at yet. */
static enum storage_step ask(struct storage_command *storage)
{
    struct used_blocks *used = &storage->count.used;

    storage->request.operation = IO_BLOCK_STATUS;
    storage->request.offset = used->position;
    storage->request.length = storage_least(used->end - used->position, STORAGE_TRIM_MAX);
    return STORAGE_REQUEST;
}

enum storage_step storage_begin_count(struct storage_command *storage, const struct scsi_device *device,
                                      const struct scsi_command *command, uint8_t *data, uint32_t data_length,
                                      struct scsi_sense *sense)
{
    if (!device_counts_blocks(device)) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    storage->kind = STORAGE_COUNTS;
    storage->count.answer = data;
    storage->count.capacity = storage_least(command->allocation_length, data_length);
    storage->count.exponent = device->threshold_exponent;
    storage->count.is_given_up = false;
    used_blocks_init(&storage->count.used, device_blocks(device), device->block_size);
    return storage->count.capacity == 0 ? STORAGE_DONE : ask(storage);
}

/* An answer about less than a block leads nowhere: asked again, the backend would give it again. */
enum storage_step storage_next_count(struct storage_command *storage)
{
    uint64_t position = used_blocks_next(&storage->count.used);
    bool leads_on = position != storage->request.offset;

    if (used_blocks_is_whole(&storage->count.used) || storage->count.is_given_up || !leads_on) {
        return STORAGE_DONE;
    }
    return ask(storage);
}

void storage_restart_count(struct storage_command *storage)
{
    used_blocks_restart(&storage->count.used);
    ask(storage);
}

/* Threshold sets, of which the last may be in use in part. */
static uint64_t used_sets(const struct storage_command *storage)
{
    uint64_t set_blocks = UINT64_C(1) << storage->count.exponent;

    return (storage->count.used.count + set_blocks - 1) >> storage->count.exponent;
}

uint32_t storage_finish_count(const struct storage_command *storage)
{
    uint8_t page[LOG_PROVISIONING_MAX] = {0};
    uint64_t sets = used_sets(storage);
    uint32_t length = used_blocks_is_whole(&storage->count.used) && sets <= UINT32_MAX
                          ? log_provisioning((uint32_t)sets, page)
                          : log_provisioning_unknown(page);

    length = storage_least(length, storage->count.capacity);
    if (length != 0) {
        memcpy(storage->count.answer, page, length);
    }
    return length;
}
