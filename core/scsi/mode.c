/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/mode.h"

#include "core/base/bytes.h"

#include <stddef.h>

#define SPF 0x40 /* the page has a subpage code */

/* The device-specific parameter of a direct access block device (SBC-3, "Mode parameters") */
#define WRITE_PROTECT 0x80
#define DPOFUA        0x10

/* A threshold descriptor (SBC-3, "Logical Block Provisioning mode page") */
#define THRESHOLD_INCREASING 0x01 /* byte 0: not enabled, a soft threshold, armed increasing */
#define THRESHOLD_OF_USED    0x02 /* byte 1: the log parameter that it is about */

/* In ascending order, as MODE SENSE has to give all of them. */
static const struct {
    uint8_t code;
    uint8_t subpage;
} pages[] = {
    {MODE_PAGE_ERROR_RECOVERY, MODE_SUBPAGE_NONE},
    {MODE_PAGE_CACHING, MODE_SUBPAGE_NONE},
    {MODE_PAGE_CONTROL, MODE_SUBPAGE_NONE},
    {MODE_PAGE_EXCEPTIONS, MODE_SUBPAGE_NONE},
    {MODE_PAGE_EXCEPTIONS, MODE_SUBPAGE_PROVISIONING},
};

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

/*
 * SBC-3, "Logical Block Provisioning mode page". Who has threshold sets has to have it. To notice by itself that a
 * threshold is crossed a disk would have to count its blocks all the time, so the one that there is cannot be enabled.
 */
static uint32_t provisioning_page(const struct scsi_device *device, enum mode_values values, uint8_t *page)
{
    if (!device_counts_blocks(device)) {
        return 0;
    }
    page[0] = SPF | MODE_PAGE_EXCEPTIONS;
    page[1] = MODE_SUBPAGE_PROVISIONING;
    store_be16(page + 2, 24 - 4);
    if (values != MODE_CHANGEABLE) {
        page[16] = THRESHOLD_INCREASING;
        page[17] = THRESHOLD_OF_USED;
    }
    return 24;
}

uint32_t mode_page(const struct scsi_device *device, uint8_t code, uint8_t subpage, enum mode_values values,
                   uint8_t *page)
{
    switch (subpage << 8 | code) {
    case MODE_PAGE_ERROR_RECOVERY:
        return error_recovery_page(page);
    case MODE_PAGE_CACHING:
        return caching_page(device, values, page);
    case MODE_PAGE_CONTROL:
        return control_page(device, values, page);
    case MODE_PAGE_EXCEPTIONS:
        return exceptions_page(values, page);
    case MODE_SUBPAGE_PROVISIONING << 8 | MODE_PAGE_EXCEPTIONS:
        return provisioning_page(device, values, page);
    default:
        return 0;
    }
}

/* SPC-4, "Mode page code usage for all devices": one, it and its subpages, all without subpages, or all with them. */
static bool is_asked(const struct scsi_command *command, uint8_t code, uint8_t subpage)
{
    if (command->page == MODE_PAGE_ALL && command->subpage == MODE_SUBPAGE_NONE) {
        return subpage == MODE_SUBPAGE_NONE;
    }
    return (command->page == code && command->subpage == subpage) ||
           ((command->page == code || command->page == MODE_PAGE_ALL) && command->subpage == MODE_SUBPAGE_ALL);
}

/* 0: there is no such page. */
static uint32_t write_pages(const struct scsi_device *device, const struct scsi_command *command, uint8_t *bytes)
{
    enum mode_values values = (enum mode_values)command->page_control;
    uint32_t length = 0;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (is_asked(command, pages[i].code, pages[i].subpage)) {
            length += mode_page(device, pages[i].code, pages[i].subpage, values, bytes + length);
        }
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
    length = write_pages(device, command, bytes + header);
    if (length == 0) {
        return refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    write_header(device, command, header + length, bytes);
    return header + length;
}
