/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UNMAP: a list that somebody else wrote. */
#include "core/scsi/storage_internal.h"

#include "core/base/bytes.h"
#include "core/base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/* The parameter list of UNMAP (SBC-3, "UNMAP command") */
#define UNMAP_HEADER     8
#define UNMAP_DESCRIPTOR 16

/* Copies what its sender may be writing to at this moment. Volatile: nothing is read again after it was checked. */
static void copy_once(uint8_t *to, const volatile uint8_t *from, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        to[i] = from[i];
    }
}

/* Finds how many descriptors a parameter list of `available` bytes, UNMAP_HEADER or more, has. False: refused. */
static bool unmap_header(struct storage_command *storage, const struct scsi_device *device, const uint8_t *parameters,
                         uint32_t available, struct scsi_sense *sense)
{
    uint8_t header[UNMAP_HEADER];
    uint32_t data_length;        /* counts what follows it */
    uint32_t descriptors_length; /* an incomplete last descriptor is ignored */

    copy_once(header, parameters, sizeof(header));
    data_length = load_be16(header);
    descriptors_length = load_be16(header + 2);
    if (data_length > available - 2 || descriptors_length > available - UNMAP_HEADER) {
        *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
        return false;
    }
    storage->descriptors = parameters + UNMAP_HEADER;
    storage->descriptors_left = (uint16_t)(descriptors_length / UNMAP_DESCRIPTOR);
    if (data_length < descriptors_length + UNMAP_HEADER - 2 ||
        storage->descriptors_left > device->max_unmap_descriptors) {
        *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
        return false;
    }
    return true;
}

/* Looks at the whole list before anything of it is carried out. */
static bool unmap_descriptors(const struct storage_command *storage, const struct scsi_device *device,
                              struct scsi_sense *sense)
{
    uint64_t total = 0; /* at most 4095 descriptors of 2^32 - 1 blocks */

    for (uint32_t i = 0; i < storage->descriptors_left; i++) {
        const uint8_t *descriptor = storage->descriptors + (size_t)i * UNMAP_DESCRIPTOR;
        uint64_t lba = load_be64(descriptor);
        uint32_t blocks = load_be32(descriptor + 8);

        if (!checked_range(lba, blocks, storage->block_count)) {
            storage_refuse_range(sense, lba, storage->block_count);
            return false;
        }
        total += blocks;
    }
    if (device->max_unmap_blocks != UINT32_MAX && total > device->max_unmap_blocks) {
        *sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_PARAMETER_LIST);
        return false;
    }
    return true;
}

enum storage_step storage_begin_unmap(struct storage_command *storage, const struct scsi_device *device,
                                      const struct scsi_command *command, const uint8_t *parameters,
                                      uint32_t data_length, struct scsi_sense *sense)
{
    uint32_t length = command->parameter_length;

    if (!device->unmap) {
        return storage_refuse(sense, ASC_INVALID_COMMAND_OPERATION_CODE);
    }
    if (command->anchor) {
        return storage_refuse(sense, ASC_INVALID_FIELD_IN_CDB);
    }
    if (device->read_only) {
        return storage_refuse_write(sense);
    }
    if (length == 0) {
        return STORAGE_DONE;
    }
    if (length < UNMAP_HEADER || length > data_length || parameters == NULL) {
        return storage_refuse(sense, ASC_PARAMETER_LIST_LENGTH_ERROR);
    }
    storage->block_size = device->block_size;
    storage->block_count = device_blocks(device);
    if (!unmap_header(storage, device, parameters, length, sense) || !unmap_descriptors(storage, device, sense)) {
        return STORAGE_REFUSED;
    }
    storage->request.operation = IO_TRIM;
    storage->request_max = STORAGE_TRIM_MAX;
    return storage_next(storage, sense);
}

/* Makes the next descriptor the range in hand. False: it does not lie within the disk (any more). */
bool storage_take_descriptor(struct storage_command *storage, struct scsi_sense *sense)
{
    uint8_t descriptor[UNMAP_DESCRIPTOR];
    uint64_t lba;
    uint32_t blocks;

    copy_once(descriptor, storage->descriptors, sizeof(descriptor));
    lba = load_be64(descriptor);
    blocks = load_be32(descriptor + 8);
    if (!checked_range(lba, blocks, storage->block_count)) {
        storage_refuse_range(sense, lba, storage->block_count);
        return false;
    }
    storage->descriptors += UNMAP_DESCRIPTOR;
    storage->descriptors_left--;
    storage->range_offset = lba * storage->block_size;
    storage->range_length = (uint64_t)blocks * storage->block_size;
    return true;
}
