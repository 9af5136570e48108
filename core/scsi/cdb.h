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
    SCSI_START_STOP_UNIT,
    SCSI_VERIFY, /* without BYTCHK: the medium is taken to be readable, the range is checked */
    /* Turned into requests: core/scsi/storage.h. */
    SCSI_READ,
    SCSI_WRITE,
    SCSI_SYNCHRONIZE_CACHE,
    SCSI_UNMAP,
};

struct scsi_command {
    enum scsi_operation operation;
    uint64_t lba;
    uint32_t blocks;            /* READ, WRITE, VERIFY, SYNCHRONIZE CACHE (0 there: to the end) */
    uint32_t allocation_length; /* bytes the initiator takes; parameter list length for UNMAP */
    bool fua;                   /* READ, WRITE */
    bool descriptor_sense;      /* REQUEST SENSE: DESC */
    bool evpd;                  /* INQUIRY: `page` is a VPD page code */
    uint8_t page;               /* INQUIRY, MODE SENSE */
    uint8_t subpage;            /* MODE SENSE */
    uint8_t page_control;       /* MODE SENSE: 0 current, 1 changeable, 2 default, 3 saved */
    bool no_block_descriptors;  /* MODE SENSE: DBD */
    bool long_lba;              /* MODE SENSE 10: LLBAA */
};

/*
 * Decodes `length` bytes at `cdb`. False: the command is refused and `*sense` says why (05/20 unknown operation code,
 * 05/24 a CDB shorter than its operation code asks for, or a field that is not supported). Never reads past `length`.
 */
MUST_CHECK bool cdb_decode(const uint8_t *cdb, size_t length, struct scsi_command *command, struct scsi_sense *sense);

/* Whether the command is for core/scsi/storage.h rather than core/scsi/emulate.h. */
static inline bool command_needs_storage(const struct scsi_command *command)
{
    return command->operation >= SCSI_READ;
}

#endif
