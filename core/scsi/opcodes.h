/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every command there is: what cdb.c decodes and supported.c reports. A row is
 *
 *     ROW(operation code, bytes of its CDB, enum scsi_operation, usage ...)
 *     ROW(operation code, service action, bytes of its CDB, enum scsi_operation, usage ...)
 *
 * with the usage of the CDB from its byte 1 on (SPC-4, "REPORT SUPPORTED OPERATION CODES command"): a bit that is 1 is
 * looked at, if only to refuse it or because the standard lets a hint be followed or not; one that is 0 is ignored.
 */
#ifndef WNBD_CORE_SCSI_OPCODES_H
#define WNBD_CORE_SCSI_OPCODES_H

#define SCSI_CDB_MAX 16

#define USAGE_CONTROL 0x04 /* NACA: refused */
#define USAGE_2       0xFF, 0xFF
#define USAGE_3       USAGE_2, 0xFF
#define USAGE_4       USAGE_2, USAGE_2
#define USAGE_8       USAGE_4, USAGE_4

/* Byte 1 of commands that transfer or verify: protection, DPO, FUA or BYTCHK. */
#define USAGE_TRANSFER 0xF8
#define USAGE_VERIFY   0xF6

/* Without service actions. START STOP UNIT is either of two operations. */
#define SCSI_OPCODES(ROW)                                                                                              \
    ROW(0x00, 6, SCSI_TEST_UNIT_READY, 0, 0, 0, 0, USAGE_CONTROL)                                                      \
    ROW(0x03, 6, SCSI_REQUEST_SENSE, 0x01, 0, 0, 0xFF, USAGE_CONTROL)                                                  \
    ROW(0x08, 6, SCSI_READ, 0x1F, USAGE_3, USAGE_CONTROL)                                                              \
    ROW(0x0A, 6, SCSI_WRITE, 0x1F, USAGE_3, USAGE_CONTROL)                                                             \
    ROW(0x12, 6, SCSI_INQUIRY, 0x03, USAGE_3, USAGE_CONTROL)                                                           \
    ROW(0x15, 6, SCSI_MODE_SELECT_6, 0x13, 0, 0, 0xFF, USAGE_CONTROL)                                                  \
    ROW(0x1A, 6, SCSI_MODE_SENSE_6, 0x08, USAGE_3, USAGE_CONTROL)                                                      \
    ROW(0x1B, 6, SCSI_START_UNIT, 0x01, 0, 0, 0xF7, USAGE_CONTROL)                                                     \
    ROW(0x1E, 6, SCSI_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 0x03, USAGE_CONTROL)                                              \
    ROW(0x25, 10, SCSI_READ_CAPACITY_10, 0, USAGE_4, 0, 0, 0x01, USAGE_CONTROL)                                        \
    ROW(0x28, 10, SCSI_READ, USAGE_TRANSFER, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                                       \
    ROW(0x2A, 10, SCSI_WRITE, USAGE_TRANSFER, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                                      \
    ROW(0x2E, 10, SCSI_WRITE_AND_VERIFY, USAGE_VERIFY, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                             \
    ROW(0x2F, 10, SCSI_VERIFY, USAGE_VERIFY, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                                       \
    ROW(0x34, 10, SCSI_PREFETCH, 0x02, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                                             \
    ROW(0x35, 10, SCSI_SYNCHRONIZE_CACHE, 0x02, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                                    \
    ROW(0x41, 10, SCSI_WRITE_SAME, 0xFF, USAGE_4, 0, USAGE_2, USAGE_CONTROL)                                           \
    ROW(0x42, 10, SCSI_UNMAP, 0x01, 0, 0, 0, 0, 0, USAGE_2, USAGE_CONTROL)                                             \
    ROW(0x4D, 10, SCSI_LOG_SENSE, 0x03, USAGE_2, 0, USAGE_2, USAGE_2, USAGE_CONTROL)                                   \
    ROW(0x55, 10, SCSI_MODE_SELECT_10, 0x13, 0, 0, 0, 0, 0, USAGE_2, USAGE_CONTROL)                                    \
    ROW(0x5A, 10, SCSI_MODE_SENSE_10, 0x18, USAGE_2, 0, 0, 0, USAGE_2, USAGE_CONTROL)                                  \
    ROW(0x88, 16, SCSI_READ, USAGE_TRANSFER, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                       \
    ROW(0x8A, 16, SCSI_WRITE, USAGE_TRANSFER, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                      \
    ROW(0x8E, 16, SCSI_WRITE_AND_VERIFY, USAGE_VERIFY, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                             \
    ROW(0x8F, 16, SCSI_VERIFY, USAGE_VERIFY, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                       \
    ROW(0x90, 16, SCSI_PREFETCH, 0x02, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                             \
    ROW(0x91, 16, SCSI_SYNCHRONIZE_CACHE, 0x02, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                    \
    ROW(0x93, 16, SCSI_WRITE_SAME, 0xFF, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                           \
    ROW(0xA0, 12, SCSI_REPORT_LUNS, 0, 0xFF, 0, 0, 0, USAGE_4, 0, USAGE_CONTROL)                                       \
    ROW(0xA8, 12, SCSI_READ, USAGE_TRANSFER, USAGE_4, USAGE_4, 0, USAGE_CONTROL)                                       \
    ROW(0xAA, 12, SCSI_WRITE, USAGE_TRANSFER, USAGE_4, USAGE_4, 0, USAGE_CONTROL)                                      \
    ROW(0xAE, 12, SCSI_WRITE_AND_VERIFY, USAGE_VERIFY, USAGE_4, USAGE_4, 0, USAGE_CONTROL)                             \
    ROW(0xAF, 12, SCSI_VERIFY, USAGE_VERIFY, USAGE_4, USAGE_4, 0, USAGE_CONTROL)

/* With service actions, which are the low 5 bits of byte 1: there the usage has the action itself. */
#define SCSI_ACTIONS(ROW)                                                                                              \
    ROW(0x5E, 0x00, 10, SCSI_PERSISTENT_RESERVE_IN, 0x00, 0, 0, 0, 0, 0, USAGE_2, USAGE_CONTROL)                       \
    ROW(0x5E, 0x01, 10, SCSI_PERSISTENT_RESERVE_IN, 0x01, 0, 0, 0, 0, 0, USAGE_2, USAGE_CONTROL)                       \
    ROW(0x5E, 0x02, 10, SCSI_PERSISTENT_RESERVE_IN, 0x02, 0, 0, 0, 0, 0, USAGE_2, USAGE_CONTROL)                       \
    ROW(0x5E, 0x03, 10, SCSI_PERSISTENT_RESERVE_IN, 0x03, 0, 0, 0, 0, 0, USAGE_2, USAGE_CONTROL)                       \
    ROW(0x5F, 0x00, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x00, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x01, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x01, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x02, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x02, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x03, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x03, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x04, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x04, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x05, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x05, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x06, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x06, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x07, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x07, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x5F, 0x08, 10, SCSI_PERSISTENT_RESERVE_OUT, 0x08, 0xFF, 0, 0, USAGE_4, USAGE_CONTROL)                         \
    ROW(0x9E, 0x10, 16, SCSI_READ_CAPACITY_16, 0x10, USAGE_8, USAGE_4, 0x01, USAGE_CONTROL)                            \
    ROW(0x9E, 0x12, 16, SCSI_GET_LBA_STATUS, 0x12, USAGE_8, USAGE_4, 0, USAGE_CONTROL)                                 \
    ROW(0xA3, 0x0C, 12, SCSI_REPORT_OPERATION_CODES, 0x0C, 0x87, USAGE_3, USAGE_4, 0, USAGE_CONTROL)                   \
    ROW(0xA3, 0x0D, 12, SCSI_REPORT_TASK_FUNCTIONS, 0x0D, 0x80, 0, 0, 0, USAGE_4, 0, USAGE_CONTROL)

/* How many rows both have. */
#define SCSI_COUNT_ROW(...) +1
#define SCSI_COMMANDS       (0 SCSI_OPCODES(SCSI_COUNT_ROW) SCSI_ACTIONS(SCSI_COUNT_ROW))

#endif
