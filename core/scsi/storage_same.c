/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WRITE SAME (SBC-3, "WRITE SAME (10) command" and "(16)"), of zeroes. */
#include "core/scsi/storage_internal.h"

#include "core/base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/* Each byte is read once: its sender may be writing to it. */
static bool is_zero(const volatile uint8_t *bytes, uint32_t length)
{
    uint8_t seen = 0;

    for (uint32_t i = 0; i < length; i++) {
        seen |= bytes[i];
    }
    return seen == 0;
}

/*
 * Whether the block that is to be written everywhere is one of zeroes. Any other would have to be multiplied in a
 * buffer of the request's length, which no request here has. False: refused.
 */
static bool check_block(const struct scsi_device *device, const struct scsi_command *command, const uint8_t *parameters,
                        uint32_t data_length, struct scsi_sense *sense)
{
    if (command->no_data) {
        return true;
    }
    if (parameters == NULL || data_length < device->block_size) {
        storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
        return false;
    }
    if (!is_zero(parameters, device->block_size)) {
        storage_refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
        return false;
    }
    return true;
}

/* 0 blocks would be all up to the end of the disk; WSNZ in the block limits (VPD B0) says that they are not taken. */
static bool are_taken(const struct scsi_device *device, uint32_t blocks)
{
    return blocks != 0 && blocks <= device->max_write_same_blocks;
}

enum storage_step storage_begin_same(struct storage_command *storage, const struct scsi_device *device,
                                     const struct scsi_command *command, const uint8_t *parameters,
                                     uint32_t data_length, struct scsi_sense *sense)
{
    uint64_t block_count = device_blocks(device);

    if (!device->write_zeroes) {
        return storage_refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
    }
    if (device->read_only) {
        return storage_refuse_write(sense);
    }
    if (command->anchor || !are_taken(device, command->blocks)) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    if (!checked_range(command->lba, command->blocks, block_count)) {
        return storage_refuse_range(sense, command->lba, block_count);
    }
    if (!check_block(device, command, parameters, data_length, sense)) {
        return STORAGE_REFUSED;
    }
    storage->kind = STORAGE_ZEROES;
    storage->zeroes_flags = command->unmap ? 0 : IO_NO_HOLE;
    storage->zeroes_length = (uint64_t)command->blocks * device->block_size;
    storage->request.flags = storage->zeroes_flags;
    storage_begin_range(storage, device, IO_WRITE_ZEROES, command->lba, command->blocks);
    return device_writes_through(device) ? storage_write_through(storage, device) : STORAGE_REQUEST;
}
