/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS say of a disk (SPC-4). The first
 * is made of the table that CDBs are decoded with (opcodes.h), less what this disk has not got. Nothing is truncated
 * here; the initiator's allocation length is the caller's business.
 */
#ifndef WNBD_CORE_SCSI_SUPPORTED_H
#define WNBD_CORE_SCSI_SUPPORTED_H

#include "core/base/compiler.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"
#include "core/scsi/opcodes.h"
#include "core/scsi/sense.h"

#include <stdint.h>

/* The longest answer: all commands, each with a time-outs descriptor. */
#define SUPPORTED_ANSWER_MAX (4 + 20 * SCSI_COMMANDS)

/*
 * Writes the answer to `command` to `bytes`, SUPPORTED_ANSWER_MAX zeroed bytes, and answers its length. 0: refused, and
 * `*sense` says why (05/24: the operation code has service actions and was asked about without one, or the other way
 * round). That a command is not supported is an answer.
 */
MUST_CHECK uint32_t supported_operation_codes(const struct scsi_device *device, const struct scsi_command *command,
                                              uint8_t *bytes, struct scsi_sense *sense);

/* The same for the task management functions, which are never refused. */
uint32_t supported_task_functions(const struct scsi_command *command, uint8_t *bytes);

#endif
