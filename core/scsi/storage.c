/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/storage_internal.h"

#include "core/base/checked.h"

#include <stdbool.h>
#include <stddef.h>

enum storage_step storage_refuse(struct scsi_sense *sense, enum scsi_asc asc)
{
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, asc);
    return STORAGE_REFUSED;
}

enum storage_step storage_refuse_write(struct scsi_sense *sense)
{
    *sense = sense_make(SENSE_KEY_DATA_PROTECT, ASC_WRITE_PROTECTED);
    return STORAGE_REFUSED;
}

enum storage_step storage_refuse_range(struct scsi_sense *sense, uint64_t lba, uint64_t block_count)
{
    uint64_t first = lba > block_count ? lba : block_count;

    *sense = sense_make_with_information(SENSE_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, first);
    return STORAGE_REFUSED;
}

/* Makes a request of the beginning of the range in hand, which is not empty. */
static void next_of_range(struct storage_command *storage)
{
    uint64_t length = storage->range_length < storage->request_max ? storage->range_length : storage->request_max;

    if (storage->data_length != 0) {
        storage->data_offset = (uint32_t)(storage->data_length - storage->range_length);
    }
    storage->request.offset = storage->range_offset;
    storage->request.length = (uint32_t)length;
    storage->range_offset += length;
    storage->range_length -= length;
}

uint32_t storage_request_max(const struct scsi_device *device)
{
    uint32_t largest = UINT32_MAX - UINT32_MAX % device->block_size;
    uint32_t limit;

    if (device->max_request_blocks == 0 ||
        !checked_multiply_u32(device->max_request_blocks, device->block_size, &limit)) {
        return largest;
    }
    return limit;
}

enum storage_step storage_begin_range(struct storage_command *storage, const struct scsi_device *device,
                                      enum io_operation operation, uint64_t lba, uint32_t blocks)
{
    storage->request.operation = operation;
    storage->request_max = storage_request_max(device);
    if (storage->kind == STORAGE_PATTERN) {
        storage->request_max = storage_least(storage->request_max, STORAGE_PATTERN_MAX);
    }
    storage->range_offset = lba * device->block_size;
    storage->range_length = (uint64_t)blocks * device->block_size;
    next_of_range(storage);
    return STORAGE_REQUEST;
}

static ALWAYS_INLINE enum storage_step begin_transfer(struct storage_command *storage, const struct scsi_device *device,
                                                      const struct scsi_command *command, enum io_operation operation,
                                                      uint32_t data_length, struct scsi_sense *sense)
{
    uint64_t length = (uint64_t)command->blocks * device->block_size;
    uint64_t block_count = device_blocks(device);

    if (!checked_range(command->lba, command->blocks, block_count)) {
        return storage_refuse_range(sense, command->lba, block_count);
    }
    if (command->blocks > device->max_transfer_blocks || length > data_length) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    if (length == 0) {
        return STORAGE_DONE;
    }
    storage->data_length = (uint32_t)length;
    return storage_begin_range(storage, device, operation, command->lba, command->blocks);
}

/* SBC-3, "READ (10) command": FUA reads from the medium. To a backend without FUA it means nothing. */
static enum storage_step begin_read(struct storage_command *storage, const struct scsi_device *device,
                                    const struct scsi_command *command, uint32_t data_length, struct scsi_sense *sense)
{
    enum storage_step step = begin_transfer(storage, device, command, IO_READ, data_length, sense);

    if (command->fua && device->fua && !device->fua_by_flush) {
        storage->request.flags |= IO_FUA;
    }
    return step;
}

RARE enum storage_step storage_write_through(struct storage_command *storage, const struct scsi_device *device)
{
    if (device->fua && !device->fua_by_flush) {
        storage->request.flags |= IO_FUA;
    } else {
        storage->ends_with_flush = device->write_cache;
    }
    return STORAGE_REQUEST;
}

static enum storage_step begin_write(struct storage_command *storage, const struct scsi_device *device,
                                     const struct scsi_command *command, uint32_t data_length, struct scsi_sense *sense)
{
    enum storage_step step;

    if (device->read_only) {
        return storage_refuse_write(sense);
    }
    step = begin_transfer(storage, device, command, IO_WRITE, data_length, sense);
    if (step == STORAGE_REQUEST && (device_writes_through(device) || (command->fua && device->fua))) {
        return storage_write_through(storage, device);
    }
    return step;
}

