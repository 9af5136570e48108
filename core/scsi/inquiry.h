/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What INQUIRY says of a disk: the standard data and the vital product data (VPD) pages (SPC-4, "INQUIRY command" and
 * clause 7.8; SBC-3, "VPD parameters"). Nothing is truncated here; the initiator's allocation length is the caller's
 * business.
 */
#ifndef WNBD_CORE_SCSI_INQUIRY_H
#define WNBD_CORE_SCSI_INQUIRY_H

#include "core/scsi/device.h"

#include <stdint.h>

#define INQUIRY_VENDOR  "WNBD    "         /* 8 characters, space padded */
#define INQUIRY_PRODUCT "WNBD_DISK       " /* 16 */

#define VPD_SUPPORTED_PAGES            0x00
#define VPD_UNIT_SERIAL_NUMBER         0x80
#define VPD_DEVICE_IDENTIFICATION      0x83
#define VPD_EXTENDED_INQUIRY           0x86
#define VPD_BLOCK_LIMITS               0xB0
#define VPD_BLOCK_CHARACTERISTICS      0xB1
#define VPD_LOGICAL_BLOCK_PROVISIONING 0xB2

#define INQUIRY_STANDARD_LENGTH 96

/* "naa." and two digits for a byte, filled up with one zero byte or more to whole words. */
#define INQUIRY_NAME_MAX ((4 + 2 * SCSI_NAA_MAX + 4) / 4 * 4)

/* The longest answer: page 83 with an NAA, the longest T10 vendor id designator, and a SCSI name string. */
#define INQUIRY_ANSWER_MAX (4 + 4 + SCSI_NAA_MAX + 4 + 255 + 4 + INQUIRY_NAME_MAX)

/* Writes the standard INQUIRY data to `bytes`, INQUIRY_ANSWER_MAX zeroed bytes, and answers their length. */
uint32_t inquiry_standard(const struct scsi_device *device, uint8_t *bytes);

/* The same for a VPD page; 0: the disk has no such page. */
uint32_t inquiry_page(const struct scsi_device *device, uint8_t page, uint8_t *bytes);

#endif
