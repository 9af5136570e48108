/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/storage_internal.h"

#include "core/base/checked.h"

/*
 * SBC-3, "PRE-FETCH (10) command". The block limits (VPD B0) say that no more is taken than of a READ; what goes "to
 * the end" is cut there. Success is GOOD and not CONDITION MET: whether all of it is in a cache now is not known.
 */
enum storage_step storage_begin_prefetch(struct storage_command *storage, const struct scsi_device *device,
                                         const struct scsi_command *command, struct scsi_sense *sense)
{
    uint64_t block_count = device_blocks(device);
    uint32_t blocks = command->blocks;

    if (!checked_range(command->lba, blocks, block_count)) {
        return storage_refuse_range(sense, command->lba, block_count);
    }
    if (!device->cache) {
        return STORAGE_DONE;
    }
    if (blocks > device->max_transfer_blocks) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    if (blocks == 0) {
        blocks = storage_least(block_count - command->lba, device->max_transfer_blocks);
    }
    return blocks == 0 ? STORAGE_DONE : storage_begin_range(storage, device, IO_CACHE, command->lba, blocks);
}