/* SBC-3, "WRITE AND VERIFY (10) command": what is on the medium is to be verified, so it has to be there. */
static RARE enum storage_step begin_write_and_verify(struct storage_command *storage, const struct scsi_device *device,
                                                     const struct scsi_command *command, const uint8_t *data,
                                                     uint32_t data_length, struct scsi_sense *sense)
{
    enum storage_step step = begin_write(storage, device, command, data_length, sense);

    if (step != STORAGE_REQUEST) {
        return step;
    }
    storage_write_through(storage, device);
    return command->byte_check == BYTE_CHECK_NONE
               ? STORAGE_REQUEST
               : storage_compare_afterwards(storage, device, command, data, data_length, sense);
}

/* A backend flushes the whole disk or nothing. */
enum storage_step storage_begin_flush(struct storage_command *storage, const struct scsi_device *device)
{
    if (!device->write_cache || device->read_only) {
        return STORAGE_DONE;
    }
    storage->request.operation = IO_FLUSH;
    return STORAGE_REQUEST;
}

static enum storage_step begin_synchronize(struct storage_command *storage, const struct scsi_device *device,
                                           const struct scsi_command *command, struct scsi_sense *sense)
{
    uint64_t block_count = device_blocks(device);

    if (device->read_only) {
        return storage_refuse_write(sense);
    }
    if (!checked_range(command->lba, command->blocks, block_count)) {
        return storage_refuse_range(sense, command->lba, block_count);
    }
    return storage_begin_flush(storage, device);
}

/* Not all of it: what only some commands use, they fill first, and most READs and WRITEs are short of time. */
static void clear(struct storage_command *storage)
{
    storage->request = (struct io_request){0};
    storage->data_length = 0;
    storage->data_offset = 0;
    storage->range_length = 0;
    storage->ends_with_flush = false;
    storage->kind = STORAGE_PLAIN;
    storage->descriptors_left = 0;
}

enum storage_step storage_begin(struct storage_command *storage, struct scsi_device *device,
                                const struct scsi_command *command, uint8_t *data, uint32_t data_length,
                                struct scsi_sense *sense)
{
    clear(storage);
    switch (command->operation) {
    case SCSI_READ:
        return begin_read(storage, device, command, data_length, sense);
    case SCSI_WRITE:
        return begin_write(storage, device, command, data_length, sense);
    case SCSI_WRITE_AND_VERIFY:
        return begin_write_and_verify(storage, device, command, data, data_length, sense);
    case SCSI_VERIFY:
        return storage_begin_verify(storage, device, command, data, data_length, sense);
    case SCSI_SYNCHRONIZE_CACHE:
        return begin_synchronize(storage, device, command, sense);
    case SCSI_STOP_UNIT:
        return command->no_flush ? STORAGE_DONE : storage_begin_flush(storage, device);
    case SCSI_UNMAP:
        return storage_begin_unmap(storage, device, command, data, data_length, sense);
    case SCSI_WRITE_SAME:
        return storage_begin_same(storage, device, command, data, data_length, sense);
    case SCSI_PREFETCH:
        return storage_begin_prefetch(storage, device, command, sense);
    case SCSI_GET_LBA_STATUS:
        return storage_begin_status(storage, device, command, data, data_length, sense);
    case SCSI_LOG_SENSE_PROVISIONING:
        return storage_begin_count(storage, device, command, data, data_length, sense);
    case SCSI_MODE_SELECT_6:
    case SCSI_MODE_SELECT_10:
        return storage_begin_select(storage, device, command, data, data_length, sense);
    case SCSI_PERSISTENT_RESERVE_IN:
        return storage_begin_reserve_in(storage, device, command, data, data_length, sense);
    case SCSI_PERSISTENT_RESERVE_OUT:
        return storage_begin_reserve_out(storage, device, command, data, data_length, sense);
    case SCSI_TEST_UNIT_READY:
    case SCSI_REQUEST_SENSE:
    case SCSI_INQUIRY:
    case SCSI_MODE_SENSE_6:
    case SCSI_MODE_SENSE_10:
    case SCSI_READ_CAPACITY_10:
    case SCSI_READ_CAPACITY_16:
    case SCSI_REPORT_LUNS:
    case SCSI_START_UNIT:
    case SCSI_ALLOW_MEDIUM_REMOVAL:
    case SCSI_LOG_SENSE:
    case SCSI_REPORT_OPERATION_CODES:
    case SCSI_REPORT_TASK_FUNCTIONS:
        break;
    }
    return storage_refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
}

