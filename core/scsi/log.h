/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What LOG SENSE says of a disk (SPC-4, "LOG SENSE command", 7.3): which pages there are, and there are no others. How
 * full a server's storage is, how warm its disks are and what has failed there is not known here.
 */
#ifndef WNBD_CORE_SCSI_LOG_H
#define WNBD_CORE_SCSI_LOG_H

#include "core/base/compiler.h"
#include "core/scsi/cdb.h"
#include "core/scsi/sense.h"

#include <stdint.h>

#define LOG_ANSWER_MAX 8

/*
 * Answers `command`, a LOG SENSE: writes the page to `bytes`, LOG_ANSWER_MAX zeroed bytes, and answers its length. 0:
 * refused, and `*sense` says why (05/24 no such page). The initiator's allocation length is the caller's business.
 */
MUST_CHECK uint32_t log_sense(const struct scsi_command *command, uint8_t *bytes, struct scsi_sense *sense);

#endif
