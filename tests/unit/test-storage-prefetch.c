/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PRE-FETCH: a hint, in core/scsi/storage.c. */
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define TWO_TO_32 (UINT64_C(1) << 32)
#define SECTOR    UINT64_C(512)

static struct scsi_device caching_device(void)
{
    struct scsi_device device = test_device();

    device.cache = true;
    device.max_transfer_blocks = 128;
    return device;
}

static enum storage_step begin(struct storage_command *storage, struct scsi_device *device, uint64_t lba,
                               uint32_t blocks, struct scsi_sense *sense)
{
    struct scsi_command command = {.operation = SCSI_PREFETCH, .lba = lba, .blocks = blocks};

    return storage_begin(storage, device, &command, NULL, 0, sense);
}

static void assert_caches(struct scsi_device *device, uint64_t lba, uint32_t blocks, uint32_t cached)
{
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, device, lba, blocks, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_CACHE);
    assert_int_equal(storage.request.flags, 0);
    assert_int_equal(storage.request.offset, lba * SECTOR);
    assert_int_equal(storage.request.length, cached * SECTOR);
    assert_int_equal(storage.data_length, 0);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void assert_done(struct scsi_device *device, uint64_t lba, uint32_t blocks)
{
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, device, lba, blocks, &sense), STORAGE_DONE);
}

static void assert_refused(struct scsi_device *device, uint64_t lba, uint32_t blocks, unsigned number)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(begin(&storage, device, lba, blocks, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
}

static void prefetch_of_a_range(void **state)
{
    struct scsi_device device = caching_device();

    (void)state;
    assert_caches(&device, 0, 1, 1);
    assert_caches(&device, 1920, 128, 128);
    device.read_only = true;
    assert_caches(&device, 2047, 1, 1);
    device.block_count = TWO_TO_32 + 1;
    assert_caches(&device, TWO_TO_32, 1, 1);
}

static void prefetch_to_the_end(void **state)
{
    struct scsi_device device = caching_device();

    (void)state;
    assert_caches(&device, 2040, 0, 8);
    assert_caches(&device, 1920, 0, 128);
    assert_caches(&device, 0, 0, 128); /* cut */
    device.block_count = TWO_TO_32 + 5;
    assert_caches(&device, 5, 0, 128); /* 2^32 blocks are left, 0 in 32 bits */
    assert_done(&device, TWO_TO_32 + 5, 0);
}

static void prefetch_in_pieces(void **state)
{
    struct scsi_device device = caching_device();
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.max_request_blocks = 100;
    assert_int_equal(begin(&storage, &device, 10, 128, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.length, 100 * 512);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.offset, 110 * SECTOR);
    assert_int_equal(storage.request.length, 28 * 512);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void prefetch_past_the_end(void **state)
{
    struct scsi_device device = caching_device();

    (void)state;
    for (unsigned cache = 0; cache < 2; cache++) {
        device.cache = cache != 0;
        assert_refused(&device, 2048, 1, OUT_OF_RANGE);
        assert_refused(&device, 2047, 2, OUT_OF_RANGE);
        assert_refused(&device, 2049, 0, OUT_OF_RANGE);
        assert_refused(&device, UINT64_MAX, UINT32_MAX, OUT_OF_RANGE);
    }
}

static void prefetch_longer_than_maximum(void **state)
{
    struct scsi_device device = caching_device();

    (void)state;
    assert_refused(&device, 0, 129, INVALID_FIELD);
    assert_refused(&device, 0, 2048, INVALID_FIELD);
}

/* Then there is no maximum, either. */
static void prefetch_without_a_cache(void **state)
{
    struct scsi_device device = caching_device();

    (void)state;
    device.cache = false;
    assert_done(&device, 0, 1);
    assert_done(&device, 0, 0);
    assert_done(&device, 0, 2048);
}

/* Nothing is lost when a hint is not taken. Every other request's error is its command's. */
static void prefetch_errors_do_not_matter(void **state)
{
    struct storage_command storage = {.request = {.operation = IO_CACHE}};

    (void)state;
    assert_false(storage_error_matters(&storage));
    for (int operation = IO_READ; operation <= IO_RESERVE_OUT; operation++) {
        storage.request.operation = (enum io_operation)operation;
        assert_int_equal(storage_error_matters(&storage), operation != IO_CACHE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefetch_of_a_range),
        cmocka_unit_test(prefetch_to_the_end),
        cmocka_unit_test(prefetch_in_pieces),
        cmocka_unit_test(prefetch_past_the_end),
        cmocka_unit_test(prefetch_longer_than_maximum),
        cmocka_unit_test(prefetch_without_a_cache),
        cmocka_unit_test(prefetch_errors_do_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
