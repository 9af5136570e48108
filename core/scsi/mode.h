/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mode parameters of a disk (SPC-4, 7.5; SBC-3, "Mode parameters"): a header, which MODE SENSE gives without block
 * descriptors, and pages.
 *
 *     01  read-write error recovery           what the server does about errors is not known here: nothing is claimed
 *     08  caching                             WCE can be changed where the backend can flush
 *     0A  control                             D_SENSE can be changed
 *     1C  informational exceptions control    there are none (DEXCPT)
 *     1C/02  logical block provisioning       where device_counts_blocks: a threshold of the blocks in use that is
 *                                             not enabled and cannot be
 *
 * None is saved.
 */
#ifndef WNBD_CORE_SCSI_MODE_H
#define WNBD_CORE_SCSI_MODE_H

#include "core/base/compiler.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"
#include "core/scsi/sense.h"

#include <stdbool.h>
#include <stdint.h>

#define MODE_PAGE_ERROR_RECOVERY 0x01
#define MODE_PAGE_CACHING        0x08
#define MODE_PAGE_CONTROL        0x0A
#define MODE_PAGE_EXCEPTIONS     0x1C
#define MODE_PAGE_ALL            0x3F

#define MODE_SUBPAGE_NONE         0x00
#define MODE_SUBPAGE_PROVISIONING 0x02 /* of MODE_PAGE_EXCEPTIONS */
#define MODE_SUBPAGE_ALL          0xFF

#define MODE_HEADER_6  4
#define MODE_HEADER_10 8

#define MODE_PAGE_MAX   24                                        /* the logical block provisioning page */
#define MODE_ANSWER_MAX (MODE_HEADER_10 + 20 + 12 + 12 + 12 + 24) /* the longer header and all pages */

/* Which values of a page: PAGE CONTROL of MODE SENSE. */
enum mode_values {
    MODE_CURRENT = 0,
    MODE_CHANGEABLE = 1, /* a mask: 1 is a bit that MODE SELECT may change */
    MODE_DEFAULT = 2,
    MODE_SAVED = 3,
};

/* Writes a page, MODE_PAGE_MAX zeroed bytes, and answers its length. 0: there is no such page. */
uint32_t mode_page(const struct scsi_device *device, uint8_t code, uint8_t subpage, enum mode_values values,
                   uint8_t *page);

/*
 * Answers `command`, a MODE SENSE: writes the mode parameters to `bytes`, MODE_ANSWER_MAX zeroed bytes, and answers
 * their length. 0: refused, and `*sense` says why (05/24 no such page, 05/39 saved values). The initiator's allocation
 * length is the caller's business.
 */
MUST_CHECK uint32_t mode_sense(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes,
                               struct scsi_sense *sense);

/*
 * Carries out `command`, a MODE SELECT, with the `length` bytes at `parameters`, which its sender may be writing to
 * meanwhile: all of the list or, when it is refused, nothing of it. A parameter list of 0 bytes changes nothing.
 *
 * Refused: 05/1A a list that is cut short, in its header, a block descriptor or a page; 05/26 a block descriptor that
 * is not as the disk is, a page that it has not got, of another length or with a value that cannot be changed.
 */
MUST_CHECK bool mode_select(struct scsi_device *device, const struct scsi_command *command, const uint8_t *parameters,
                            uint32_t length, struct scsi_sense *sense);

#endif
