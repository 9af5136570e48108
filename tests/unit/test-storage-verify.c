/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define BLOCKS     40 /* of 512 bytes: five reads */
#define MISCOMPARE 0x0E1D00u

static uint8_t medium[BLOCKS * 512];
static uint8_t sent[BLOCKS * 512];

static struct scsi_device comparing_device(void)
{
    struct scsi_device device = test_device();

    device.byte_check = true;
    return device;
}

static void fill(uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    }
}

static struct scsi_command verify(uint8_t byte_check, uint64_t lba, uint32_t blocks)
{
    return (struct scsi_command){.operation = SCSI_VERIFY, .byte_check = byte_check, .lba = lba, .blocks = blocks};
}

/* Runs a VERIFY whose LBA stands for the beginning of `medium`. The sent data ends at a forbidden page. */
static enum storage_step run(struct scsi_device *device, struct scsi_command command, uint32_t data_length,
                             uint32_t *reads, struct scsi_sense *sense)
{
    struct storage_command storage;
    uint8_t *buffer = guard_memory(STORAGE_COMPARE_MAX);
    uint8_t *data = guard_copy(sent, data_length);
    uint64_t begin = command.lba * device->block_size;
    bool flushed = false;
    enum storage_step step;

    *sense = (struct scsi_sense){0};
    storage.compare = buffer;
    *reads = 0;
    for (step = storage_begin(&storage, device, &command, data, data_length, sense); step == STORAGE_REQUEST;
         step = storage_next(&storage, sense)) {
        if (device->write_cache && *reads == 0 && !flushed) {
            assert_int_equal(storage.request.operation, IO_FLUSH);
            flushed = true;
            continue;
        }
        assert_int_equal(storage.request.operation, IO_READ);
        assert_int_equal(storage.request.flags, 0);
        assert_in_range(storage.request.length, device->block_size, STORAGE_COMPARE_MAX);
        assert_int_equal(storage.request.length % device->block_size, 0);
        assert_in_range(storage.request.offset - begin, 0, sizeof(medium) - storage.request.length);
        memset(buffer, 0xEE, STORAGE_COMPARE_MAX);
        memcpy(buffer, medium + (storage.request.offset - begin), storage.request.length);
        ++*reads;
        storage_restart(&storage); /* as if the connection had been lost: the same is read again */
    }
    assert_int_equal(storage.data_length, 0);
    guard_free(data, data_length);
    guard_free(buffer, STORAGE_COMPARE_MAX);
    return step;
}

static void assert_same(struct scsi_device *device, struct scsi_command command, uint32_t data_length, uint32_t reads)
{
    struct scsi_sense sense;
    uint32_t found;

    assert_int_equal(run(device, command, data_length, &found, &sense), STORAGE_DONE);
    assert_int_equal(found, reads);
}

static void assert_differs(struct scsi_device *device, struct scsi_command command, uint32_t data_length, uint64_t lba)
{
    struct scsi_sense sense;
    uint32_t reads;

    assert_int_equal(run(device, command, data_length, &reads, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), MISCOMPARE);
    assert_true(sense.information_valid);
    assert_int_equal(sense.information, lba);
}

static void assert_refused(struct scsi_device *device, struct scsi_command command, uint32_t data_length,
                           unsigned number)
{
    struct scsi_sense sense;
    uint32_t reads;

    assert_int_equal(run(device, command, data_length, &reads, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
    assert_int_equal(reads, 0);
}

static void blocks_are_the_same(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    fill(medium, sizeof(medium));
    fill(sent, sizeof(sent));
    for (uint32_t blocks = 1; blocks <= BLOCKS; blocks++) {
        assert_same(&device, verify(BYTE_CHECK_BLOCKS, 5, blocks), blocks * 512, (blocks + 7) / 8);
    }
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, 2048 - BLOCKS, BLOCKS), sizeof(sent), BLOCKS / 8);
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, 0, 0), 0, 0);
    assert_same(&device, verify(BYTE_CHECK_ONE_BLOCK, 2048, 0), 0, 0);
}

