/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/mode.h"

#include "core/base/bytes.h"

#include <stdbool.h>

#define HEADER_6  4
#define HEADER_10 8

#define PAGE_CONTROL_CHANGEABLE 1
#define PAGE_CONTROL_SAVED      3

#define SUBPAGE_NONE 0x00
#define SUBPAGE_ALL  0xFF /* of pages that have no subpages: the pages */

/* The device-specific parameter of a direct access block device (SBC-3, 6.5.1) */
#define WRITE_PROTECT 0x80
#define DPOFUA        0x10

/* Page header: PS 0 (nothing can be saved), the page code, and how many bytes follow. */
static void begin_page(uint8_t *page, uint8_t code, uint8_t length)
{
    page[0] = code;
    page[1] = (uint8_t)(length - 2);
}

/* SBC-3, 6.5.5. Of the changeable values' mask every bit is 0: there is no MODE SELECT. */
static uint32_t caching_page(const struct scsi_device *device, bool changeable, uint8_t *page)
{
    const uint8_t length = 20;

    begin_page(page, MODE_PAGE_CACHING, length);
    if (!changeable && device->write_cache) {
        page[2] = 0x04; /* WCE */
    }
    return length;
}

/* SPC-4, "Control mode page". D_SENSE is 0: autosense has the fixed format. */
static uint32_t control_page(bool changeable, uint8_t *page)
{
    const uint8_t length = 12;

    begin_page(page, MODE_PAGE_CONTROL, length);
    if (!changeable) {
        page[3] = 0x10;               /* queue algorithm modifier: commands may be reordered without restriction */
        store_be16(page + 8, 0xFFFF); /* busy time-out period: unlimited */
    }
    return length;
}

/* In ascending order of page codes; 0: there is no such page. */
static uint32_t write_pages(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes)
{
    bool changeable = command->page_control == PAGE_CONTROL_CHANGEABLE;
    bool all = command->page == MODE_PAGE_ALL;
    uint32_t length = 0;

    if (all || command->page == MODE_PAGE_CACHING) {
        length += caching_page(device, changeable, bytes + length);
    }
    if (all || command->page == MODE_PAGE_CONTROL) {
        length += control_page(changeable, bytes + length);
    }
    return length;
}

/* The mode data length does not count itself. */
static void write_header(const struct scsi_device *device, const struct scsi_command *command, uint32_t length,
                         uint8_t *bytes)
{
    uint8_t specific = (uint8_t)((device->read_only ? WRITE_PROTECT : 0) | (device->fua ? DPOFUA : 0));

    if (command->operation == SCSI_MODE_SENSE_6) {
        bytes[0] = (uint8_t)(length - 1);
        bytes[2] = specific;
    } else {
        store_be16(bytes, (uint16_t)(length - 2));
        bytes[3] = specific;
    }
}

static uint32_t refuse(struct scsi_sense *sense, enum scsi_asc asc)
{
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, asc);
    return 0;
}

uint32_t mode_sense(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes,
                    struct scsi_sense *sense)
{
    uint32_t header = command->operation == SCSI_MODE_SENSE_6 ? HEADER_6 : HEADER_10;
    uint32_t pages;

    if (command->page_control == PAGE_CONTROL_SAVED) {
        return refuse(sense, ASC_SAVING_PARAMETERS_NOT_SUPPORTED);
    }
    if (command->subpage != SUBPAGE_NONE && command->subpage != SUBPAGE_ALL) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    pages = write_pages(device, command, bytes + header);
    if (pages == 0) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    write_header(device, command, header + pages, bytes);
    return header + pages;
}
