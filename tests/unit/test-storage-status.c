/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET LBA STATUS as a command; what its answer looks like is in test-lba-status.c. */
#include "core/base/bytes.h"
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define TWO_TO_32 (UINT64_C(1) << 32)
#define SECTOR    UINT64_C(512)

static uint8_t answer[8 + 16 * 4];

static struct scsi_device telling_device(void)
{
    struct scsi_device device = test_device();

    device.block_status = true;
    return device;
}

static enum storage_step begin(struct storage_command *storage, struct scsi_device *device, uint64_t lba,
                               uint32_t allocation_length, struct scsi_sense *sense)
{
    struct scsi_command command = {
        .operation = SCSI_GET_LBA_STATUS, .lba = lba, .allocation_length = allocation_length};

    return storage_begin(storage, device, &command, answer, sizeof(answer), sense);
}

static void assert_asks(struct scsi_device *device, uint64_t lba, uint32_t allocation_length, uint32_t length,
                        uint32_t flags)
{
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, device, lba, allocation_length, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_BLOCK_STATUS);
    assert_int_equal(storage.request.flags, flags);
    assert_int_equal(storage.request.offset, lba * device->block_size);
    assert_int_equal(storage.request.length, length);
    assert_int_equal(storage.data_length, 0);
    assert_true(storage_error_matters(&storage));
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_true(storage_has_answer(&storage));
}

static void assert_refused(struct scsi_device *device, uint64_t lba, unsigned number)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(begin(&storage, device, lba, sizeof(answer), &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
}

static void assert_descriptor(unsigned index, uint64_t lba, uint32_t blocks, uint8_t provisioning)
{
    const uint8_t *descriptor = answer + 8 + (size_t)index * 16;

    assert_int_equal(load_be64(descriptor), lba);
    assert_int_equal(load_be32(descriptor + 8), blocks);
    assert_int_equal(descriptor[12], provisioning);
}

static void status_asks_up_to_the_end(void **state)
{
    struct scsi_device device = telling_device();

    (void)state;
    assert_asks(&device, 0, sizeof(answer), 2048 * 512, 0);
    assert_asks(&device, 2047, sizeof(answer), 512, 0);
    device.read_only = true;
    device.unmap = false;
    assert_asks(&device, 5, sizeof(answer), 2043 * 512, 0);
    device.block_count = UINT64_MAX / SECTOR;
    assert_asks(&device, TWO_TO_32, sizeof(answer), STORAGE_TRIM_MAX, 0);
    device.block_size = 4096;
    device.block_count = UINT64_MAX / 4096;
    assert_asks(&device, 1, sizeof(answer), STORAGE_TRIM_MAX, 0);
}

static void status_of_one_extent(void **state)
{
    struct scsi_device device = telling_device();

    (void)state;
    assert_asks(&device, 0, 0, 2048 * 512, IO_ONE_EXTENT);
    assert_asks(&device, 0, 24, 2048 * 512, IO_ONE_EXTENT);
    assert_asks(&device, 0, 39, 2048 * 512, IO_ONE_EXTENT);
    assert_asks(&device, 0, 40, 2048 * 512, 0);
}

static void status_answered_by_the_backend(void **state)
{
    struct scsi_device device = telling_device();
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, 100, UINT32_MAX, &sense), STORAGE_REQUEST);
    storage_extent(&storage, 1000, false); /* the first answer is lost on its way */
    storage_restart(&storage);
    assert_int_equal(storage.request.offset, 100 * SECTOR);
    storage_extent(&storage, 10 * SECTOR + 1, true);
    storage_extent(&storage, UINT64_MAX, false);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_int_equal(storage_answer_length(&storage), 40);
    assert_int_equal(load_be32(answer), 36);
    assert_descriptor(0, 100, 11, 0);
    assert_descriptor(1, 111, 2048 - 111, 1);
}

/* The shorter of what the initiator takes and what it has room for. */
static void status_answer_truncated(void **state)
{
    struct scsi_device device = telling_device();
    struct scsi_command command = {.operation = SCSI_GET_LBA_STATUS, .allocation_length = 40};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    for (uint32_t room = 0; room <= sizeof(answer); room++) {
        uint8_t *data = guard_memory(room);

        assert_int_equal(storage_begin(&storage, &device, &command, room == 0 ? NULL : data, room, &sense),
                         STORAGE_REQUEST);
        storage_extent(&storage, 512, true);
        storage_extent(&storage, 512, false);
        storage_extent(&storage, 512, true);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
        assert_int_equal(storage_answer_length(&storage), room < 24 ? room : room < 40 ? 24 : 40);
        guard_free(data, room);
    }
}

static void status_without_block_status(void **state)
{
    struct scsi_device device = test_device();
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, 48, sizeof(answer), &sense), STORAGE_DONE);
    assert_true(storage_has_answer(&storage));
    assert_int_equal(storage_answer_length(&storage), 24);
    assert_descriptor(0, 48, 2000, 0);
    device.block_count = TWO_TO_32 + 48;
    assert_int_equal(begin(&storage, &device, 48, sizeof(answer), &sense), STORAGE_DONE);
    assert_int_equal(storage_answer_length(&storage), 40);
    assert_descriptor(0, 48, UINT32_MAX, 0);
    assert_descriptor(1, TWO_TO_32 + 47, 1, 0);
    assert_int_equal(begin(&storage, &device, 0, 0, &sense), STORAGE_DONE);
    assert_int_equal(storage_answer_length(&storage), 0);
}

static void status_not_supported(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.unmap = false;
    assert_refused(&device, 0, INVALID_OPCODE);
    assert_refused(&device, 2048, INVALID_OPCODE);
}

static void status_past_the_end(void **state)
{
    struct scsi_device device = telling_device();

    (void)state;
    for (unsigned told = 0; told < 2; told++) {
        device.block_status = told != 0;
        assert_refused(&device, 2048, OUT_OF_RANGE);
        assert_refused(&device, TWO_TO_32, OUT_OF_RANGE);
        assert_refused(&device, UINT64_MAX, OUT_OF_RANGE);
    }
}

/* An extent that nobody asked for changes nothing. */
static void status_for_another_command(void **state)
{
    struct scsi_device device = telling_device();
    struct scsi_command command = {.operation = SCSI_SYNCHRONIZE_CACHE};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_REQUEST);
    storage_extent(&storage, 512, true);
    assert_false(storage_has_answer(&storage));
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_asks_up_to_the_end),
        cmocka_unit_test(status_of_one_extent),
        cmocka_unit_test(status_answered_by_the_backend),
        cmocka_unit_test(status_answer_truncated),
        cmocka_unit_test(status_without_block_status),
        cmocka_unit_test(status_not_supported),
        cmocka_unit_test(status_past_the_end),
        cmocka_unit_test(status_for_another_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
