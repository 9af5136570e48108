/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What MODE SENSE (6) and (10) say of a disk: a header without block descriptors, then the caching page, the control
 * page or both (SPC-4, "MODE SENSE (6) command", 7.5; SBC-3, 6.5).
 */
#ifndef WNBD_CORE_SCSI_MODE_H
#define WNBD_CORE_SCSI_MODE_H

#include "core/base/compiler.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"
#include "core/scsi/sense.h"

#include <stdint.h>

#define MODE_PAGE_CACHING 0x08
#define MODE_PAGE_CONTROL 0x0A
#define MODE_PAGE_ALL     0x3F

#define MODE_ANSWER_MAX (8 + 20 + 12) /* the longer header and both pages */

/*
 * Answers `command`, a MODE SENSE: writes the mode parameters to `bytes`, MODE_ANSWER_MAX zeroed bytes, and answers
 * their length. 0: refused, and `*sense` says why (05/24 no such page, 05/39 saved values). The initiator's allocation
 * length is the caller's business.
 */
MUST_CHECK uint32_t mode_sense(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes,
                               struct scsi_sense *sense);

#endif
