/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/emulate.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/scsi/inquiry.h"
#include "core/scsi/log.h"
#include "core/scsi/mode.h"
#include "core/scsi/supported.h"

/* Every answer is made whole here first, so that nothing but the last copy has to know where the initiator's buffer
 * ends. */
#define ANSWER_MAX 1024

_Static_assert(ANSWER_MAX >= INQUIRY_ANSWER_MAX, "an INQUIRY's answer");
_Static_assert(ANSWER_MAX >= MODE_ANSWER_MAX, "a MODE SENSE's answer");
_Static_assert(ANSWER_MAX >= SUPPORTED_ANSWER_MAX, "a REPORT SUPPORTED OPERATION CODES' answer");

static bool refuse(struct scsi_sense *sense, enum scsi_asc asc)
{
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, asc);
    return false;
}

static bool inquiry(const struct scsi_device *device, const struct scsi_command *command, uint8_t *answer,
                    uint32_t *length, struct scsi_sense *sense)
{
    *length = command->evpd ? inquiry_page(device, command->page, answer) : inquiry_standard(device, answer);
    return *length != 0 || refuse(sense, ASC_INVALID_FIELD_IN_CDB);
}

/* SBC-3, "READ CAPACITY (10) command": all ones send the initiator to READ CAPACITY (16). */
static uint32_t read_capacity_10(const struct scsi_device *device, uint8_t *answer)
{
    uint64_t last = device_blocks(device) - 1;

    store_be32(answer, last < UINT32_MAX ? (uint32_t)last : UINT32_MAX);
    store_be32(answer + 4, device->block_size);
    return 8;
}

/* SBC-3, "READ CAPACITY (16) command". Physical blocks begin at LBA 0. */
static uint32_t read_capacity_16(const struct scsi_device *device, uint8_t *answer)
{
    store_be64(answer, device_blocks(device) - 1);
    store_be32(answer + 8, device->block_size);
    answer[13] = device->physical_block_exponent & 0x0F;
    answer[14] = device->unmap ? 0x80 : 0x00; /* LBPME */
    return 32;
}

/* SPC-4, "REPORT LUNS command": a target has LUN 0, all zero in the list, and no well known logical units. */
static uint32_t report_luns(const struct scsi_command *command, uint8_t *answer)
{
    uint32_t list_length = command->select_report == 1 ? 0 : 8;

    store_be32(answer, list_length);
    return 8 + list_length;
}

static uint32_t request_sense(const struct scsi_command *command, enum scsi_attention attention, uint8_t *answer,
                              uint32_t room)
{
    const struct scsi_sense sense = attention_sense(attention);

    return sense_write(&sense, command->descriptor_sense, answer, room);
}

/* `answer` is ANSWER_MAX zeroed bytes. False: refused. */
static bool make_answer(const struct scsi_device *device, const struct scsi_command *command, uint8_t *answer,
                        uint32_t *length, struct scsi_sense *sense)
{
    switch (command->operation) {
    case SCSI_TEST_UNIT_READY:
    case SCSI_START_UNIT:
    case SCSI_ALLOW_MEDIUM_REMOVAL:
        return true;
    case SCSI_REQUEST_SENSE:
        *length = request_sense(command, ATTENTION_NONE, answer, ANSWER_MAX);
        return true;
    case SCSI_INQUIRY:
        return inquiry(device, command, answer, length, sense);
    case SCSI_MODE_SENSE_6:
    case SCSI_MODE_SENSE_10:
        *length = mode_sense(device, command, answer, sense);
        return *length != 0;
    case SCSI_LOG_SENSE:
        *length = log_sense(device, command, answer, sense);
        return *length != 0;
    case SCSI_READ_CAPACITY_10:
        *length = read_capacity_10(device, answer);
        return true;
    case SCSI_READ_CAPACITY_16:
        *length = read_capacity_16(device, answer);
        return true;
    case SCSI_REPORT_LUNS:
        *length = report_luns(command, answer);
        return true;
    case SCSI_REPORT_OPERATION_CODES:
        *length = supported_operation_codes(device, command, answer, sense);
        return *length != 0;
    case SCSI_REPORT_TASK_FUNCTIONS:
        *length = supported_task_functions(command, answer);
        return true;
    case SCSI_READ:
    case SCSI_WRITE:
    case SCSI_WRITE_AND_VERIFY:
    case SCSI_VERIFY:
    case SCSI_SYNCHRONIZE_CACHE:
    case SCSI_STOP_UNIT:
    case SCSI_UNMAP:
    case SCSI_WRITE_SAME:
    case SCSI_PREFETCH:
    case SCSI_GET_LBA_STATUS:
    case SCSI_LOG_SENSE_PROVISIONING:
    case SCSI_MODE_SELECT_6:
    case SCSI_MODE_SELECT_10:
    case SCSI_PERSISTENT_RESERVE_IN:
    case SCSI_PERSISTENT_RESERVE_OUT:
        break;
    }
    return refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
}

static uint32_t least(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

static void give(const struct scsi_command *command, const uint8_t *answer, uint32_t length, uint8_t *data,
                 uint32_t capacity, struct scsi_result *result)
{
    result->transferred = least(length, least(command->allocation_length, capacity));
    if (result->transferred != 0) {
        memcpy(data, answer, result->transferred);
    }
}

void emulate(const struct scsi_device *device, const struct scsi_command *command, uint8_t *data, uint32_t capacity,
             struct scsi_result *result)
{
    uint8_t answer[ANSWER_MAX] = {0};
    uint32_t length = 0;

    *result = (struct scsi_result){.status = SCSI_STATUS_GOOD};
    if (!make_answer(device, command, answer, &length, &result->sense)) {
        result->status = SCSI_STATUS_CHECK_CONDITION;
        result->descriptor_sense = device_descriptor_sense(device);
        return;
    }
    give(command, answer, length, data, capacity, result);
}

void emulate_request_sense(const struct scsi_command *command, enum scsi_attention attention, uint8_t *data,
                           uint32_t capacity, struct scsi_result *result)
{
    uint8_t answer[SENSE_DESCRIPTOR_LENGTH] = {0};
    uint32_t length = request_sense(command, attention, answer, sizeof(answer));

    *result = (struct scsi_result){.status = SCSI_STATUS_GOOD};
    give(command, answer, length, data, capacity, result);
}
