/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/cdb.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/scsi/cdb_internal.h"
#include "core/scsi/log.h"
#include "core/scsi/opcodes.h"

/* Byte 1 of READ, WRITE and VERIFY (SBC-3, "READ (10) command" ff.) */
#define PROTECT_MASK 0xE0 /* RDPROTECT, WRPROTECT, VRPROTECT: no disk here has protection information */
#define FUA          0x08
#define BYTCHK_MASK  0x06

/* Byte 1 of WRITE SAME (SBC-3, "WRITE SAME (10) command" and "(16)") */
#define SAME_ANCHOR   0x10
#define SAME_UNMAP    0x08
#define SAME_OBSOLETE 0x06 /* PBDATA, LBDATA (SBC-2): addresses in the data, not the data that was sent */
#define SAME_RELADR   0x01 /* of the 10-byte form (SCSI-2): the LBA is not an LBA */
#define SAME_NDOB     0x01 /* of the 16-byte form */

/* Byte 1 of MODE SELECT */
#define SELECT_PF  0x10
#define SELECT_RTD 0x02
#define SELECT_SP  0x01

#define CONTROL_NACA 0x04 /* in the last byte of every CDB (SAM-5, 5.2) */

struct opcode {
    uint8_t length;    /* bytes of its CDB; 0: not one of ours */
    uint8_t operation; /* enum scsi_operation */
};

/* A code with service actions has any of its rows: all are of one length, and the action says the operation. */
#define OPCODE(code, length, operation, ...) [code] = {length, operation},

static const struct opcode opcodes[256] = {[0x5E] = {10, SCSI_PERSISTENT_RESERVE_IN},
                                           [0x5F] = {10, SCSI_PERSISTENT_RESERVE_OUT},
                                           [0x9E] = {16, SCSI_READ_CAPACITY_16},       /* SERVICE ACTION IN (16) */
                                           [0xA3] = {12, SCSI_REPORT_OPERATION_CODES}, /* MAINTENANCE IN */
                                           SCSI_OPCODES(OPCODE)};

/* The LBA and the number of blocks stand in the same places in every command of one CDB length. */
static void decode_range(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    switch (length) {
    case 6:
        command->lba = load_be24(cdb + 1) & 0x1FFFFF;
        command->blocks = cdb[4] == 0 ? 256 : cdb[4];
        break;
    case 10:
        command->lba = load_be32(cdb + 2);
        command->blocks = load_be16(cdb + 7);
        break;
    case 12:
        command->lba = load_be32(cdb + 2);
        command->blocks = load_be32(cdb + 6);
        break;
    case 16:
        command->lba = load_be64(cdb + 2);
        command->blocks = load_be32(cdb + 10);
        break;
    }
}

static bool decode_transfer(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    decode_range(cdb, length, command);
    if (length == 6) {
        return true; /* byte 1 is part of the LBA */
    }
    command->fua = (cdb[1] & FUA) != 0;
    return (cdb[1] & PROTECT_MASK) == 0;
}

static bool decode_verify(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    decode_range(cdb, length, command);
    command->byte_check = (cdb[1] & BYTCHK_MASK) >> 1;
    return (cdb[1] & PROTECT_MASK) == 0 && command->byte_check != 2; /* reserved */
}

/* SBC-3, "WRITE AND VERIFY (10) command": there is no comparison with one block. */
static bool decode_write_and_verify(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    decode_range(cdb, length, command);
    command->byte_check = (cdb[1] & BYTCHK_MASK) >> 1;
    return (cdb[1] & PROTECT_MASK) == 0 && command->byte_check <= BYTE_CHECK_BLOCKS;
}

static bool decode_write_same(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    uint8_t refused = PROTECT_MASK | SAME_OBSOLETE | (length == 10 ? SAME_RELADR : 0);

    decode_range(cdb, length, command);
    command->anchor = (cdb[1] & SAME_ANCHOR) != 0;
    command->unmap = (cdb[1] & SAME_UNMAP) != 0;
    command->no_data = length == 16 && (cdb[1] & SAME_NDOB) != 0;
    return (cdb[1] & refused) == 0;
}

/* SPC-4, "INQUIRY command". CMDDT (bit 1) is obsolete; a page code has a meaning with EVPD only. */
static bool decode_inquiry(const uint8_t *cdb, struct scsi_command *command)
{
    command->evpd = (cdb[1] & 0x01) != 0;
    command->page = cdb[2];
    command->allocation_length = load_be16(cdb + 3);
    return (cdb[1] & 0x02) == 0 && (command->evpd || command->page == 0);
}

/* SPC-4, "MODE SENSE (6) command" and "(10)". DBD and LLBAA change nothing: there are no block descriptors. */
static bool decode_mode_sense(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    command->page_control = cdb[2] >> 6;
    command->page = cdb[2] & 0x3F;
    command->subpage = cdb[3];
    command->allocation_length = length == 6 ? cdb[4] : load_be16(cdb + 7);
    return true;
}

/*
 * SPC-4, "MODE SELECT (6) command" and "(10)". Pages are in the standard's format (PF) and cannot be saved (SP); all to
 * go back to what was saved (RTD) is for disks that save.
 */
static bool decode_mode_select(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    command->parameter_length = length == 6 ? cdb[4] : load_be16(cdb + 7);
    return (cdb[1] & (SELECT_PF | SELECT_RTD | SELECT_SP)) == SELECT_PF;
}

/*
 * SPC-4, "LOG SENSE command". Nothing can be saved (SP, PPC), and a list of pages has no parameters to begin at
 * (PARAMETER POINTER). The page that has one has it alone, so that it is the first of all that are allowed.
 */
