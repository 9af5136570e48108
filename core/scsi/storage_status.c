/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET LBA STATUS (SBC-3, "GET LBA STATUS command"), as far as it needs storage; its answer is made in lba_status.c. */
#include "core/scsi/storage_internal.h"

/* For the answer that storage->status begins. Without IO_BLOCK_STATUS all is mapped, which also means "or unknown". */
static enum storage_step request_status(struct storage_command *storage, const struct scsi_device *device)
{
    uint64_t offset = storage->status.position;
    uint64_t length = storage->status.end - offset;

    if (!device->block_status) {
        lba_status_add(&storage->status, length, true);
        return STORAGE_DONE;
    }
    storage->request.operation = IO_BLOCK_STATUS;
    storage->request.flags = storage->status.descriptors_max == 1 ? IO_ONE_EXTENT : 0;
    storage->request.offset = offset;
    storage->request.length = storage_least(length, STORAGE_TRIM_MAX);
    return STORAGE_REQUEST;
}

enum storage_step storage_begin_status(struct storage_command *storage, const struct scsi_device *device,
                                       const struct scsi_command *command, uint8_t *data, uint32_t data_length,
                                       struct scsi_sense *sense)
{
    uint64_t block_count = device_blocks(device);

    if (!device->block_status && !device->unmap) {
        return storage_refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
    }
    if (command->lba >= block_count) {
        return storage_refuse_range(sense, command->lba, block_count);
    }
    storage->kind = STORAGE_ANSWERS;
    lba_status_init(&storage->status, data, storage_least(command->allocation_length, data_length), command->lba,
                    block_count, device->block_size);
    return request_status(storage, device);
}