/* What is compared is the medium. */
static void without_cache(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    fill(medium, sizeof(medium));
    fill(sent, sizeof(sent));
    device.write_cache = false;
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, 5, BLOCKS), sizeof(sent), BLOCKS / 8);
}

static void without_comparison_only_flushes(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = verify(BYTE_CHECK_NONE, 0, 2048);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_FLUSH);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    command.blocks = 0;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_DONE);
    command.blocks = 1;
    device.read_only = true;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_DONE);
}

static void backend_takes_less_at_once(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    fill(medium, sizeof(medium));
    fill(sent, sizeof(sent));
    device.max_request_blocks = 3;
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, 5, BLOCKS), sizeof(sent), (BLOCKS + 2) / 3);
    device.block_size = 4096;
    device.max_request_blocks = 0;
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, 5, BLOCKS / 8), sizeof(sent), BLOCKS / 8);
}

/* Each byte counts, and the first block with a difference is told. */
static void one_byte_differs(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    fill(medium, sizeof(medium));
    fill(sent, sizeof(sent));
    for (uint32_t at = 0; at < sizeof(medium); at += at % 512 == 511 || at % 512 == 0 ? 1 : 73) {
        medium[at] ^= 0x80;
        assert_differs(&device, verify(BYTE_CHECK_BLOCKS, 1000, BLOCKS), sizeof(sent), 1000 + at / 512);
        medium[at] ^= 0x80;
    }
    medium[511] ^= 1;
    medium[513] ^= 1;
    assert_differs(&device, verify(BYTE_CHECK_BLOCKS, 0, BLOCKS), sizeof(sent), 0);
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, 0, 0), 0, 0);
}

static void one_block_for_all(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    fill(sent, 512);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        memcpy(medium + i * 512, sent, 512);
    }
    assert_same(&device, verify(BYTE_CHECK_ONE_BLOCK, 7, BLOCKS), 512, BLOCKS / 8);
    device.max_request_blocks = 5;
    assert_same(&device, verify(BYTE_CHECK_ONE_BLOCK, 7, BLOCKS), 512, BLOCKS / 5);
    medium[sizeof(medium) - 1] ^= 1;
    assert_differs(&device, verify(BYTE_CHECK_ONE_BLOCK, 7, BLOCKS), 512, 7 + BLOCKS - 1);
}

static void far_away(void **state)
{
    struct scsi_device device = comparing_device();
    uint64_t lba = (UINT64_C(1) << 54) - 1; /* the last block of a disk of 2^63 bytes */

    (void)state;
    fill(medium, sizeof(medium));
    fill(sent, sizeof(sent));
    device.block_count = UINT64_C(1) << 54;
    assert_same(&device, verify(BYTE_CHECK_BLOCKS, lba, 1), 512, 1);
    assert_refused(&device, verify(BYTE_CHECK_BLOCKS, lba, 2), 1024, OUT_OF_RANGE);
    medium[0] ^= 1;
    assert_differs(&device, verify(BYTE_CHECK_BLOCKS, lba, 1), 512, lba);
}

static void refusals(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    assert_refused(&device, verify(BYTE_CHECK_BLOCKS, 0, 2), 1023, INVALID_FIELD);
    assert_refused(&device, verify(BYTE_CHECK_ONE_BLOCK, 0, 2), 511, INVALID_FIELD);
    assert_refused(&device, verify(BYTE_CHECK_BLOCKS, 2047, 2), 1024, OUT_OF_RANGE);
    device.max_transfer_blocks = 1;
    assert_refused(&device, verify(BYTE_CHECK_BLOCKS, 0, 2), 1024, INVALID_FIELD);
    assert_refused(&device, verify(BYTE_CHECK_ONE_BLOCK, 0, 2), 1024, INVALID_FIELD);
    device.byte_check = false;
    assert_refused(&device, verify(BYTE_CHECK_BLOCKS, 0, 1), 512, INVALID_FIELD);
    assert_refused(&device, verify(BYTE_CHECK_ONE_BLOCK, 5000, 0), 512, INVALID_FIELD);
}

