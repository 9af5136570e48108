/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What LOG SENSE says of a disk (SPC-4, "LOG SENSE command", 7.3): which pages there are, and where the blocks in use
 * can be counted, how many they are. How full a server's storage is, how warm its disks are and what has failed there
 * is not known here.
 */
#ifndef WNBD_CORE_SCSI_LOG_H
#define WNBD_CORE_SCSI_LOG_H

#include "core/base/compiler.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"
#include "core/scsi/sense.h"

#include <stdint.h>

#define LOG_PAGE_PROVISIONING 0x0C
#define LOG_PARAMETER_USED    0x0002 /* the last one of that page */

#define LOG_ANSWER_MAX       10
#define LOG_PROVISIONING_MAX 16

/*
 * Answers `command`, a LOG SENSE of any page but LOG_PAGE_PROVISIONING: writes the page to `bytes`, LOG_ANSWER_MAX
 * zeroed bytes, and answers its length. 0: refused, and `*sense` says why (05/24 no such page). The initiator's
 * allocation length is the caller's business.
 */
MUST_CHECK uint32_t log_sense(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes,
                              struct scsi_sense *sense);

/*
 * LOG_PAGE_PROVISIONING: that the blocks in use come to `used` threshold sets, or that it is not known. Writes to
 * `bytes`, LOG_PROVISIONING_MAX zeroed bytes, and answers how many.
 */
uint32_t log_provisioning(uint32_t used, uint8_t *bytes);
uint32_t log_provisioning_unknown(uint8_t *bytes);

#endif
