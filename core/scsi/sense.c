/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/sense.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"

struct scsi_sense sense_make(uint8_t key, enum scsi_asc asc)
{
    struct scsi_sense sense = {.key = key, .asc = (uint8_t)(asc >> 8), .ascq = (uint8_t)asc};

    return sense;
}

struct scsi_sense sense_make_with_information(uint8_t key, enum scsi_asc asc, uint64_t information)
{
    struct scsi_sense sense = sense_make(key, asc);

    sense.information_valid = true;
    sense.information = information;
    return sense;
}

static uint32_t copy_truncated(uint8_t *to, uint32_t capacity, const uint8_t *from, uint32_t length)
{
    uint32_t copied = length < capacity ? length : capacity;

    if (copied != 0) {
        memcpy(to, from, copied);
    }
    return copied;
}

uint32_t sense_write_fixed(const struct scsi_sense *sense, uint8_t *bytes, uint32_t capacity)
{
    uint8_t fixed[SENSE_FIXED_LENGTH] = {0x70}; /* current error, fixed format */

    if (sense->information_valid && sense->information <= UINT32_MAX) {
        fixed[0] |= 0x80; /* VALID */
        store_be32(fixed + 3, (uint32_t)sense->information);
    }
    fixed[2] = sense->key;
    fixed[7] = SENSE_FIXED_LENGTH - 8;
    fixed[12] = sense->asc;
    fixed[13] = sense->ascq;
    return copy_truncated(bytes, capacity, fixed, sizeof(fixed));
}

uint32_t sense_write_descriptor(const struct scsi_sense *sense, uint8_t *bytes, uint32_t capacity)
{
    uint8_t header[SENSE_DESCRIPTOR_LENGTH] = {0x72, sense->key, sense->asc, sense->ascq};
    uint32_t length = 8;

    if (sense->information_valid) {
        uint8_t *information = header + length;

        information[0] = 0x00; /* descriptor type: information */
        information[1] = 0x0A; /* additional length */
        information[2] = 0x80; /* VALID */
        store_be64(information + 4, sense->information);
        length = SENSE_DESCRIPTOR_LENGTH;
        header[7] = SENSE_DESCRIPTOR_LENGTH - 8;
    }
    return copy_truncated(bytes, capacity, header, length);
}

uint32_t sense_write(const struct scsi_sense *sense, bool descriptor, uint8_t *bytes, uint32_t capacity)
{
    return descriptor ? sense_write_descriptor(sense, bytes, capacity) : sense_write_fixed(sense, bytes, capacity);
}