static void no_data_at_all(void **state)
{
    struct scsi_device device = comparing_device();
    struct scsi_command command = verify(BYTE_CHECK_BLOCKS, 0, 1);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 512, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), INVALID_FIELD);
}

/* ---- WRITE AND VERIFY ---- */

static void assert_written(struct scsi_device *device, uint32_t flags, bool flushes)
{
    struct scsi_command command = {.operation = SCSI_WRITE_AND_VERIFY, .lba = 3, .blocks = 4};
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(storage_begin(&storage, device, &command, NULL, 4 * 512, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_WRITE);
    assert_int_equal(storage.request.flags, flags);
    assert_int_equal(storage.request.offset, 3 * 512);
    assert_int_equal(storage.request.length, 4 * 512);
    assert_int_equal(storage.data_length, 4 * 512);
    if (flushes) {
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        assert_int_equal(storage.request.operation, IO_FLUSH);
    }
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void write_and_verify_reaches_the_medium(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_written(&device, IO_FUA, false);
    device.fua_by_flush = true;
    assert_written(&device, 0, true);
    device.fua_by_flush = false;
    device.fua = false;
    assert_written(&device, 0, true);
    device.write_cache = false;
    assert_written(&device, 0, false);
}

/* What a WRITE AND VERIFY with BYTCHK does to `medium`, where LBA 3 stands for its beginning: in the order of `steps`,
 * with each request lost once if `loses`, and with the byte at `broken` written wrongly. */
static enum storage_step write_and_compare(struct scsi_device *device, uint32_t blocks, bool loses, uint32_t broken,
                                           char *steps, struct scsi_sense *sense)
{
    struct scsi_command command = {
        .operation = SCSI_WRITE_AND_VERIFY, .byte_check = BYTE_CHECK_BLOCKS, .lba = 3, .blocks = blocks};
    static uint8_t compare[STORAGE_COMPARE_MAX];
    struct storage_command storage;
    enum storage_step step;
    bool lost = false;

    for (step = storage_begin(&storage, device, &command, sent, blocks * 512, sense); step == STORAGE_REQUEST;) {
        uint8_t *there = medium + storage.request.offset - 3 * 512;

        if (loses && !lost) {
            storage_restart(&storage);
            lost = true;
            continue;
        }
        lost = false;
        assert_int_equal(storage_compares(&storage), storage.request.operation == IO_READ);
        if (storage.request.operation == IO_WRITE) {
            *steps++ = storage.request.flags == IO_FUA ? 'W' : 'w';
            memcpy(there, sent + storage.data_offset, storage.request.length);
            medium[broken] ^= 1;
        } else if (storage.request.operation == IO_READ) {
            *steps++ = 'r';
            assert_int_equal(storage.request.flags, 0);
            assert_int_equal(storage.data_offset, 0);
            assert_in_range(storage.request.length, 512, STORAGE_COMPARE_MAX);
            memcpy(compare, there, storage.request.length);
            storage.compare = compare;
        } else {
            assert_int_equal(storage.request.operation, IO_FLUSH);
            *steps++ = 'f';
        }
        step = storage_next(&storage, sense);
    }
    *steps = 0;
    return step;
}

#define UNBROKEN (sizeof(medium) - 1)

static void assert_compared(struct scsi_device *device, uint32_t blocks, bool loses, const char *expected)
{
    struct scsi_sense sense;
    char steps[40];

    memset(medium, 0, sizeof(medium));
    fill(sent, sizeof(sent));
    assert_int_equal(write_and_compare(device, blocks, loses, UNBROKEN, steps, &sense), STORAGE_DONE);
    assert_string_equal(steps, expected);
    assert_memory_equal(medium, sent, blocks * 512);
}

static void write_and_verify_compares(void **state)
{
    struct scsi_device device = comparing_device();

    (void)state;
    assert_compared(&device, 1, false, "Wr");
    assert_compared(&device, 17, false, "Wrrr");
    device.max_request_blocks = 5;
    assert_compared(&device, 6, false, "WWrr");
    device.fua_by_flush = true;
    assert_compared(&device, 6, false, "wwfrr");
    device.write_cache = false;
    device.fua = device.fua_by_flush = false;
    assert_compared(&device, 6, false, "wwrr");
    assert_compared(&device, 0, false, "");
}

/* A flush that was lost takes the writes before it along, a read that was lost nothing. */
static void write_and_verify_loses_its_backend(void **state)
{
    struct scsi_device device = comparing_device();
    struct scsi_command command = {
        .operation = SCSI_WRITE_AND_VERIFY, .byte_check = BYTE_CHECK_BLOCKS, .lba = 3, .blocks = 1};
    static uint8_t compare[STORAGE_COMPARE_MAX];
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_compared(&device, 17, true, "Wrrr");
    device.fua_by_flush = true;
    assert_int_equal(storage_begin(&storage, &device, &command, sent, 512, &sense), STORAGE_REQUEST);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.operation, IO_FLUSH);
    storage_restart(&storage);
    assert_int_equal(storage.request.operation, IO_WRITE);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    storage_restart(&storage);
    assert_int_equal(storage.request.operation, IO_READ);
    assert_int_equal(storage.request.offset, 3 * 512);
    memcpy(compare, sent, 512);
    storage.compare = compare;
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void write_and_verify_miscompares(void **state)
{
    struct scsi_device device = comparing_device();
    struct scsi_sense sense;
    char steps[40];

    (void)state;
    fill(sent, sizeof(sent));
    assert_int_equal(write_and_compare(&device, 20, false, 17 * 512 + 511, steps, &sense), STORAGE_REFUSED);
    assert_string_equal(steps, "Wrrr");
    assert_int_equal(sense_number(&sense), MISCOMPARE);
    assert_true(sense.information_valid);
    assert_int_equal(sense.information, 3 + 17);
}

static void write_and_verify_cannot_compare(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = {
        .operation = SCSI_WRITE_AND_VERIFY, .byte_check = BYTE_CHECK_BLOCKS, .lba = 3, .blocks = 1};
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(storage_begin(&storage, &device, &command, sent, 512, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), INVALID_FIELD);
    device.byte_check = true;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 512, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), INVALID_FIELD);
}

