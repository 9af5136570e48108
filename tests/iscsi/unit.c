/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/iscsi/unit.h"

#include <string.h>

/* As many as the driver has room for. */
#define UNMAP_DESCRIPTORS 256

/* Bytes. More than the driver takes: the suite sends that much at once, whatever the block limits say. */
#define TRANSFER_MAX (32u << 20)

static void set_identity(struct scsi_device *device)
{
    static const char serial[] = "wnbd-iscsi-test";
    static const uint8_t naa[SCSI_NAA_MAX] = {0x6F, 0x0E, 0x1D, 0x2C, 0x3B, 0x4A, 0x59, 0x68,
                                              0x77, 0x86, 0x95, 0xA4, 0xB3, 0xC2, 0xD1, 0xE0};

    memcpy(device->revision, "0.8 ", sizeof device->revision);
    device->serial_length = sizeof serial - 1;
    memcpy(device->serial, serial, sizeof serial - 1);
    device->naa_length = sizeof naa;
    memcpy(device->naa, naa, sizeof naa);
}

static void set_limits(struct scsi_device *device)
{
    device->physical_block_exponent = device->block_size == 512 ? 3 : 0;
    device->max_transfer_blocks = TRANSFER_MAX / device->block_size;
    device->max_write_same_blocks = (uint32_t)device->block_count;
    device->max_unmap_blocks = UINT32_MAX;
    device->max_unmap_descriptors = UNMAP_DESCRIPTORS;
    device->unmap_granularity_blocks = 4096 / device->block_size;
}

bool unit_init(struct unit *unit, uint64_t size, uint32_t block_size, bool read_only)
{
    struct scsi_device *device = &unit->device;

    memset(unit, 0, sizeof *unit);
    device->block_size = block_size;
    device->block_count = size / block_size;
    device->read_only = read_only;
    device->write_cache = device->fua = true;
    device->unmap = device->write_zeroes = true;
    device->cache = device->block_status = device->byte_check = device->pattern = true;
    device->threshold_exponent = device_threshold_exponent(device->block_count);
    set_limits(device);
    set_identity(device);
    return memory_init(&unit->memory, size, block_size);
}

void unit_reset(struct unit *unit, enum scsi_attention attention)
{
    device_reset_modes(&unit->device);
    unit->attentions |= attention;
}

static void refuse(const struct unit *unit, const struct scsi_sense *sense, struct scsi_result *result)
{
    memset(result, 0, sizeof *result);
    result->status = SCSI_STATUS_CHECK_CONDITION;
    result->sense = *sense;
    result->descriptor_sense = device_descriptor_sense(&unit->device);
}

static enum scsi_attention take_attention(struct unit *unit)
{
    enum scsi_attention attention = attention_first(unit->attentions);

    unit->attentions &= ~(uint32_t)attention;
    return attention;
}

static bool tells_attention(struct unit *unit, const struct scsi_command *command, struct scsi_sense *sense)
{
    if (unit->attentions == 0 || !attention_is_reported_by(command)) {
        return false;
    }
    *sense = attention_sense(take_attention(unit));
    return true;
}

static void execute_emulated(struct unit *unit, const struct scsi_command *command, uint8_t *data, uint32_t length,
                             struct scsi_result *result)
{
    if (command->operation == SCSI_REQUEST_SENSE) {
        emulate_request_sense(command, take_attention(unit), data, length, result);
    } else {
        emulate(&unit->device, command, data, length, result);
    }
}

static uint8_t *data_of(struct unit *unit, uint8_t *data)
{
    if (storage_compares(&unit->command)) {
        return unit->compare;
    }
    return storage_writes_pattern(&unit->command) ? unit->pattern : data + unit->command.data_offset;
}

static enum storage_step carry_out(struct unit *unit, uint8_t *data, struct scsi_sense *sense)
{
    struct storage_command *command = &unit->command;

    memory_carry_out(&unit->memory, command, data_of(unit, data));
    return storage_next(command, sense);
}

static void execute_storage(struct unit *unit, const struct scsi_command *command, uint8_t *data, uint32_t length,
                            struct scsi_result *result)
{
    bool transfers = command->operation == SCSI_READ || command->operation == SCSI_WRITE ||
                     command->operation == SCSI_WRITE_AND_VERIFY;
    enum storage_step step;
    struct scsi_sense sense;

    unit->command.compare = unit->compare;
    step = storage_begin(&unit->command, &unit->device, command, data, length, &sense);
    result->transferred = transfers ? unit->command.data_length : length;
    if (step == STORAGE_REQUEST && storage_writes_pattern(&unit->command)) {
        storage_put_pattern(&unit->command, unit->pattern);
    }
    while (step == STORAGE_REQUEST) {
        step = carry_out(unit, data, &sense);
    }
    if (step == STORAGE_REFUSED) {
        refuse(unit, &sense, result);
    } else if (storage_has_answer(&unit->command)) {
        result->transferred = storage_answer_length(&unit->command);
    }
}

void unit_execute(struct unit *unit, const uint8_t *cdb, size_t cdb_length, uint8_t *data, uint32_t data_length,
                  struct scsi_result *result)
{
    struct scsi_command command;
    struct scsi_sense sense;

    memset(result, 0, sizeof *result);
    if (!cdb_decode(cdb, cdb_length, &command, &sense) || tells_attention(unit, &command, &sense)) {
        refuse(unit, &sense, result);
    } else if (command_needs_storage(&command)) {
        execute_storage(unit, &command, data, data_length, result);
    } else {
        execute_emulated(unit, &command, data, data_length, result);
    }
}
