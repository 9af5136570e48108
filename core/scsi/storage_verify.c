/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VERIFY (SBC-3, "VERIFY (10) command"). It is about the medium, so what is cached goes there first, as with
 * SYNCHRONIZE CACHE. Without BYTCHK that is all: the medium is taken to be readable. The second half of WRITE AND
 * VERIFY is here, too.
 */
#include "core/scsi/storage_internal.h"

#include "core/base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes the beginning of what is left the request. Unlike another range it is left until it has been compared. */
static enum storage_step request_read(struct storage_command *storage)
{
    storage->request.operation = IO_READ;
    storage->request.offset = storage->range_offset;
    storage->request.length =
        storage_least(storage->range_length, storage_least(STORAGE_COMPARE_MAX, storage->request_max));
    return STORAGE_REQUEST;
}

/* False: the data does not fit what is to be compared with it. */
static bool take_expected(struct storage_command *storage, const struct scsi_device *device,
                          const struct scsi_command *command, const uint8_t *data, uint32_t data_length)
{
    bool one_block = command->byte_check == BYTE_CHECK_ONE_BLOCK;
    uint64_t length = (uint64_t)(one_block ? 1 : command->blocks) * device->block_size;

    if (command->blocks > device->max_transfer_blocks || data == NULL || length > data_length) {
        return false;
    }
    storage->expected = data;
    storage->expected_length = (uint32_t)length;
    storage->expected_position = 0;
    storage->block_size = device->block_size;
    return true;
}

enum storage_step storage_begin_verify(struct storage_command *storage, const struct scsi_device *device,
                                       const struct scsi_command *command, const uint8_t *data, uint32_t data_length,
                                       struct scsi_sense *sense)
{
    bool compares = command->byte_check != BYTE_CHECK_NONE;
    uint64_t block_count = device_blocks(device);

    if (compares && !device->byte_check) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    if (!checked_range(command->lba, command->blocks, block_count)) {
        return storage_refuse_range(sense, command->lba, block_count);
    }
    if (command->blocks == 0) {
        return STORAGE_DONE;
    }
    if (!compares) {
        return storage_begin_flush(storage, device);
    }
    if (!take_expected(storage, device, command, data, data_length)) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    storage->kind = STORAGE_COMPARES;
    storage->request_max = storage_request_max(device);
    storage->range_offset = command->lba * device->block_size;
    storage->range_length = (uint64_t)command->blocks * device->block_size;
    return storage_begin_flush(storage, device) == STORAGE_REQUEST ? STORAGE_REQUEST : request_read(storage);
}

enum storage_step storage_compare_afterwards(struct storage_command *storage, const struct scsi_device *device,
                                             const struct scsi_command *command, const uint8_t *data,
                                             uint32_t data_length, struct scsi_sense *sense)
{
    if (!device->byte_check || !take_expected(storage, device, command, data, data_length)) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    storage->kind = STORAGE_WRITES_FIRST;
    return STORAGE_REQUEST;
}

/* What is written is on the medium: if the backend is lost from now on, it is only read again. */
enum storage_step storage_compare_written(struct storage_command *storage)
{
    storage->kind = STORAGE_COMPARES;
    storage->ends_with_flush = false;
    storage->request.flags = 0;
    storage->data_offset = 0;
    storage->range_offset -= storage->data_length;
    storage->range_length = storage->data_length;
    return request_read(storage);
}

/* How many bytes of what was read are as they should be. Of what was sent each byte is read once: its sender may be
 * writing to it. */
static uint32_t compare(struct storage_command *storage)
{
    const volatile uint8_t *expected = storage->expected;

    for (uint32_t i = 0; i < storage->request.length; i++) {
        if (storage->compare[i] != expected[storage->expected_position]) {
            return i;
        }
        storage->expected_position++;
        if (storage->expected_position == storage->expected_length) {
            storage->expected_position = 0;
        }
    }
    return storage->request.length;
}

enum storage_step storage_next_compared(struct storage_command *storage, struct scsi_sense *sense)
{
    uint32_t same;

    if (storage->request.operation == IO_FLUSH) {
        return request_read(storage);
    }
    same = compare(storage);
    if (same != storage->request.length) {
        *sense = sense_make_with_information(SENSE_KEY_MISCOMPARE, ASC_MISCOMPARE_DURING_VERIFY,
                                             (storage->request.offset + same) / storage->block_size);
        return STORAGE_REFUSED;
    }
    storage->range_offset += same;
    storage->range_length -= same;
    return storage->range_length == 0 ? STORAGE_DONE : request_read(storage);
}
