/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands with a service action. */
#include "core/scsi/cdb_internal.h"

#include "core/base/bytes.h"
#include "core/scsi/opcodes.h"

#define ACTION_MASK 0x1F /* SERVICE ACTION, in byte 1 */

/* Service actions of PERSISTENT RESERVE OUT with scope and type */
#define RESERVATION_RESERVE           0x01
#define RESERVATION_RELEASE           0x02
#define RESERVATION_PREEMPT           0x04
#define RESERVATION_PREEMPT_AND_ABORT 0x05
#define RESERVATION_REPLACE_LOST      0x08

/* SBC-2, "READ CAPACITY (16) command": PMI and the LBA as of READ CAPACITY (10). */
static bool decode_read_capacity_16(const uint8_t *cdb, struct scsi_command *command)
{
    command->allocation_length = load_be32(cdb + 10);
    return (cdb[14] & 0x01) == 0 && load_be64(cdb + 2) == 0;
}

/* SBC-3, "GET LBA STATUS command" */
static bool decode_get_lba_status(const uint8_t *cdb, struct scsi_command *command)
{
    command->lba = load_be64(cdb + 2);
    command->allocation_length = load_be32(cdb + 10);
    return true;
}

/* SPC-4, "REPORT SUPPORTED OPERATION CODES command": all, or one without, with, or with or without a service action. */
static bool decode_report_operation_codes(const uint8_t *cdb, struct scsi_command *command)
{
    command->extended = (cdb[2] & 0x80) != 0;
    command->select_report = cdb[2] & 0x07;
    command->operation_code = cdb[3];
    command->service_action = load_be16(cdb + 4);
    command->allocation_length = load_be32(cdb + 6);
    return command->select_report <= 3;
}

/* SPC-4, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS command" */
static bool decode_report_task_functions(const uint8_t *cdb, struct scsi_command *command)
{
    command->extended = (cdb[2] & 0x80) != 0;
    command->allocation_length = load_be32(cdb + 6);
    return true;
}

static bool decode_persistent_reserve_in(const uint8_t *cdb, struct scsi_command *command)
{
    command->service_action = cdb[1] & ACTION_MASK;
    command->allocation_length = load_be16(cdb + 7);
    return true;
}

/* SPC-4, "Persistent reservations scope", "type": of the logical unit; 1, 3, 5, 6, 7 and 8. */
static bool is_reservation(uint8_t scope_and_type)
{
    return scope_and_type <= 8 && (0x1EAu >> scope_and_type & 1) != 0;
}

/* SPC-4, "PERSISTENT RESERVE OUT command". Scope and type mean something where a reservation is made or released. */
static bool decode_persistent_reserve_out(const uint8_t *cdb, struct scsi_command *command)
{
    command->service_action = cdb[1] & ACTION_MASK;
    command->scope_and_type = cdb[2];
    command->parameter_length = load_be32(cdb + 5);
    switch (command->service_action) {
    case RESERVATION_RESERVE:
    case RESERVATION_RELEASE:
    case RESERVATION_PREEMPT:
    case RESERVATION_PREEMPT_AND_ABORT:
    case RESERVATION_REPLACE_LOST:
        return is_reservation(command->scope_and_type);
    default:
        return true;
    }
}

#define ACTION(code, action, length, operation, ...)                                                                   \
    case (code) << 8 | (action):                                                                                       \
        *found = operation;                                                                                            \
        return true;

/* The operation of a code with service actions. False: it has not got that action. */
static bool find_action(const uint8_t *cdb, enum scsi_operation *found)
{
    switch (cdb[0] << 8 | (cdb[1] & ACTION_MASK)) {
        SCSI_ACTIONS(ACTION)
    default:
        return false;
    }
}

bool cdb_decode_action(const uint8_t *cdb, struct scsi_command *command)
{
    if (!find_action(cdb, &command->operation)) {
        return false;
    }
    switch (command->operation) {
    case SCSI_PERSISTENT_RESERVE_IN:
        return decode_persistent_reserve_in(cdb, command);
    case SCSI_PERSISTENT_RESERVE_OUT:
        return decode_persistent_reserve_out(cdb, command);
    case SCSI_READ_CAPACITY_16:
        return decode_read_capacity_16(cdb, command);
    case SCSI_GET_LBA_STATUS:
        return decode_get_lba_status(cdb, command);
    case SCSI_REPORT_OPERATION_CODES:
        return decode_report_operation_codes(cdb, command);
    case SCSI_REPORT_TASK_FUNCTIONS:
        return decode_report_task_functions(cdb, command);
    default:
        return false; /* has no service action */
    }
}
