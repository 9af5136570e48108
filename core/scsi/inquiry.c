/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/inquiry.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/scsi/sense.h"

#include <stddef.h>

#define VPD_HEADER 4 /* device type, page code, page length */

/* Code sets and designator types of page 83 (SPC-4, 7.8.6.1) */
#define CODE_SET_BINARY       0x01
#define CODE_SET_ASCII        0x02
#define CODE_SET_UTF_8        0x03
#define DESIGNATOR_T10_VENDOR 0x01
#define DESIGNATOR_NAA        0x03
#define DESIGNATOR_NAME       0x08
#define DESIGNATOR_HEADER     4
#define DESIGNATOR_MAX        255

#define VENDOR_LENGTH 8

/* Version descriptors, each of the standard without a revision (SPC-4, "Version descriptor values"). */
#define VERSION_SPC_4            0x06
#define VERSION_DESCRIPTOR_SAM_5 0x00A0
#define VERSION_DESCRIPTOR_SPC_4 0x0460
#define VERSION_DESCRIPTOR_SBC_3 0x04C0

/* SPC-4, "Standard INQUIRY data". Windows asks for 36 bytes of it at first and takes what more there is. */
uint32_t inquiry_standard(const struct scsi_device *device, uint8_t *bytes)
{
    bytes[0] = 0x00; /* a direct access block device is connected */
    bytes[1] = 0x00; /* not removable */
    bytes[2] = VERSION_SPC_4;
    bytes[3] = 0x02; /* response data format */
    bytes[4] = INQUIRY_STANDARD_LENGTH - 5;
    bytes[7] = 0x02; /* CMDQUE */
    memcpy(bytes + 8, INQUIRY_VENDOR, VENDOR_LENGTH);
    memcpy(bytes + 16, INQUIRY_PRODUCT, 16);
    memcpy(bytes + 32, device->revision, sizeof(device->revision));
    store_be16(bytes + 58, VERSION_DESCRIPTOR_SAM_5);
    store_be16(bytes + 60, VERSION_DESCRIPTOR_SPC_4);
    store_be16(bytes + 62, VERSION_DESCRIPTOR_SBC_3);
    return INQUIRY_STANDARD_LENGTH;
}

/* A T10 vendor id designator is our vendor id and the serial. It is whole or not there (device.h). */
static bool has_vendor_designator(const struct scsi_device *device)
{
    return !device->naa_alone && VENDOR_LENGTH + device->serial_length <= DESIGNATOR_MAX;
}

static bool has_device_identification(const struct scsi_device *device)
{
    return device->naa_length != 0 || has_vendor_designator(device);
}

static uint32_t supported_pages(const struct scsi_device *device, uint8_t *list)
{
    uint32_t length = 0;

    list[length++] = VPD_SUPPORTED_PAGES;
    list[length++] = VPD_UNIT_SERIAL_NUMBER;
    if (has_device_identification(device)) {
        list[length++] = VPD_DEVICE_IDENTIFICATION;
    }
    list[length++] = VPD_EXTENDED_INQUIRY;
    list[length++] = VPD_BLOCK_LIMITS;
    list[length++] = VPD_BLOCK_CHARACTERISTICS;
    list[length++] = VPD_LOGICAL_BLOCK_PROVISIONING;
    return length;
}

static uint32_t unit_serial_number(const struct scsi_device *device, uint8_t *serial)
{
    memcpy(serial, device->serial, device->serial_length);
    return device->serial_length;
}

/* Association 0, the logical unit; no protocol identifier. */
static uint8_t *begin_designator(uint8_t *bytes, uint8_t code_set, uint8_t type, uint32_t length)
{
    bytes[0] = code_set;
    bytes[1] = type;
    bytes[3] = (uint8_t)length;
    return bytes + DESIGNATOR_HEADER;
}

/* Which characters an ASCII designator may have (SPC-4, 4.4.1). A name in UTF-8 makes the designator a binary one. */
static uint8_t serial_code_set(const struct scsi_device *device)
{
    for (uint32_t i = 0; i < device->serial_length; i++) {
        if (device->serial[i] < 0x20 || device->serial[i] > 0x7E) {
            return CODE_SET_BINARY;
        }
    }
    return CODE_SET_ASCII;
}

static uint8_t *add_naa(const struct scsi_device *device, uint8_t *at)
{
    at = begin_designator(at, CODE_SET_BINARY, DESIGNATOR_NAA, device->naa_length);
    memcpy(at, device->naa, device->naa_length);
    return at + device->naa_length;
}

static uint8_t *add_vendor(const struct scsi_device *device, uint8_t *at)
{
    at = begin_designator(at, serial_code_set(device), DESIGNATOR_T10_VENDOR,
                          VENDOR_LENGTH + (uint32_t)device->serial_length);
    memcpy(at, INQUIRY_VENDOR, VENDOR_LENGTH);
    memcpy(at + VENDOR_LENGTH, device->serial, device->serial_length);
    return at + VENDOR_LENGTH + device->serial_length;
}