static bool decode_log_sense(const uint8_t *cdb, struct scsi_command *command)
{
    uint16_t last = 0;

    command->page_control = cdb[2] >> 6;
    command->page = cdb[2] & 0x3F;
    command->subpage = cdb[3];
    command->allocation_length = load_be16(cdb + 7);
    if (command->page == LOG_PAGE_PROVISIONING && command->subpage == 0) {
        command->operation = SCSI_LOG_SENSE_PROVISIONING;
        last = LOG_PARAMETER_USED;
    }
    return (cdb[1] & 0x03) == 0 && load_be16(cdb + 5) <= last;
}

/* SBC-2, 5.10: PMI and the LBA, obsolete in SBC-3 and zero in every command that is sent today. */
static bool decode_read_capacity_10(const uint8_t *cdb, struct scsi_command *command)
{
    command->allocation_length = 8;
    return (cdb[8] & 0x01) == 0 && load_be32(cdb + 2) == 0;
}

/* SPC-4, "REPORT LUNS command": all, well known only, or both. The rest is for targets with conglomerates. */
static bool decode_report_luns(const uint8_t *cdb, struct scsi_command *command)
{
    command->select_report = cdb[2];
    command->allocation_length = load_be32(cdb + 6);
    return command->select_report <= 2;
}

/*
 * SBC-3, "START STOP UNIT command". The medium cannot be loaded or ejected (LOEJ) and there are no power conditions
 * beside active and stopped. IMMED allows an early answer and does not ask for one.
 */
static bool decode_start_stop(const uint8_t *cdb, struct scsi_command *command)
{
    command->operation = (cdb[4] & 0x01) != 0 ? SCSI_START_UNIT : SCSI_STOP_UNIT;
    command->no_flush = (cdb[4] & 0x04) != 0;
    return (cdb[4] & 0xF0) == 0 && (cdb[4] & 0x02) == 0;
}

/* False: a field is not supported. */
static bool decode_fields(const uint8_t *cdb, uint8_t length, struct scsi_command *command)
{
    switch (command->operation) {
    case SCSI_READ:
    case SCSI_WRITE:
        return decode_transfer(cdb, length, command);
    case SCSI_VERIFY:
        return decode_verify(cdb, length, command);
    case SCSI_WRITE_AND_VERIFY:
        return decode_write_and_verify(cdb, length, command);
    case SCSI_WRITE_SAME:
        return decode_write_same(cdb, length, command);
    case SCSI_SYNCHRONIZE_CACHE:
    case SCSI_PREFETCH: /* IMMED allows an early answer; there is none, because a request ends with its command */
        decode_range(cdb, length, command);
        return true;
    case SCSI_UNMAP:
        command->anchor = (cdb[1] & 0x01) != 0;
        command->parameter_length = load_be16(cdb + 7);
        return true;
    case SCSI_TEST_UNIT_READY:
        return true;
    case SCSI_REQUEST_SENSE:
        command->descriptor_sense = (cdb[1] & 0x01) != 0;
        command->allocation_length = cdb[4];
        return true;
    case SCSI_INQUIRY:
        return decode_inquiry(cdb, command);
    case SCSI_MODE_SENSE_6:
    case SCSI_MODE_SENSE_10:
        return decode_mode_sense(cdb, length, command);
    case SCSI_MODE_SELECT_6:
    case SCSI_MODE_SELECT_10:
        return decode_mode_select(cdb, length, command);
    case SCSI_ALLOW_MEDIUM_REMOVAL:
        return (cdb[4] & 0x03) == 0; /* it cannot be removed, so to prevent that has no meaning */
    case SCSI_LOG_SENSE:
    case SCSI_LOG_SENSE_PROVISIONING:
        return decode_log_sense(cdb, command);
    case SCSI_READ_CAPACITY_10:
        return decode_read_capacity_10(cdb, command);
    case SCSI_READ_CAPACITY_16:
    case SCSI_GET_LBA_STATUS:
    case SCSI_REPORT_OPERATION_CODES:
    case SCSI_REPORT_TASK_FUNCTIONS:
    case SCSI_PERSISTENT_RESERVE_IN:
    case SCSI_PERSISTENT_RESERVE_OUT:
        return cdb_decode_action(cdb, command);
    case SCSI_REPORT_LUNS:
        return decode_report_luns(cdb, command);
    case SCSI_START_UNIT:
    case SCSI_STOP_UNIT:
        return decode_start_stop(cdb, command);
    }
    return false;
}

static RARE bool refuse(struct scsi_sense *sense, enum scsi_asc asc)
{
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, asc);
    return false;
}

/*
 * A CDB that ends too early. Programs are known to pass 6 bytes of a PERSISTENT RESERVE and to have it carried out:
 * what is not there is taken to be 0.
 */
static RARE bool decode_short(const uint8_t *cdb, size_t length, struct scsi_command *command, struct scsi_sense *sense)
{
    uint8_t whole[SCSI_CDB_MAX] = {0};

    if (length < 6 || (cdb[0] != 0x5E && cdb[0] != 0x5F)) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    memcpy(whole, cdb, length);
    return cdb_decode(whole, sizeof(whole), command, sense);
}

bool cdb_decode(const uint8_t *cdb, size_t length, struct scsi_command *command, struct scsi_sense *sense)
{
    const struct opcode *opcode;

    *command = (struct scsi_command){0};
    if (length == 0) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    opcode = &opcodes[cdb[0]];
    if (opcode->length == 0) {
        return refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
    }
    if (length < opcode->length) {
        return decode_short(cdb, length, command, sense);
    }
    if ((cdb[opcode->length - 1] & CONTROL_NACA) != 0) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    command->operation = (enum scsi_operation)opcode->operation;
    return decode_fields(cdb, opcode->length, command) || refuse(sense, ASC_INVALID_FIELD_IN_CDB);
}