static RARE enum storage_step next(struct storage_command *storage, struct scsi_sense *sense)
{
    if (storage->kind == STORAGE_COMPARES) {
        return storage_next_compared(storage, sense);
    }
    while (storage->range_length == 0) {
        if (storage->descriptors_left == 0) {
            return STORAGE_DONE; /* the last descriptors were empty */
        }
        if (!storage_take_descriptor(storage, sense)) {
            return STORAGE_REFUSED;
        }
    }
    next_of_range(storage);
    return STORAGE_REQUEST;
}

/* After the last range. */
static enum storage_step end(struct storage_command *storage)
{
    if (!storage->ends_with_flush || storage->request.operation == IO_FLUSH) {
        return storage->kind == STORAGE_WRITES_FIRST ? storage_compare_written(storage) : STORAGE_DONE;
    }
    storage->request.operation = IO_FLUSH;
    storage->request.flags = 0;
    storage->request.offset = 0;
    storage->request.length = 0;
    return STORAGE_REQUEST;
}

enum storage_step storage_next(struct storage_command *storage, struct scsi_sense *sense)
{
    if (storage->kind == STORAGE_COUNTS) {
        return storage_next_count(storage);
    }
    if (storage->range_length == 0 && storage->descriptors_left == 0) {
        return end(storage);
    }
    return next(storage, sense);
}

void storage_extent(struct storage_command *storage, uint64_t length, bool is_allocated)
{
    if (storage->kind == STORAGE_COUNTS) {
        used_blocks_add(&storage->count.used, length, is_allocated);
    } else if (storage->request.operation == IO_BLOCK_STATUS) {
        lba_status_add(&storage->status, length, is_allocated);
    }
}

bool storage_counts(const struct storage_command *storage)
{
    return storage->kind == STORAGE_COUNTS;
}

void storage_give_up(struct storage_command *storage)
{
    storage->count.is_given_up = true;
}

bool storage_has_answer(const struct storage_command *storage)
{
    return storage->kind == STORAGE_ANSWERS || storage->kind == STORAGE_COUNTS ||
           storage->kind == STORAGE_RESERVE_ANSWERS;
}

uint8_t *storage_reservation_data(const struct storage_command *storage)
{
    bool reserves = storage->kind == STORAGE_RESERVES || storage->kind == STORAGE_RESERVE_ANSWERS;

    return reserves ? storage->reservation_data : NULL;
}

bool storage_compares(const struct storage_command *storage)
{
    return storage->kind == STORAGE_COMPARES;
}

bool storage_writes_pattern(const struct storage_command *storage)
{
    return storage->kind == STORAGE_PATTERN;
}

uint32_t storage_answer_length(const struct storage_command *storage)
{
    if (storage->kind == STORAGE_COUNTS) {
        return storage_finish_count(storage);
    }
    return storage->kind == STORAGE_RESERVE_ANSWERS ? storage->request.length : lba_status_finish(&storage->status);
}

bool storage_error_matters(const struct storage_command *storage)
{
    return storage->request.operation != IO_CACHE;
}

/* Makes the whole range the one in hand again, as it was before its first request. */
static void rewind(struct storage_command *storage, enum io_operation operation, uint32_t flags, uint64_t length)
{
    storage->range_offset -= length - storage->range_length;
    storage->range_length = length;
    storage->request.operation = operation;
    storage->request.flags = flags;
    next_of_range(storage);
}

void storage_restart(struct storage_command *storage)
{
    if (storage->kind == STORAGE_COUNTS) {
        storage_restart_count(storage);
    } else if (storage->request.operation == IO_BLOCK_STATUS) {
        lba_status_restart(&storage->status);
    }
    if (!storage->ends_with_flush) {
        return;
    }
    if (storage->kind == STORAGE_ZEROES) {
        rewind(storage, IO_WRITE_ZEROES, storage->same_flags, storage->same_length);
    } else if (storage->kind == STORAGE_PATTERN) {
        rewind(storage, IO_WRITE, 0, storage->same_length);
    } else {
        rewind(storage, IO_WRITE, 0, storage->data_length);
    }
}