static void assert_write_refused(struct scsi_device *device, uint64_t lba, uint32_t blocks, unsigned number)
{
    struct scsi_command command = {.operation = SCSI_WRITE_AND_VERIFY, .lba = lba, .blocks = blocks};
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(storage_begin(&storage, device, &command, NULL, 1024, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
}

static void write_and_verify_refusals(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_write_refused(&device, 2047, 2, OUT_OF_RANGE);
    assert_write_refused(&device, 0, 3, INVALID_FIELD);
    device.read_only = true;
    assert_write_refused(&device, 0, 1, WRITE_PROTECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_the_same),
        cmocka_unit_test(without_cache),
        cmocka_unit_test(without_comparison_only_flushes),
        cmocka_unit_test(backend_takes_less_at_once),
        cmocka_unit_test(one_byte_differs),
        cmocka_unit_test(one_block_for_all),
        cmocka_unit_test(far_away),
        cmocka_unit_test(refusals),
        cmocka_unit_test(no_data_at_all),
        cmocka_unit_test(write_and_verify_reaches_the_medium),
        cmocka_unit_test(write_and_verify_compares),
        cmocka_unit_test(write_and_verify_loses_its_backend),
        cmocka_unit_test(write_and_verify_miscompares),
        cmocka_unit_test(write_and_verify_cannot_compare),
        cmocka_unit_test(write_and_verify_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
