/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/log.h"

#include "core/base/bytes.h"

#define PAGE_SUPPORTED 0x00
#define SUBPAGE_NONE   0x00
#define SUBPAGE_ALL    0xFF

#define DS  0x80 /* nothing of the page is saved */
#define SPF 0x40 /* the page has a subpage code */

/* The parameter control byte of a list in binary (SPC-4, 7.3.2.2.2.5) */
#define TSD            0x20 /* it is not saved */
#define FORMAT_BINARY  0x03
#define SCOPE_ONE_UNIT 0x01 /* SCOPE: a resource of this logical unit's own */

/* SPC-4, "Supported Log Pages log page": itself, and what else there is. */
static uint32_t supported_pages(const struct scsi_device *device, uint8_t *bytes)
{
    uint32_t length = 4;

    bytes[length++] = PAGE_SUPPORTED;
    if (device_counts_blocks(device)) {
        bytes[length++] = LOG_PAGE_PROVISIONING;
    }
    store_be16(bytes + 2, (uint16_t)(length - 4));
    return length;
}

/* SPC-4, "Supported Log Pages and Subpages log page": the one before, itself, and what else there is. */
static uint32_t supported_subpages(const struct scsi_device *device, uint8_t *bytes)
{
    uint32_t length = 4;

    bytes[0] = SPF | PAGE_SUPPORTED;
    bytes[1] = SUBPAGE_ALL;
    bytes[length++] = PAGE_SUPPORTED;
    bytes[length++] = SUBPAGE_NONE;
    bytes[length++] = PAGE_SUPPORTED;
    bytes[length++] = SUBPAGE_ALL;
    if (device_counts_blocks(device)) {
        bytes[length++] = LOG_PAGE_PROVISIONING;
        bytes[length++] = SUBPAGE_NONE;
    }
    store_be16(bytes + 2, (uint16_t)(length - 4));
    return length;
}

/* SBC-3, "Logical Block Provisioning log page". What is left (parameter 0001h) nobody here can say. */
uint32_t log_provisioning(uint32_t used, uint8_t *bytes)
{
    uint8_t *parameter = bytes + log_provisioning_unknown(bytes);

    store_be16(bytes + 2, 12);
    store_be16(parameter, LOG_PARAMETER_USED);
    parameter[2] = TSD | FORMAT_BINARY;
    parameter[3] = 8;
    store_be32(parameter + 4, used);
    parameter[8] = SCOPE_ONE_UNIT;
    return LOG_PROVISIONING_MAX;
}

uint32_t log_provisioning_unknown(uint8_t *bytes)
{
    bytes[0] = DS | LOG_PAGE_PROVISIONING;
    return 4;
}

/* Which values (PC) makes no difference to a list of pages. */
uint32_t log_sense(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes,
                   struct scsi_sense *sense)
{
    if (command->page == PAGE_SUPPORTED && command->subpage == SUBPAGE_NONE) {
        return supported_pages(device, bytes);
    }
    if (command->page == PAGE_SUPPORTED && command->subpage == SUBPAGE_ALL) {
        return supported_subpages(device, bytes);
    }
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    return 0;
}
