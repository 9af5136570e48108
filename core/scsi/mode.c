/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/mode.h"

#include "core/base/bytes.h"

#include <stddef.h>

#define SUBPAGE_NONE 0x00
#define SUBPAGE_ALL  0xFF /* of pages that have no subpages: the pages */

/* The device-specific parameter of a direct access block device (SBC-3, "Mode parameters") */
#define WRITE_PROTECT 0x80
#define DPOFUA        0x10

/* In ascending order, as MODE SENSE has to give all of them. */
static const uint8_t pages[] = {MODE_PAGE_ERROR_RECOVERY, MODE_PAGE_CACHING, MODE_PAGE_CONTROL, MODE_PAGE_EXCEPTIONS};

/* Page header: PS 0 (nothing can be saved), the page code, and how many bytes follow. */
static uint32_t begin_page(uint8_t *page, uint8_t code, uint8_t length)
{
    page[0] = code;
    page[1] = (uint8_t)(length - 2);
    return length;
}

/* SBC-3, "Read-Write Error Recovery mode page". How often a server tries, and for how long, is its own: every field is
 * 0. */
static uint32_t error_recovery_page(uint8_t *page)
{
    return begin_page(page, MODE_PAGE_ERROR_RECOVERY, 12);
}

/* SBC-3, "Caching mode page" */
static uint32_t caching_page(const struct scsi_device *device, enum mode_values values, uint8_t *page)
{
    bool write_cache = device->write_cache && !(values == MODE_CURRENT && device_writes_through(device));

    page[2] = write_cache ? 0x04 : 0; /* WCE */
    return begin_page(page, MODE_PAGE_CACHING, 20);
}

/* SPC-4, "Control mode page" */
static uint32_t control_page(const struct scsi_device *device, enum mode_values values, uint8_t *page)
{
    bool descriptor = values == MODE_CHANGEABLE || (values == MODE_CURRENT && device_descriptor_sense(device));

    page[2] = descriptor ? 0x04 : 0; /* D_SENSE */
    if (values != MODE_CHANGEABLE) {
        page[3] = 0x10;               /* queue algorithm modifier: commands may be reordered without restriction */
        store_be16(page + 8, 0xFFFF); /* busy time-out period: unlimited */
    }
    return begin_page(page, MODE_PAGE_CONTROL, 12);
}

/* SPC-4, "Informational Exceptions Control mode page". Nobody here foresees failures. */
static uint32_t exceptions_page(enum mode_values values, uint8_t *page)
{
    page[2] = values == MODE_CHANGEABLE ? 0 : 0x08; /* DEXCPT */
    return begin_page(page, MODE_PAGE_EXCEPTIONS, 12);
}

uint32_t mode_page(const struct scsi_device *device, uint8_t code, enum mode_values values, uint8_t *page)
{
    switch (code) {
    case MODE_PAGE_ERROR_RECOVERY:
        return error_recovery_page(page);
    case MODE_PAGE_CACHING:
        return caching_page(device, values, page);
    case MODE_PAGE_CONTROL:
        return control_page(device, values, page);
    case MODE_PAGE_EXCEPTIONS:
        return exceptions_page(values, page);
    default:
        return 0;
    }
}

/* 0: there is no such page. */
static uint32_t write_pages(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes)
{
    enum mode_values values = (enum mode_values)command->page_control;
    uint32_t length = 0;

    if (command->page != MODE_PAGE_ALL) {
        return mode_page(device, command->page, values, bytes);
    }
    for (size_t i = 0; i < sizeof(pages); i++) {
        length += mode_page(device, pages[i], values, bytes + length);
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
    uint32_t header = command->operation == SCSI_MODE_SENSE_6 ? MODE_HEADER_6 : MODE_HEADER_10;
    uint32_t length;

    if (command->page_control == MODE_SAVED) {
        return refuse(sense, ASC_SAVING_PARAMETERS_NOT_SUPPORTED);
    }
    if (command->subpage != SUBPAGE_NONE && command->subpage != SUBPAGE_ALL) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    length = write_pages(device, command, bytes + header);
    if (length == 0) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    write_header(device, command, header + length, bytes);
    return header + length;
}
