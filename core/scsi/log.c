/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/log.h"

#define PAGE_SUPPORTED 0x00
#define SUBPAGE_NONE   0x00
#define SUBPAGE_ALL    0xFF

#define SPF 0x40 /* the page has a subpage code */

/* SPC-4, "Supported Log Pages log page": itself. */
static uint32_t supported_pages(uint8_t *bytes)
{
    bytes[3] = 1;
    bytes[4] = PAGE_SUPPORTED;
    return 5;
}

/* SPC-4, "Supported Log Pages and Subpages log page": the one before, and itself. */
static uint32_t supported_subpages(uint8_t *bytes)
{
    bytes[0] = SPF | PAGE_SUPPORTED;
    bytes[1] = SUBPAGE_ALL;
    bytes[3] = 4;
    bytes[4] = PAGE_SUPPORTED;
    bytes[5] = SUBPAGE_NONE;
    bytes[6] = PAGE_SUPPORTED;
    bytes[7] = SUBPAGE_ALL;
    return 8;
}

/* Which values (PC) makes no difference to a list of pages. */
uint32_t log_sense(const struct scsi_command *command, uint8_t *bytes, struct scsi_sense *sense)
{
    if (command->page == PAGE_SUPPORTED && command->subpage == SUBPAGE_NONE) {
        return supported_pages(bytes);
    }
    if (command->page == PAGE_SUPPORTED && command->subpage == SUBPAGE_ALL) {
        return supported_subpages(bytes);
    }
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
    return 0;
}
