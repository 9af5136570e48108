/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WRITE SAME: core/scsi/storage_same.c. */
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#include <string.h>

#define TWO_TO_32 (UINT64_C(1) << 32)
#define SECTOR    UINT64_C(512)

static uint8_t zeroes[4096];

static struct scsi_device zeroing_device(void)
{
    struct scsi_device device = test_device();

    device.write_zeroes = true;
    device.max_write_same_blocks = 1000;
    return device;
}

static struct scsi_command same(uint64_t lba, uint32_t blocks)
{
    struct scsi_command command = {.operation = SCSI_WRITE_SAME, .lba = lba, .blocks = blocks};

    return command;
}

static enum storage_step begin(struct storage_command *storage, struct scsi_device *device, struct scsi_command command,
                               struct scsi_sense *sense)
{
    return storage_begin(storage, device, &command, zeroes, device->block_size, sense);
}

static void assert_zeroes(const struct storage_command *storage, uint64_t offset, uint32_t length, uint32_t flags)
{
    assert_int_equal(storage->request.operation, IO_WRITE_ZEROES);
    assert_int_equal(storage->request.flags, flags);
    assert_int_equal(storage->request.offset, offset);
    assert_int_equal(storage->request.length, length);
    assert_int_equal(storage->request.cookie, 0);
    assert_int_equal(storage->data_length, 0);
    assert_true(storage_error_matters(storage));
}

static void assert_begins(struct scsi_device *device, struct scsi_command command, uint32_t flags)
{
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(begin(&storage, device, command, &sense), STORAGE_REQUEST);
    assert_zeroes(&storage, command.lba * device->block_size, command.blocks * device->block_size, flags);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void assert_refused(struct scsi_device *device, struct scsi_command command, unsigned number)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(begin(&storage, device, command, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
}

static void same_of_zeroes(void **state)
{
    struct scsi_device device = zeroing_device();

    (void)state;
    assert_begins(&device, same(0, 1), IO_NO_HOLE);
    assert_begins(&device, same(7, 1000), IO_NO_HOLE);
    assert_begins(&device, same(2047, 1), IO_NO_HOLE);
    device.block_size = 4096;
    assert_begins(&device, same(2047, 1), IO_NO_HOLE);
}

/* UNMAP is a leave to make holes, whether the disk has UNMAP or not: the blocks read as zeroes in either case. */
static void same_that_may_unmap(void **state)
{
    struct scsi_device device = zeroing_device();
    struct scsi_command command = same(5, 6);

    (void)state;
    command.unmap = true;
    assert_begins(&device, command, 0);
    device.unmap = false;
    assert_begins(&device, command, 0);
}

static void same_in_pieces(void **state)
{
    const uint32_t lengths[] = {8 * 512, 8 * 512, 4 * 512};
    struct scsi_device device = zeroing_device();
    struct storage_command storage;
    struct scsi_sense sense;
    uint64_t offset = 100 * SECTOR;

    (void)state;
    device.max_request_blocks = 8;
    assert_int_equal(begin(&storage, &device, same(100, 20), &sense), STORAGE_REQUEST);
    for (size_t piece = 0; piece < GUARD_COUNT(lengths); piece++) {
        assert_zeroes(&storage, offset, lengths[piece], IO_NO_HOLE);
        offset += lengths[piece];
        assert_int_equal(storage_next(&storage, &sense),
                         piece + 1 < GUARD_COUNT(lengths) ? STORAGE_REQUEST : STORAGE_DONE);
    }
}

static void same_longer_than_4_gib(void **state)
{
    struct scsi_device device = zeroing_device();
    struct storage_command storage;
    struct scsi_sense sense;
    uint64_t at = SECTOR;

    (void)state;
    device.max_write_same_blocks = UINT32_MAX;
    device.block_count = TWO_TO_32;
    for (enum storage_step step = begin(&storage, &device, same(1, UINT32_MAX), &sense); step == STORAGE_REQUEST;
         step = storage_next(&storage, &sense)) {
        assert_int_equal(storage.request.offset, at);
        assert_int_not_equal(storage.request.length, 0);
        at += storage.request.length;
    }
    assert_int_equal(at, TWO_TO_32 * SECTOR);
}

static void same_not_supported(void **state)
{
    struct scsi_device device = zeroing_device();
    struct scsi_command command = same(0, 1);

    (void)state;
    command.anchor = true;
    assert_refused(&device, command, INVALID_FIELD);
    command.unmap = true;
    assert_refused(&device, command, INVALID_FIELD);
    device.write_zeroes = false;
    assert_refused(&device, command, INVALID_OPCODE);
    assert_refused(&device, same(0, 1), INVALID_OPCODE);
}

static void same_on_read_only_disk(void **state)
{
    struct scsi_device device = zeroing_device();

    (void)state;
    device.read_only = true;
    assert_refused(&device, same(0, 1), WRITE_PROTECTED);
    assert_refused(&device, same(0, 0), WRITE_PROTECTED);
}

static void same_of_no_or_too_many_blocks(void **state)
{
    struct scsi_device device = zeroing_device();

    (void)state;
    assert_refused(&device, same(0, 0), INVALID_FIELD);
    assert_refused(&device, same(2048, 0), INVALID_FIELD);
    assert_refused(&device, same(0, 1001), INVALID_FIELD);
    assert_refused(&device, same(0, UINT32_MAX), INVALID_FIELD);
}

static void assert_out_of_range(struct scsi_device *device, uint64_t lba, uint32_t blocks, uint64_t information)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(begin(&storage, device, same(lba, blocks), &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), OUT_OF_RANGE);
    assert_true(sense.information_valid);
    assert_int_equal(sense.information, information);
}

static void same_past_the_end(void **state)
{
    struct scsi_device device = zeroing_device();

    (void)state;
    assert_out_of_range(&device, 2048, 1, 2048);
    assert_out_of_range(&device, 2047, 2, 2048);
    assert_out_of_range(&device, 1049, 1000, 2048);
    assert_out_of_range(&device, TWO_TO_32, 1, TWO_TO_32);
    assert_out_of_range(&device, UINT64_MAX, 1, UINT64_MAX);
}

/* Where nothing has room to write another from: every bit of the block is looked at, and nothing behind it. */
static void same_of_a_pattern(void **state)
{
    struct scsi_device device = zeroing_device();
    struct scsi_command command = same(0, 1);
    struct storage_command storage;
    uint8_t *block = guard_memory(512);
    struct scsi_sense sense;

    (void)state;
    for (unsigned at = 0; at < 512; at++) {
        block[at] = (uint8_t)(1u << at % 8);
        assert_int_equal(storage_begin(&storage, &device, &command, block, 512, &sense), STORAGE_REFUSED);
        assert_int_equal(sense_number(&sense), INVALID_PARAMETER);
        block[at] = 0;
    }
    assert_int_equal(storage_begin(&storage, &device, &command, block, 512, &sense), STORAGE_REQUEST);
    guard_free(block, 512);
}

static void same_block_of_another_length(void **state)
{
    struct scsi_device device = zeroing_device();
    struct scsi_command command = same(0, 1);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    for (uint32_t length = 0; length < 512; length++) {
        uint8_t *block = guard_memory(length);

        assert_int_equal(storage_begin(&storage, &device, &command, block, length, &sense), STORAGE_REFUSED);
        assert_int_equal(sense_number(&sense), PARAMETER_LENGTH);
        guard_free(block, length);
    }
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 512, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), PARAMETER_LENGTH);
    for (uint32_t length = 513; length <= sizeof(zeroes); length++) {
        assert_int_equal(storage_begin(&storage, &device, &command, zeroes, length, &sense), STORAGE_REFUSED);
        assert_int_equal(sense_number(&sense), PARAMETER_LENGTH);
    }
}

