/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From CDB bytes to a command. CDBs of 6, 10, 12 and 16 bytes (SPC-4, 4.2.2; SBC-3, clause 5).
 */
#ifndef WNBD_CORE_SCSI_CDB_H
#define WNBD_CORE_SCSI_CDB_H

#include "core/base/compiler.h"
#include "core/scsi/sense.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scsi_operation {
    /* Answered from what the disk is: core/scsi/emulate.h. */
    SCSI_TEST_UNIT_READY,
    SCSI_REQUEST_SENSE,
    SCSI_INQUIRY,
    SCSI_MODE_SENSE_6,
    SCSI_MODE_SENSE_10,
    SCSI_READ_CAPACITY_10,
    SCSI_READ_CAPACITY_16,
    SCSI_REPORT_LUNS,
    SCSI_START_UNIT,           /* START STOP UNIT, START = 1 */
    SCSI_ALLOW_MEDIUM_REMOVAL, /* PREVENT ALLOW MEDIUM REMOVAL, PREVENT = 0 */
    SCSI_LOG_SENSE,
    SCSI_REPORT_OPERATION_CODES,
    SCSI_REPORT_TASK_FUNCTIONS,
    /* Checked against the disk and turned into requests: core/scsi/storage.h. */
    SCSI_READ,
    SCSI_WRITE,
    SCSI_WRITE_AND_VERIFY, /* what is written is on the medium afterwards */
    SCSI_VERIFY,           /* without BYTCHK: what is cached goes to the medium, which is taken to be readable */
    SCSI_SYNCHRONIZE_CACHE,
    SCSI_STOP_UNIT, /* START STOP UNIT, START = 0: what is cached goes to the medium */
    SCSI_UNMAP,
    SCSI_WRITE_SAME,
    SCSI_PREFETCH,
    SCSI_GET_LBA_STATUS,
    SCSI_LOG_SENSE_PROVISIONING, /* LOG SENSE of the page for which blocks are counted (core/scsi/log.h) */
    SCSI_MODE_SELECT_6,          /* what is cached goes to the medium when the cache is turned off */
    SCSI_MODE_SELECT_10,
    SCSI_PERSISTENT_RESERVE_IN,
    SCSI_PERSISTENT_RESERVE_OUT,
};

/* What a VERIFY or WRITE AND VERIFY compares the blocks with (SBC-3, "VERIFY (10) command", BYTCHK). */
enum scsi_byte_check {
    BYTE_CHECK_NONE = 0,
    BYTE_CHECK_BLOCKS = 1,    /* as many blocks, which are sent with it */
    BYTE_CHECK_ONE_BLOCK = 3, /* VERIFY: one block, which is sent with it: each is to be as it is */
};

/* A field that the command has not got is 0. */
struct scsi_command {
    enum scsi_operation operation;
    uint16_t service_action; /* PERSISTENT RESERVE; REPORT SUPPORTED OPERATION CODES: the one asked about */
    union {
        uint8_t operation_code; /* REPORT SUPPORTED OPERATION CODES: the one asked about */
        uint8_t scope_and_type; /* PERSISTENT RESERVE OUT: SCOPE (high 4 bits) and TYPE, also where they mean nothing */
    };
    uint8_t byte_check; /* VERIFY, WRITE AND VERIFY: enum scsi_byte_check */
    uint64_t lba;
    uint32_t blocks;            /* of all with a range; SYNCHRONIZE CACHE and PRE-FETCH: 0 is to the end */
    uint32_t allocation_length; /* bytes the initiator takes; READ CAPACITY (10), which has no such field: 8 */
    uint32_t parameter_length;  /* UNMAP, MODE SELECT, PERSISTENT RESERVE OUT: bytes of the list that is sent */
    bool fua;                   /* READ, WRITE */
    bool anchor;                /* UNMAP, WRITE SAME */
    bool unmap;                 /* WRITE SAME: the blocks may be unmapped if they read as zeroes then */
    bool no_data;               /* WRITE SAME: NDOB, zeroes are written and no block is sent */
    bool no_flush;              /* STOP UNIT: the cache may stay as it is */
    bool descriptor_sense;      /* REQUEST SENSE: DESC */
    bool evpd;                  /* INQUIRY: `page` is a VPD page code */
    uint8_t page;               /* INQUIRY, MODE SENSE, LOG SENSE */
    uint8_t subpage;            /* MODE SENSE, LOG SENSE */
    uint8_t page_control;       /* MODE SENSE: 0 current, 1 changeable, 2 default, 3 saved */
    uint8_t select_report; /* REPORT LUNS: 0 .. 2; REPORT SUPPORTED OPERATION CODES, its reporting options: 0 .. 3 */
    bool extended;         /* REPORT SUPPORTED ...: with time-outs (RCTD), with extended data (REPD) */
};

/* It is cleared for each command: its fields are ordered so that it stays short. */
_Static_assert(sizeof(struct scsi_command) == 40, "five words");

/*
 * Decodes `length` bytes at `cdb`. False: the command is refused and `*sense` says why (05/20 unknown operation code;
 * 05/24 no CDB at all, a CDB shorter than its operation code asks for, or a field that is not supported). Never reads
 * past `length`; a longer CDB is not an error, and a PERSISTENT RESERVE may be cut after 6 bytes. Whether the disk has
 * the blocks, a cache or UNMAP is not looked at here.
 */
MUST_CHECK bool cdb_decode(const uint8_t *cdb, size_t length, struct scsi_command *command, struct scsi_sense *sense);

/* Whether the command is for core/scsi/storage.h rather than core/scsi/emulate.h. */
static inline bool command_needs_storage(const struct scsi_command *command)
{
    return command->operation >= SCSI_READ;
}

#endif
