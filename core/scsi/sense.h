/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCSI status and sense data (SPC-4, 4.5).
 */
#ifndef WNBD_CORE_SCSI_SENSE_H
#define WNBD_CORE_SCSI_SENSE_H

#include <stdbool.h>
#include <stdint.h>

/* Status byte (SAM-5, 5.3.1). */
#define SCSI_STATUS_GOOD                 0x00
#define SCSI_STATUS_CHECK_CONDITION      0x02
#define SCSI_STATUS_BUSY                 0x08
#define SCSI_STATUS_RESERVATION_CONFLICT 0x18

/* Sense keys (SPC-4, "Sense key and additional sense code definitions"). */
#define SENSE_KEY_NO_SENSE        0x00
#define SENSE_KEY_RECOVERED_ERROR 0x01
#define SENSE_KEY_NOT_READY       0x02
#define SENSE_KEY_MEDIUM_ERROR    0x03
#define SENSE_KEY_HARDWARE_ERROR  0x04
#define SENSE_KEY_ILLEGAL_REQUEST 0x05
#define SENSE_KEY_UNIT_ATTENTION  0x06
#define SENSE_KEY_DATA_PROTECT    0x07
#define SENSE_KEY_ABORTED_COMMAND 0x0B
#define SENSE_KEY_MISCOMPARE      0x0E

/* Why a command was not carried out. All zero: there is nothing to say. */
struct scsi_sense {
    uint8_t key;
    uint8_t asc;  /* additional sense code */
    uint8_t ascq; /* its qualifier */
    bool information_valid;
    uint64_t information; /* usually the LBA the command stopped at */
};

/* Additional sense codes as 0xAABB, ASC and ASCQ (SPC-4, annex D); the argument of sense_make. */
enum scsi_asc {
    ASC_NONE = 0x0000,
    ASC_NOT_READY_BECOMING_READY = 0x0401,
    ASC_NOT_READY_COMMUNICATION_FAILURE = 0x0800, /* logical unit communication failure */
    ASC_WRITE_ERROR = 0x0C00,
    ASC_UNRECOVERED_READ_ERROR = 0x1100,
    ASC_PARAMETER_LIST_LENGTH_ERROR = 0x1A00,
    ASC_MISCOMPARE_DURING_VERIFY = 0x1D00,
    ASC_INVALID_COMMAND_OPERATION_CODE = 0x2000,
    ASC_LBA_OUT_OF_RANGE = 0x2100,
    ASC_INVALID_FIELD_IN_CDB = 0x2400,
    ASC_INVALID_FIELD_IN_PARAMETER_LIST = 0x2600,
    ASC_WRITE_PROTECTED = 0x2700,
    ASC_SPACE_ALLOCATION_FAILED = 0x2707,
    ASC_POWER_ON_OR_RESET = 0x2900, /* power on, reset, or bus device reset occurred */
    ASC_BUS_RESET = 0x2902,         /* SCSI bus reset occurred */
    ASC_UNIT_RESET = 0x2903,        /* bus device reset function occurred */
    ASC_MODE_PARAMETERS_CHANGED = 0x2A01,
    ASC_CAPACITY_DATA_HAS_CHANGED = 0x2A09,
    ASC_SAVING_PARAMETERS_NOT_SUPPORTED = 0x3900,
    ASC_INTERNAL_TARGET_FAILURE = 0x4400,
    ASC_COMMAND_TIMEOUT = 0x2E02, /* command timeout during processing */
    ASC_INSUFFICIENT_RESOURCES = 0x5503,
};

/* Sense with a key and an additional sense code, without information. */
struct scsi_sense sense_make(uint8_t key, enum scsi_asc asc);

/* The same with the information field. */
struct scsi_sense sense_make_with_information(uint8_t key, enum scsi_asc asc, uint64_t information);

#define SENSE_FIXED_LENGTH      18
#define SENSE_DESCRIPTOR_LENGTH 20 /* at most: header and, when there is information, its descriptor */

/*
 * Writes fixed-format sense data, current error (SPC-4, 4.5.3), truncated to `capacity`, and answers how many bytes
 * were written. An information value above 2^32 - 1 does not fit this format: its VALID bit is then 0.
 */
uint32_t sense_write_fixed(const struct scsi_sense *sense, uint8_t *bytes, uint32_t capacity);

/* The same in descriptor format (SPC-4, 4.5.2). */
uint32_t sense_write_descriptor(const struct scsi_sense *sense, uint8_t *bytes, uint32_t capacity);

/* The same in either format: D_SENSE of the control mode page for autosense, DESC for REQUEST SENSE. */
uint32_t sense_write(const struct scsi_sense *sense, bool descriptor, uint8_t *bytes, uint32_t capacity);

#endif