static void same_without_a_block(void **state)
{
    struct scsi_device device = zeroing_device();
    struct scsi_command command = same(9, 3);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    command.no_data = true;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 0, &sense), STORAGE_REQUEST);
    assert_zeroes(&storage, 9 * SECTOR, 3 * 512, IO_NO_HOLE);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

/* ---- Any block, by writes ---- */

static uint8_t pattern[STORAGE_PATTERN_MAX];

static struct scsi_device writing_device(void)
{
    struct scsi_device device = zeroing_device();

    device.pattern = true;
    return device;
}

static enum storage_step begin_block(struct storage_command *storage, struct scsi_device *device,
                                     struct scsi_command command, uint8_t *block, struct scsi_sense *sense)
{
    enum storage_step step =
        storage_begin(storage, device, &command, block, block == NULL ? 0 : device->block_size, sense);

    memset(pattern, 0xEE, sizeof(pattern));
    if (step == STORAGE_REQUEST && storage_writes_pattern(storage)) {
        storage_put_pattern(storage, pattern);
    }
    return step;
}

static void assert_writes(const struct storage_command *storage, uint64_t offset, uint32_t length, uint32_t flags)
{
    assert_int_equal(storage->request.operation, IO_WRITE);
    assert_int_equal(storage->request.flags, flags);
    assert_int_equal(storage->request.offset, offset);
    assert_int_equal(storage->request.length, length);
    assert_int_equal(storage->data_length, 0);
    assert_true(storage_writes_pattern(storage));
    assert_true(storage_error_matters(storage));
}

static void fill_block(uint8_t *block, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        block[i] = (uint8_t)(i * 7 + i / 256 + 1);
    }
}

