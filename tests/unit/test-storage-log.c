/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LOG SENSE of page 0C as a command; how blocks are counted is in test-used-blocks.c. */
#include "core/base/bytes.h"
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define TWO_TO_32  (UINT64_C(1) << 32)
#define SECTOR     UINT64_C(512)
#define PAGE_WHOLE 16
#define PAGE_EMPTY 4

static uint8_t answer[PAGE_WHOLE];

static struct scsi_device counting_device(uint64_t block_count)
{
    struct scsi_device device = test_device();

    device.block_count = block_count;
    device.block_status = true;
    device.threshold_exponent = device_threshold_exponent(block_count);
    return device;
}

static enum storage_step begin(struct storage_command *storage, struct scsi_device *device, struct scsi_sense *sense)
{
    struct scsi_command command = {.operation = SCSI_LOG_SENSE_PROVISIONING, .allocation_length = UINT16_MAX};

    memset(answer, 0xAA, sizeof(answer));
    return storage_begin(storage, device, &command, answer, sizeof(answer), sense);
}

static void assert_asks(const struct storage_command *storage, uint64_t offset, uint32_t length)
{
    assert_int_equal(storage->request.operation, IO_BLOCK_STATUS);
    assert_int_equal(storage->request.flags, 0);
    assert_int_equal(storage->request.offset, offset);
    assert_int_equal(storage->request.length, length);
    assert_int_equal(storage->data_length, 0);
    assert_true(storage_error_matters(storage));
    assert_true(storage_counts(storage));
}

static void assert_known(const struct storage_command *storage, uint32_t sets)
{
    const uint8_t page[PAGE_WHOLE] = {
        0x8C,          0, 0, 12, 0, 2, 0x23, 8, (uint8_t)(sets >> 24), (uint8_t)(sets >> 16), (uint8_t)(sets >> 8),
        (uint8_t)sets, 1};

    assert_true(storage_has_answer(storage));
    assert_int_equal(storage_answer_length(storage), PAGE_WHOLE);
    assert_memory_equal(answer, page, PAGE_WHOLE);
}

static void assert_unknown(const struct storage_command *storage)
{
    assert_true(storage_has_answer(storage));
    assert_int_equal(storage_answer_length(storage), PAGE_EMPTY);
    assert_memory_equal(answer, "\x8C\0\0\0\xAA", PAGE_EMPTY + 1);
}

static void count_in_one_answer(void **state)
{
    struct scsi_device device = counting_device(2048);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.read_only = true;
    device.unmap = false;
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    assert_asks(&storage, 0, 2048 * 512);
    storage_extent(&storage, 10 * SECTOR, true);
    storage_extent(&storage, 1000 * SECTOR, false);
    storage_extent(&storage, 5 * SECTOR, true);
    storage_extent(&storage, 1033 * SECTOR, false);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, 8); /* 15 blocks are 8 sets of 2, the last one in part */
}

/* Each answer is asked on from, whether it is short or longer than was asked for. */
static void count_in_many_answers(void **state)
{
    struct scsi_device device = counting_device(TWO_TO_32);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(device.threshold_exponent, 9);
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    assert_asks(&storage, 0, STORAGE_TRIM_MAX);
    storage_extent(&storage, 512 * SECTOR, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_asks(&storage, 512 * SECTOR, STORAGE_TRIM_MAX);
    storage_extent(&storage, 512 * SECTOR, false);
    storage_extent(&storage, TWO_TO_32 * 256, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_asks(&storage, TWO_TO_32 * 256 + 1024 * SECTOR, STORAGE_TRIM_MAX);
    storage_extent(&storage, TWO_TO_32 * 256 - 1025 * SECTOR, false);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_asks(&storage, TWO_TO_32 * SECTOR - SECTOR, 512);
    storage_extent(&storage, UINT64_MAX, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, 1 + (1 << 22) + 1);
}

/* An extent that ends within a block: who asks on asks for whole blocks. */
static void answer_ends_within_a_block(void **state)
{
    struct scsi_device device = counting_device(2048);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, SECTOR + 1, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_asks(&storage, SECTOR, 2047 * 512);
    storage_extent(&storage, 1, true);
    storage_extent(&storage, UINT64_MAX, false);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, 1);
}

/* Of less than a block, or of nothing: it would go on like this for ever. */
static void answer_that_leads_nowhere(void **state)
{
    struct scsi_device device = counting_device(2048);

    (void)state;
    for (unsigned length = 0; length < 512; length++) {
        struct storage_command storage;
        struct scsi_sense sense;

        assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
        storage_extent(&storage, 2 * SECTOR, true);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        storage_extent(&storage, length, false);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
        assert_unknown(&storage);
    }
}

static void given_up(void **state)
{
    struct scsi_device device = counting_device(2048);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, 2 * SECTOR, true);
    storage_give_up(&storage);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_unknown(&storage);

    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, 2048 * SECTOR, true);
    storage_give_up(&storage); /* too late: all is known */
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, 1024);
}

