/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disks that the tests of core/scsi look at, and what they all check. */
#ifndef WNBD_TESTS_UNIT_SCSI_DEVICE_H
#define WNBD_TESTS_UNIT_SCSI_DEVICE_H

#include "core/scsi/device.h"
#include "core/scsi/sense.h"
#include "tests/unit/guard.h"

#include <string.h>

/* 1 MiB of 512-byte blocks that can do everything. */
static inline struct scsi_device test_device(void)
{
    struct scsi_device device = {
        .block_count = 2048,
        .block_size = 512,
        .write_cache = true,
        .fua = true,
        .unmap = true,
        .max_transfer_blocks = 4096,
        .max_unmap_blocks = UINT32_MAX,
        .max_unmap_descriptors = 256,
        .revision = {'0', '.', '8', ' '},
        .serial_length = 5,
        .serial = "vol-a",
        .naa_length = 16,
        .naa = {0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    };

    return device;
}

/* KEY/ASC/ASCQ as 0xKKAABB, for one comparison with a readable number. */
static inline unsigned sense_number(const struct scsi_sense *sense)
{
    return (unsigned)sense->key << 16 | (unsigned)sense->asc << 8 | sense->ascq;
}

/* The last `length` of the `room` bytes at `memory` (guard_memory), all of which become 0xAA. */
static inline uint8_t *fresh_tail(uint8_t *memory, size_t room, size_t length)
{
    assert_true(length <= room);
    memset(memory, 0xAA, room);
    return memory + room - length;
}

/* Whether the bytes from `from` to `to` still are as fresh_tail left them. */
static inline void assert_untouched(const uint8_t *from, const uint8_t *to)
{
    for (const uint8_t *at = from; at < to; at++) {
        assert_int_equal(*at, 0xAA);
    }
}

#define INVALID_OPCODE       0x052000u
#define INVALID_FIELD        0x052400u
#define OUT_OF_RANGE         0x052100u
#define INVALID_PARAMETER    0x052600u
#define PARAMETER_LENGTH     0x051A00u
#define WRITE_PROTECTED      0x072700u
#define SAVING_NOT_SUPPORTED 0x053900u

#endif