/* Pieces of `piece` bytes at most, from memory that holds the block again and again. */
static void assert_written(struct scsi_device *device, uint32_t blocks, uint32_t piece)
{
    uint8_t *block = guard_memory(device->block_size);
    struct storage_command storage;
    struct scsi_sense sense;
    uint64_t at = 3 * (uint64_t)device->block_size;
    uint64_t end = at + (uint64_t)blocks * device->block_size;
    enum storage_step step;

    fill_block(block, device->block_size);
    step = begin_block(&storage, device, same(3, blocks), block, &sense);
    for (uint32_t i = 0; i < STORAGE_PATTERN_MAX; i++) {
        assert_int_equal(pattern[i], i < storage.request.length ? block[i % device->block_size] : 0xEE);
    }
    for (; at < end; at += piece) {
        assert_int_equal(step, STORAGE_REQUEST);
        assert_writes(&storage, at, end - at < piece ? (uint32_t)(end - at) : piece, 0);
        step = storage_next(&storage, &sense);
    }
    assert_int_equal(step, STORAGE_DONE);
    guard_free(block, device->block_size);
}

static void same_of_any_block(void **state)
{
    struct scsi_device device = writing_device();

    (void)state;
    assert_written(&device, 1, STORAGE_PATTERN_MAX);
    assert_written(&device, 32, STORAGE_PATTERN_MAX);
    assert_written(&device, 33, STORAGE_PATTERN_MAX);
    assert_written(&device, 1000, STORAGE_PATTERN_MAX);
    device.max_request_blocks = 7;
    assert_written(&device, 1000, 7 * 512);
    device.block_size = 4096;
    device.max_request_blocks = 0;
    assert_written(&device, 1000, STORAGE_PATTERN_MAX);
}

static void same_of_zeroes_where_they_are_written(void **state)
{
    struct scsi_device device = writing_device();
    struct scsi_command command = same(9, 3);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(begin_block(&storage, &device, command, zeroes, &sense), STORAGE_REQUEST);
    assert_false(storage_writes_pattern(&storage));
    assert_zeroes(&storage, 9 * SECTOR, 3 * 512, IO_NO_HOLE);
    device.write_zeroes = false;
    assert_int_equal(begin_block(&storage, &device, command, zeroes, &sense), STORAGE_REQUEST);
    assert_writes(&storage, 9 * SECTOR, 3 * 512, 0);
    assert_int_equal(pattern[0], 0);
    command.no_data = true;
    assert_int_equal(begin_block(&storage, &device, command, NULL, &sense), STORAGE_REQUEST);
    assert_writes(&storage, 9 * SECTOR, 3 * 512, 0);
    for (uint32_t i = 0; i < STORAGE_PATTERN_MAX; i++) {
        assert_int_equal(pattern[i], i < storage.request.length ? 0 : 0xEE);
    }
}

/* Without a cache that is written through, each piece is on the medium; else one flush follows. A lost connection
 * begins all again. */
static void same_of_any_block_written_through(void **state)
{
    struct scsi_device device = writing_device();
    struct storage_command storage;
    struct scsi_sense sense;
    uint8_t block[512];

    (void)state;
    fill_block(block, sizeof(block));
    device.write_cache = true;
    device.write_through = true;
    device.fua = true;
    device.fua_by_flush = true;
    assert_int_equal(begin_block(&storage, &device, same(0, 40), block, &sense), STORAGE_REQUEST);
    for (unsigned turn = 0; turn < 2; turn++) {
        assert_writes(&storage, 0, STORAGE_PATTERN_MAX, 0);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        assert_writes(&storage, STORAGE_PATTERN_MAX, 8 * 512, 0);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        assert_int_equal(storage.request.operation, IO_FLUSH);
        if (turn == 0) {
            storage_restart(&storage);
        }
    }
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    device.fua_by_flush = false;
    assert_int_equal(begin_block(&storage, &device, same(0, 40), block, &sense), STORAGE_REQUEST);
    assert_writes(&storage, 0, STORAGE_PATTERN_MAX, IO_FUA);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    assert_writes(&storage, STORAGE_PATTERN_MAX, 8 * 512, IO_FUA);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_of_zeroes),
        cmocka_unit_test(same_that_may_unmap),
        cmocka_unit_test(same_in_pieces),
        cmocka_unit_test(same_longer_than_4_gib),
        cmocka_unit_test(same_not_supported),
        cmocka_unit_test(same_on_read_only_disk),
        cmocka_unit_test(same_of_no_or_too_many_blocks),
        cmocka_unit_test(same_past_the_end),
        cmocka_unit_test(same_of_a_pattern),
        cmocka_unit_test(same_block_of_another_length),
        cmocka_unit_test(same_without_a_block),
        cmocka_unit_test(same_of_any_block),
        cmocka_unit_test(same_of_zeroes_where_they_are_written),
        cmocka_unit_test(same_of_any_block_written_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