/* SPC-4, "SCSI name string designator format": the NAA as text that ends with a zero byte and fills whole words. */
static uint8_t *add_name(const struct scsi_device *device, uint8_t *at)
{
    static const char digits[] = "0123456789ABCDEF";
    uint32_t length = (4 + 2u * device->naa_length + 4) / 4 * 4;

    at = begin_designator(at, CODE_SET_UTF_8, DESIGNATOR_NAME, length);
    memcpy(at, "naa.", 4);
    for (uint32_t i = 0; i < device->naa_length; i++) {
        at[4 + 2 * i] = (uint8_t)digits[device->naa[i] >> 4];
        at[5 + 2 * i] = (uint8_t)digits[device->naa[i] & 0x0F];
    }
    return at + length;
}

static uint32_t device_identification(const struct scsi_device *device, uint8_t *list)
{
    uint8_t *at = list;

    if (device->naa_length != 0) {
        at = add_naa(device, at);
    }
    if (has_vendor_designator(device)) {
        at = add_vendor(device, at);
    }
    if (device->naa_length != 0 && !device->naa_alone) {
        at = add_name(device, at);
    }
    return (uint32_t)(at - list);
}

/* SPC-4, "Extended INQUIRY Data VPD page". Commands have the simple task attribute whatever they ask for. */
static uint32_t extended_inquiry(const struct scsi_device *device, uint8_t *extended)
{
    extended[1] = 0x01;                        /* SIMPSUP */
    extended[2] = device->write_cache ? 1 : 0; /* V_SUP: the cache, where there is one, is volatile */
    extended[9] = SENSE_DESCRIPTOR_LENGTH;     /* maximum supported sense data length */
    return 0x3C;
}

/* SBC-3, "Block Limits VPD page"; offsets are those of the standard less the page's header. */
static uint32_t block_limits(const struct scsi_device *device, uint8_t *limits)
{
    if (device->physical_block_exponent != 0) {
        store_be16(limits + 2, (uint16_t)(1u << device->physical_block_exponent)); /* optimal granularity */
    }
    store_be32(limits + 4, device->max_transfer_blocks);
    store_be32(limits + 8, device->optimal_transfer_blocks);
    if (device->cache) {
        store_be32(limits + 12, device->max_transfer_blocks); /* maximum prefetch length */
    }
    if (device->unmap) {
        store_be32(limits + 16, device->max_unmap_blocks);
        store_be32(limits + 20, device->max_unmap_descriptors);
        store_be32(limits + 24, device->unmap_granularity_blocks);
        if (device->unmap_granularity_blocks != 0) {
            store_be32(limits + 28, 0x80000000u); /* UGAVALID: the alignment is known, and it is 0 */
        }
    }
    if (device_has_write_same(device)) {
        limits[0] = 0x01; /* WSNZ */
        store_be64(limits + 32, device->max_write_same_blocks);
    }
    return 0x3C;
}

/* SBC-3, "Block Device Characteristics VPD page". There is no code for "it turns, at an unknown rate": the most usual
 * rate stands for it. */
static uint32_t block_characteristics(const struct scsi_device *device, uint8_t *characteristics)
{
    store_be16(characteristics, device->rotational ? 7200 : 0); /* 0: not reported */
    characteristics[4] = device->fua ? 0x02 : 0x00;             /* FUAB */
    characteristics[4] |=
        device->byte_check ? 0x01 : 0x00; /* VBULS (SBC-4): what is unmapped is compared as it reads */
    return 0x3C;
}

/* SBC-3, "Logical Block Provisioning VPD page". What is read from an unmapped block is not promised: LBPRZ 0. */
static uint32_t logical_block_provisioning(const struct scsi_device *device, uint8_t *provisioning)
{
    provisioning[0] = device->threshold_exponent;
    if (device->unmap) {
        provisioning[1] = 0x80; /* LBPU: UNMAP; no anchors */
        if (device->write_zeroes) {
            provisioning[1] |= 0x60; /* LBPWS, LBPWS10: WRITE SAME unmaps */
        }
        provisioning[2] = 0x02; /* thin */
    }
    return 4;
}

/* Writes what follows the page's header; 0: there is no such page. */
static uint32_t page_contents(const struct scsi_device *device, uint8_t page, uint8_t *contents)
{
    switch (page) {
    case VPD_SUPPORTED_PAGES:
        return supported_pages(device, contents);
    case VPD_UNIT_SERIAL_NUMBER:
        return unit_serial_number(device, contents);
    case VPD_DEVICE_IDENTIFICATION:
        return device_identification(device, contents);
    case VPD_EXTENDED_INQUIRY:
        return extended_inquiry(device, contents);
    case VPD_BLOCK_LIMITS:
        return block_limits(device, contents);
    case VPD_BLOCK_CHARACTERISTICS:
        return block_characteristics(device, contents);
    case VPD_LOGICAL_BLOCK_PROVISIONING:
        return logical_block_provisioning(device, contents);
    default:
        return 0;
    }
}

uint32_t inquiry_page(const struct scsi_device *device, uint8_t page, uint8_t *bytes)
{
    uint32_t length = page_contents(device, page, bytes + VPD_HEADER);

    if (length == 0) {
        return 0;
    }
    bytes[1] = page;
    store_be16(bytes + 2, (uint16_t)length);
    return VPD_HEADER + length;
}
