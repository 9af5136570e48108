/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WRITE SAME (SBC-3, "WRITE SAME (10) command" and "(16)"): of zeroes by the backend, if it can; of any other block by
 * writes, one after the other.
 */
#include "core/scsi/storage_internal.h"

#include "core/base/checked.h"
#include "core/base/memory.h"

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

/* Whether there is one block to be written everywhere, if one is to be sent: of more, the initiator means something
 * else. */
static bool has_block(const struct scsi_device *device, const struct scsi_command *command, const uint8_t *parameters,
                      uint32_t data_length)
{
    return command->no_data || (parameters != NULL && data_length == device->block_size);
}

/* 0 blocks would be all up to the end of the disk; WSNZ in the block limits (VPD B0) says that they are not taken. */
static bool are_taken(const struct scsi_device *device, uint32_t blocks)
{
    return blocks != 0 && blocks <= device->max_write_same_blocks;
}

static void begin_zeroes(struct storage_command *storage, const struct scsi_device *device,
                         const struct scsi_command *command)
{
    storage->kind = STORAGE_ZEROES;
    storage->same_flags = command->unmap ? 0 : IO_NO_HOLE;
    storage->request.flags = storage->same_flags;
    storage_begin_range(storage, device, IO_WRITE_ZEROES, command->lba, command->blocks);
}

static void begin_pattern(struct storage_command *storage, const struct scsi_device *device,
                          const struct scsi_command *command, const uint8_t *parameters)
{
    storage->kind = STORAGE_PATTERN;
    storage->block = command->no_data ? NULL : parameters;
    storage->block_size = device->block_size;
    storage_begin_range(storage, device, IO_WRITE, command->lba, command->blocks);
}

void storage_put_pattern(const struct storage_command *storage, uint8_t *pattern)
{
    for (uint32_t at = 0; at < storage->request.length; at += storage->block_size) {
        if (storage->block != NULL) {
            memcpy(pattern + at, storage->block, storage->block_size);
        } else {
            memset(pattern + at, 0, storage->block_size);
        }
    }
}

enum storage_step storage_begin_same(struct storage_command *storage, const struct scsi_device *device,
                                     const struct scsi_command *command, const uint8_t *parameters,
                                     uint32_t data_length, struct scsi_sense *sense)
{
    uint64_t block_count = device_blocks(device);

    if (!device_has_write_same(device)) {
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
    if (!has_block(device, command, parameters, data_length)) {
        return storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    storage->same_length = (uint64_t)command->blocks * device->block_size;
    if (device->write_zeroes && (command->no_data || is_zero(parameters, device->block_size))) {
        begin_zeroes(storage, device, command);
    } else if (device->pattern) {
        begin_pattern(storage, device, command, parameters);
    } else {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    return device_writes_through(device) ? storage_write_through(storage, device) : STORAGE_REQUEST;
}
