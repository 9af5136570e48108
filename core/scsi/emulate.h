/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands that are answered from what the disk is, without touching storage: INQUIRY and its VPD pages, MODE SENSE,
 * LOG SENSE, READ CAPACITY, REPORT LUNS, what is supported, and the commands that only ask whether the disk is well.
 */
#ifndef WNBD_CORE_SCSI_EMULATE_H
#define WNBD_CORE_SCSI_EMULATE_H

#include "core/scsi/attention.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"

/* How a command ended. */
struct scsi_result {
    uint8_t status;          /* SCSI_STATUS_GOOD or SCSI_STATUS_CHECK_CONDITION */
    uint32_t transferred;    /* bytes written to the data buffer; 0 with SCSI_STATUS_CHECK_CONDITION */
    struct scsi_sense sense; /* with SCSI_STATUS_CHECK_CONDITION: never empty */
    bool descriptor_sense;   /* how to write it: device_descriptor_sense */
};

/*
 * Answers `command`, one for which command_needs_storage is false (any other is refused with 05/20); to a REQUEST SENSE
 * that nothing is pending. At most
 * min(allocation length, capacity) bytes of the answer are written to `data`: truncation is never an error. `data` may
 * be NULL when `capacity` is 0.
 *
 * Refused: 05/24 a VPD, mode or log page that the disk has not got or a report of an operation code that is asked for
 * in the wrong way, 05/39 saved mode pages.
 */
void emulate(const struct scsi_device *device, const struct scsi_command *command, uint8_t *data, uint32_t capacity,
             struct scsi_result *result);

/*
 * Answers `command`, a REQUEST SENSE, with a unit attention that was pending and is not any more, or ATTENTION_NONE. A
 * disk has no other sense to tell: it goes with the command it belongs to. Never refused.
 */
void emulate_request_sense(const struct scsi_command *command, enum scsi_attention attention, uint8_t *data,
                           uint32_t capacity, struct scsi_result *result);

#endif