/* What another server, or the same one later, says of the rest would not fit what was heard. */
static void begun_again_when_the_backend_is_lost(void **state)
{
    struct scsi_device device = counting_device(2048);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, 2000 * SECTOR, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    storage.request.cookie = 77;
    storage_extent(&storage, 48 * SECTOR, true);
    storage_restart(&storage);
    assert_asks(&storage, 0, 2048 * 512);
    assert_int_equal(storage.request.cookie, 77);
    storage_extent(&storage, 2 * SECTOR, true);
    storage_extent(&storage, 2046 * SECTOR, false);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, 1);
}

/* The shorter of what the initiator takes and what it has room for; nobody counts for nothing. */
static void page_truncated(void **state)
{
    struct scsi_device device = counting_device(2048);

    (void)state;
    for (uint32_t taken = 0; taken <= PAGE_WHOLE + 1; taken++) {
        for (uint32_t room = 0; room <= PAGE_WHOLE + 1; room++) {
            struct scsi_command command = {.operation = SCSI_LOG_SENSE_PROVISIONING, .allocation_length = taken};
            uint32_t length = taken < room ? taken : room;
            uint8_t *data = guard_memory(room);
            struct storage_command storage;
            struct scsi_sense sense;

            memset(data, 0xAA, room);
            length = length < PAGE_WHOLE ? length : PAGE_WHOLE;
            assert_int_equal(storage_begin(&storage, &device, &command, room == 0 ? NULL : data, room, &sense),
                             length == 0 ? STORAGE_DONE : STORAGE_REQUEST);
            if (length != 0) {
                storage_extent(&storage, 2048 * SECTOR, true);
                assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
            }
            assert_int_equal(storage_answer_length(&storage), length);
            assert_memory_equal(data, "\x8C\0\0\x0C\0\2\x23\x08\0\0\4\0\1\0\0\0", length);
            assert_untouched(data + length, data + room);
            guard_free(data, room);
        }
    }
}

static void disk_that_does_not_count(void **state)
{
    struct scsi_device device = test_device();
    struct storage_command storage;
    struct scsi_sense sense = {0};

    (void)state;
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), INVALID_FIELD);
}

/* The exponent is never 0, leaves room to grow, and fits what Windows takes: 32 at most. */
static void exponent_of_each_size(void **state)
{
    static const struct {
        uint64_t blocks;
        uint8_t exponent;
    } sizes[] = {
        {1, 1},
        {2048, 1},
        {(UINT64_C(1) << 25) - 1, 1},
        {UINT64_C(1) << 25, 2},
        {TWO_TO_32 - 1, 8},
        {TWO_TO_32, 9},
        {TWO_TO_32 + 1, 9},
        {(UINT64_C(1) << 45), 22},
        {(UINT64_C(1) << 51) - 1, 23}, /* 2^63 bytes of blocks of 4096 */
        {(UINT64_C(1) << 54) - 1, 23}, /* and of 512 */
    };

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(sizes); i++) {
        assert_int_equal(device_threshold_exponent(sizes[i].blocks), sizes[i].exponent);
        assert_true(sizes[i].blocks >> sizes[i].exponent < TWO_TO_32);
    }
    for (unsigned shift = 0; shift < 54; shift++) {
        uint64_t blocks = UINT64_C(1) << shift;
        uint64_t grown = shift < 46 ? blocks << 8 : (UINT64_C(1) << 54) - 1;

        assert_true(grown >> device_threshold_exponent(blocks) < TWO_TO_32);
    }
}

static void assert_all_in_use(uint64_t block_count, uint32_t sets)
{
    struct scsi_device device = counting_device(block_count);
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, UINT64_MAX, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, sets);
}

static void disks_of_each_size(void **state)
{
    (void)state;
    assert_all_in_use(1, 1);
    assert_all_in_use(2, 1);
    assert_all_in_use(3, 2);
    assert_all_in_use(TWO_TO_32 - 1, 1 << 24);
    assert_all_in_use(TWO_TO_32, 1 << 23);
    assert_all_in_use(TWO_TO_32 + 1, (1 << 23) + 1);
    assert_all_in_use((UINT64_C(1) << 51) - 1, 1 << 28);
    assert_all_in_use((UINT64_C(1) << 54) - 1, 1u << 31);
}

/* More threshold sets than the field holds: the disk has grown by more than there was room for. */
static void count_that_does_not_fit(void **state)
{
    struct scsi_device device = counting_device(1);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device_resize(&device, 2 * TWO_TO_32);
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, (2 * TWO_TO_32 - 2) * SECTOR, true);
    storage_extent(&storage, 2 * SECTOR, false);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_known(&storage, UINT32_MAX);
    assert_int_equal(begin(&storage, &device, &sense), STORAGE_REQUEST);
    storage_extent(&storage, UINT64_MAX, true);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_unknown(&storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(count_in_one_answer),
        cmocka_unit_test(count_in_many_answers),
        cmocka_unit_test(answer_ends_within_a_block),
        cmocka_unit_test(answer_that_leads_nowhere),
        cmocka_unit_test(given_up),
        cmocka_unit_test(begun_again_when_the_backend_is_lost),
        cmocka_unit_test(page_truncated),
        cmocka_unit_test(disk_that_does_not_count),
        cmocka_unit_test(exponent_of_each_size),
        cmocka_unit_test(disks_of_each_size),
        cmocka_unit_test(count_that_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
