/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MODE SELECT: a list of mode parameters that somebody else wrote (SPC-4, "MODE SELECT (6) command", 7.5). */
#include "core/scsi/mode.h"

#include "core/base/bytes.h"

#define DESCRIPTOR_SHORT 8
#define DESCRIPTOR_LONG  16
#define LONGLBA          0x01 /* byte 4 of the longer header */

#define PAGE_HEADER    2
#define SUBPAGE_HEADER 4
#define PAGE_PS        0x80
#define PAGE_SPF       0x40
#define PAGE_CODE      0x3F

#define WCE     0x04
#define D_SENSE 0x04

/* What of the list is left, and what it comes to. */
struct list {
    const uint8_t *at;
    uint32_t left;
    bool has_caching;
    bool write_through;
    bool has_control;
    bool descriptor_sense;
};

static bool refuse(struct scsi_sense *sense, enum scsi_asc asc)
{
    *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, asc);
    return false;
}

/* Takes the next `length` bytes. Volatile: each is read once, since its sender may be writing to it. False: refused. */
static bool take(struct list *list, uint8_t *bytes, uint32_t length, struct scsi_sense *sense)
{
    const volatile uint8_t *from = list->at;

    if (length > list->left) {
        return refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = from[i];
    }
    list->at += length;
    list->left -= length;
    return true;
}

/* Whether a number of blocks stands for the disk as it is: said so, 0 (no change) or all ones (as many as there are).
 */
static bool is_capacity(const struct scsi_device *device, uint64_t blocks, uint64_t all_ones)
{
    return blocks == 0 || blocks == all_ones || blocks == device_blocks(device);
}

/* SBC-3, "Mode parameter block descriptors". The disk's size and its block size stay as they are. */
static bool take_descriptor(struct list *list, const struct scsi_device *device, uint32_t length,
                            struct scsi_sense *sense)
{
    uint8_t descriptor[DESCRIPTOR_LONG];
    uint64_t blocks;
    uint32_t block_size;
    bool is_long = length == DESCRIPTOR_LONG;

    if (!take(list, descriptor, length, sense)) {
        return false;
    }
    blocks = is_long ? load_be64(descriptor) : load_be32(descriptor);
    block_size = is_long ? load_be32(descriptor + 12) : load_be24(descriptor + 5);
    if (block_size != device->block_size || !is_capacity(device, blocks, is_long ? UINT64_MAX : UINT32_MAX)) {
        return refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    return true;
}

/* How long the block descriptor is that the longer header announces. False: none may have that length. */
static bool descriptor_length(const uint8_t *header, uint32_t *length)
{
    *length = load_be16(header + 6);
    return *length == 0 || *length == ((header[4] & LONGLBA) != 0 ? DESCRIPTOR_LONG : DESCRIPTOR_SHORT);
}

/* The mode data length and the device-specific parameter are reserved or ignored; the only medium type is 0. */
static bool take_header(struct list *list, const struct scsi_device *device, bool is_long, struct scsi_sense *sense)
{
    uint8_t header[MODE_HEADER_10];
    uint32_t length;
    bool is_fine;

    if (!take(list, header, is_long ? MODE_HEADER_10 : MODE_HEADER_6, sense)) {
        return false;
    }
    if (is_long) {
        is_fine = header[2] == 0 && descriptor_length(header, &length);
    } else {
        length = header[3];
        is_fine = header[1] == 0 && (length == 0 || length == DESCRIPTOR_SHORT);
    }
    if (!is_fine) {
        return refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    return length == 0 || take_descriptor(list, device, length, sense);
}

/* The disk's page with the code, or codes, of one that was sent. 0: it has none. */
static uint32_t like_sent(const struct scsi_device *device, const uint8_t *sent, enum mode_values values, uint8_t *page)
{
    uint8_t subpage = (sent[0] & PAGE_SPF) != 0 ? sent[1] : MODE_SUBPAGE_NONE;

    return mode_page(device, sent[0] & PAGE_CODE, subpage, values, page);
}

/* Whether the header is that of the disk's page: its code and its length. PS is reserved here. */
static bool is_header(const uint8_t *sent, const uint8_t *known, uint32_t length)
{
    uint8_t difference = (sent[0] ^ known[0]) & (uint8_t)~PAGE_PS;

    for (uint32_t i = 1; i < length; i++) {
        difference |= sent[i] ^ known[i];
    }
    return difference == 0;
}

/* Whether the page differs from the disk's, of the same length, only in what can be changed. */
static bool is_allowed(const struct scsi_device *device, const uint8_t *page, const uint8_t *current, uint32_t length)
{
    uint8_t changeable[MODE_PAGE_MAX] = {0};

    like_sent(device, page, MODE_CHANGEABLE, changeable);
    for (uint32_t i = PAGE_HEADER; i < length; i++) {
        if (((page[i] ^ current[i]) & ~changeable[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void note_page(struct list *list, const struct scsi_device *device, const uint8_t *page)
{
    switch (page[0] & PAGE_CODE) {
    case MODE_PAGE_CACHING:
        list->has_caching = true;
        list->write_through = device->write_cache && (page[2] & WCE) == 0;
        break;
    case MODE_PAGE_CONTROL:
        list->has_control = true;
        list->descriptor_sense = (page[2] & D_SENSE) != 0;
        break;
    }
}

/* The code or codes of a page and its length: `*header` bytes. */
static bool take_page_header(struct list *list, uint8_t *page, uint32_t *header, struct scsi_sense *sense)
{
    *header = PAGE_HEADER;
    if (!take(list, page, PAGE_HEADER, sense)) {
        return false;
    }
    if ((page[0] & PAGE_SPF) == 0) {
        return true;
    }
    *header = SUBPAGE_HEADER;
    return take(list, page + PAGE_HEADER, SUBPAGE_HEADER - PAGE_HEADER, sense);
}

static bool take_page(struct list *list, const struct scsi_device *device, struct scsi_sense *sense)
{
    uint8_t page[MODE_PAGE_MAX];
    uint8_t known[MODE_PAGE_MAX] = {0};
    uint32_t header;
    uint32_t length;

    if (!take_page_header(list, page, &header, sense)) {
        return false;
    }
    length = like_sent(device, page, MODE_CURRENT, known);
    if (length == 0 || !is_header(page, known, header)) {
        return refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    if (!take(list, page + header, length - header, sense)) {
        return false;
    }
    if (!is_allowed(device, page, known, length)) {
        return refuse(sense, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    }
    note_page(list, device, page);
    return true;
}

/*
 * SPC-4 has the unit attention 06/2A/01 (mode parameters changed) told to every initiator but the one that sent the
 * MODE SELECT. A disk here has that one only, so nobody is told.
 */
static void apply(const struct list *list, struct scsi_device *device)
{
    if (list->has_caching) {
        atomic_write_u64(&device->write_through, list->write_through);
    }
    if (list->has_control) {
        atomic_write_u64(&device->descriptor_sense, list->descriptor_sense);
    }
}

bool mode_select(struct scsi_device *device, const struct scsi_command *command, const uint8_t *parameters,
                 uint32_t length, struct scsi_sense *sense)
{
    struct list list = {.at = parameters, .left = length};

    if (length == 0) {
        return true;
    }
    if (!take_header(&list, device, command->operation == SCSI_MODE_SELECT_10, sense)) {
        return false;
    }
    while (list.left != 0) {
        if (!take_page(&list, device, sense)) {
            return false;
        }
    }
    apply(&list, device);
    return true;
}
