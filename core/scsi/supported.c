/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/supported.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"

#include <stdbool.h>
#include <stddef.h>

/* REPORTING OPTIONS (SPC-4, "REPORT SUPPORTED OPERATION CODES command") */
#define OPTION_ALL            0
#define OPTION_WITHOUT_ACTION 1
#define OPTION_WITH_ACTION    2
#define OPTION_EITHER         3

/* One command parameter data: SUPPORT, CTDP; all commands: SERVACTV, CTDP */
#define NOT_SUPPORTED     0x01
#define AS_THE_STANDARD   0x03
#define ONE_HAS_TIMEOUTS  0x80
#define ALL_HAS_ACTION    0x01
#define ALL_HAS_TIMEOUTS  0x02
#define DESCRIPTOR_LENGTH 8
#define TIMEOUTS_LENGTH   12

struct supported {
    uint8_t code;
    bool has_action;
    uint8_t action;
    uint8_t length;
    uint8_t operation; /* enum scsi_operation */
    uint8_t usage[SCSI_CDB_MAX - 1];
};

#define WITHOUT_ACTION(code, length, operation, ...)      {code, false, 0, length, operation, {__VA_ARGS__}},
#define WITH_ACTION(code, action, length, operation, ...) {code, true, action, length, operation, {__VA_ARGS__}},

static const struct supported commands[] = {SCSI_OPCODES(WITHOUT_ACTION) SCSI_ACTIONS(WITH_ACTION)};

static bool has_command(const struct scsi_device *device, const struct supported *entry)
{
    switch (entry->operation) {
    case SCSI_UNMAP:
        return device->unmap;
    case SCSI_WRITE_SAME:
        return device_has_write_same(device);
    case SCSI_PERSISTENT_RESERVE_IN:
    case SCSI_PERSISTENT_RESERVE_OUT:
        return device->persistent_reservations;
    case SCSI_PREFETCH:
        return device->cache;
    case SCSI_GET_LBA_STATUS:
        return device->block_status || device->unmap;
    default:
        return true;
    }
}

/* SPC-4, "Command timeouts descriptor". Zero: no time is indicated, because it is the server that decides. */
static uint32_t add_timeouts(uint8_t *bytes)
{
    store_be16(bytes, TIMEOUTS_LENGTH - 2);
    return TIMEOUTS_LENGTH;
}

static uint32_t add_descriptor(const struct supported *entry, bool timeouts, uint8_t *bytes)
{
    bytes[0] = entry->code;
    store_be16(bytes + 2, entry->action);
    bytes[5] = (uint8_t)((entry->has_action ? ALL_HAS_ACTION : 0) | (timeouts ? ALL_HAS_TIMEOUTS : 0));
    store_be16(bytes + 6, entry->length);
    return DESCRIPTOR_LENGTH + (timeouts ? add_timeouts(bytes + DESCRIPTOR_LENGTH) : 0);
}

static uint32_t report_all(const struct scsi_device *device, bool timeouts, uint8_t *bytes)
{
    uint32_t length = 4;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (has_command(device, &commands[i])) {
            length += add_descriptor(&commands[i], timeouts, bytes + length);
        }
    }
    store_be32(bytes, length - 4);
    return length;
}

/* Whether the disk has the code at all, and then whether with service actions. */
static bool find_code(const struct scsi_device *device, uint8_t code, bool *has_actions)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].code == code && has_command(device, &commands[i])) {
            *has_actions = commands[i].has_action;
            return true;
        }
    }
    return false;
}

/* NULL: the disk has not got it. A code without service actions has action 0. */
static const struct supported *find(const struct scsi_device *device, uint8_t code, uint16_t action)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].code == code && commands[i].action == action && has_command(device, &commands[i])) {
            return &commands[i];
        }
    }
    return NULL;
}

/* What the disk has not got of byte 1: FUA and DPO where MODE SENSE does not say DPOFUA. */
static uint8_t usage_missing(const struct scsi_device *device, const struct supported *entry)
{
    switch (entry->operation) {
    case SCSI_READ:
    case SCSI_WRITE:
        return entry->length == 6 || device->fua ? 0 : 0x18;
    default:
        return 0;
    }
}

static void write_usage(const struct scsi_device *device, const struct supported *entry, uint8_t *usage)
{
    usage[0] = entry->code;
    memcpy(usage + 1, entry->usage, entry->length - 1u);
    usage[1] &= (uint8_t)~usage_missing(device, entry);
}

static uint32_t report_one(const struct scsi_device *device, const struct supported *entry, bool timeouts,
                           uint8_t *bytes)
{
    uint32_t length;

    if (entry == NULL) {
        bytes[1] = NOT_SUPPORTED;
        return 4;
    }
    length = 4u + entry->length;
    bytes[1] = AS_THE_STANDARD;
    store_be16(bytes + 2, entry->length);
    write_usage(device, entry, bytes + 4);
    if (timeouts) {
        bytes[1] |= ONE_HAS_TIMEOUTS;
        length += add_timeouts(bytes + length);
    }
    return length;
}

uint32_t supported_operation_codes(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes,
                                   struct scsi_sense *sense)
{
    uint8_t option = command->select_report;
    uint16_t action = option == OPTION_WITHOUT_ACTION ? 0 : command->service_action;
    bool has_actions;

    if (option == OPTION_ALL) {
        return report_all(device, command->extended, bytes);
    }
    if (option != OPTION_EITHER && find_code(device, command->operation_code, &has_actions) &&
        has_actions != (option == OPTION_WITH_ACTION)) {
        *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
        return 0;
    }
    return report_one(device, find(device, command->operation_code, action), command->extended, bytes);
}

/*
 * SPC-4, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS command": ABORT TASK and LOGICAL UNIT RESET, and TARGET RESET,
 * obsolete there but what Storport means by resetting a device. No time is said in the extended data (TMFTMOV 0).
 */
uint32_t supported_task_functions(const struct scsi_command *command, uint8_t *bytes)
{
    bytes[0] = 0x80 | 0x08 | 0x02; /* ATS, LURS, TRS */
    if (!command->extended) {
        return 4;
    }
    bytes[3] = 12;
    return 16;
}
