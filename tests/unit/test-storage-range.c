/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every command with a range, at the ends of disks of every kind and around the numbers where widths change. */
#include "core/base/bytes.h"
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define TWO_TO_32 (UINT64_C(1) << 32)
#define BYTES_MAX ((uint64_t)INT64_MAX) /* a server's largest export */

static const enum scsi_operation operations[] = {SCSI_READ,     SCSI_WRITE,      SCSI_WRITE_AND_VERIFY,
                                                 SCSI_VERIFY,   SCSI_WRITE_SAME, SCSI_SYNCHRONIZE_CACHE,
                                                 SCSI_PREFETCH, SCSI_UNMAP};

/* 512 native, 512 emulated and 4096 native. */
static const struct kind {
    uint32_t block_size;
    uint8_t exponent;
} kinds[] = {{512, 0}, {512, 3}, {4096, 0}};

static struct scsi_device make_device(const struct kind *kind, uint64_t block_count)
{
    struct scsi_device device = test_device();

    device.block_size = kind->block_size;
    device.physical_block_exponent = kind->exponent;
    device.block_count = block_count;
    device.write_zeroes = true;
    device.max_write_same_blocks = 4096;
    device.cache = true;
    device.byte_check = true;
    return device;
}

/* `data` is what is sent with it: a parameter list, blocks or nothing. */
static enum storage_step begin(struct storage_command *storage, struct scsi_device *device,
                               enum scsi_operation operation, uint64_t lba, uint32_t blocks, struct scsi_sense *sense)
{
    static uint8_t data[16 * 4096];
    static uint8_t compare[STORAGE_COMPARE_MAX];
    struct scsi_command command = {.operation = operation, .lba = lba, .blocks = blocks};
    uint32_t length = operation == SCSI_WRITE_SAME ? device->block_size : sizeof(data);

    memset(data, 0, sizeof(data));
    if (operation == SCSI_UNMAP) {
        command.parameter_length = 24;
        store_be16(data, 22);
        store_be16(data + 2, 16);
        store_be64(data + 8, lba);
        store_be32(data + 16, blocks);
    } else if (operation == SCSI_VERIFY) {
        command.byte_check = BYTE_CHECK_BLOCKS;
    }
    storage->compare = compare;
    *sense = (struct scsi_sense){0};
    return storage_begin(storage, device, &command, data, length, sense);
}

static void assert_within(struct scsi_device *device, enum scsi_operation operation, uint64_t lba, uint32_t blocks)
{
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, device, operation, lba, blocks, &sense), STORAGE_REQUEST);
    if (operation == SCSI_VERIFY) {
        assert_int_equal(storage.request.operation, IO_FLUSH);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    }
    if (operation == SCSI_SYNCHRONIZE_CACHE) {
        assert_int_equal(storage.request.operation, IO_FLUSH);
        return;
    }
    assert_int_equal(storage.request.offset, lba * device->block_size);
    assert_in_range(storage.request.length, device->block_size, blocks * device->block_size);
}

static void assert_outside(struct scsi_device *device, enum scsi_operation operation, uint64_t lba, uint32_t blocks)
{
    uint64_t first = lba > device->block_count ? lba : device->block_count;
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, device, operation, lba, blocks, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), OUT_OF_RANGE);
    assert_true(sense.information_valid);
    assert_int_equal(sense.information, first);
}

static void check_ends(struct scsi_device *device, enum scsi_operation operation)
{
    uint64_t count = device->block_count;

    assert_within(device, operation, 0, 1);
    assert_within(device, operation, count - 1, 1);
    assert_outside(device, operation, count - 1, 2);
    assert_outside(device, operation, count, 1);
    assert_outside(device, operation, count + 1, 1);
    assert_outside(device, operation, UINT64_MAX, 1);
    assert_outside(device, operation, UINT64_MAX, 16);
    if (count > 16) {
        assert_within(device, operation, count - 16, 16);
        assert_outside(device, operation, count - 15, 16);
    }
}

static void ends_of_disks(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(kinds); i++) {
        const uint64_t counts[] = {
            1, 2, 17, UINT32_MAX, TWO_TO_32, TWO_TO_32 + 1, TWO_TO_32 + 2, BYTES_MAX / kinds[i].block_size};

        for (size_t j = 0; j < GUARD_COUNT(counts); j++) {
            for (size_t k = 0; k < GUARD_COUNT(operations); k++) {
                struct scsi_device device = make_device(&kinds[i], counts[j]);

                check_ends(&device, operations[k]);
            }
        }
    }
}

/* On a disk that has all of these. */
static void where_widths_change(void **state)
{
    const uint64_t lbas[] = {UINT32_MAX - 1, UINT32_MAX, TWO_TO_32, TWO_TO_32 + 1, (UINT64_C(1) << 51) - 17};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(kinds); i++) {
        for (size_t j = 0; j < GUARD_COUNT(lbas); j++) {
            for (size_t k = 0; k < GUARD_COUNT(operations); k++) {
                struct scsi_device device = make_device(&kinds[i], BYTES_MAX / kinds[i].block_size);

                assert_within(&device, operations[k], lbas[j], 1);
                assert_within(&device, operations[k], lbas[j], 16);
                assert_outside(&device, operations[k], UINT64_C(1) << 63, 1);
                assert_outside(&device, operations[k], (UINT64_C(1) << 63) - 1, 2);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_of_disks),
        cmocka_unit_test(where_widths_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
