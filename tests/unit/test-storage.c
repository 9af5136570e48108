/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/storage.h"
#include "tests/unit/scsi_device.h"

#define TWO_TO_32 (UINT64_C(1) << 32)
#define TWO_TO_63 (UINT64_C(1) << 63)
#define SECTOR    UINT64_C(512)

static struct scsi_command transfer(enum scsi_operation operation, uint64_t lba, uint32_t blocks)
{
    struct scsi_command command = {.operation = operation, .lba = lba, .blocks = blocks};

    return command;
}

static void assert_request(const struct storage_command *storage, enum io_operation operation, uint64_t offset,
                           uint32_t length)
{
    assert_int_equal(storage->request.operation, operation);
    assert_int_equal(storage->request.offset, offset);
    assert_int_equal(storage->request.length, length);
    assert_int_equal(storage->request.cookie, 0);
}

/* READ and WRITE with room for whatever they transfer. */
static void assert_transferred(struct scsi_device *device, uint64_t lba, uint32_t blocks)
{
    const enum scsi_operation operations[] = {SCSI_READ, SCSI_WRITE};

    for (size_t i = 0; i < GUARD_COUNT(operations); i++) {
        struct scsi_command command = transfer(operations[i], lba, blocks);
        struct storage_command storage;
        struct scsi_sense sense = {0};

        assert_int_equal(storage_begin(&storage, device, &command, NULL, UINT32_MAX, &sense), STORAGE_REQUEST);
        assert_request(&storage, operations[i] == SCSI_READ ? IO_READ : IO_WRITE, lba * device->block_size,
                       blocks * device->block_size);
        assert_int_equal(storage.request.flags, 0);
        assert_int_equal(storage.data_length, blocks * device->block_size);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    }
}

static void assert_refused(struct scsi_device *device, struct scsi_command command, uint32_t data_length,
                           unsigned number)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(storage_begin(&storage, device, &command, NULL, data_length, &sense), STORAGE_REFUSED);
    assert_int_equal(sense_number(&sense), number);
}

static void assert_done(struct scsi_device *device, struct scsi_command command)
{
    struct storage_command storage;
    struct scsi_sense sense = {0};

    assert_int_equal(storage_begin(&storage, device, &command, NULL, 0, &sense), STORAGE_DONE);
    assert_int_equal(storage.data_length, 0);
    assert_int_equal(sense_number(&sense), 0);
}

static void assert_out_of_range(struct scsi_device *device, uint64_t lba, uint32_t blocks, uint64_t information)
{
    const enum scsi_operation operations[] = {SCSI_READ, SCSI_WRITE, SCSI_VERIFY, SCSI_SYNCHRONIZE_CACHE};

    for (size_t i = 0; i < GUARD_COUNT(operations); i++) {
        struct scsi_command command = transfer(operations[i], lba, blocks);
        struct storage_command storage;
        struct scsi_sense sense = {0};

        assert_int_equal(storage_begin(&storage, device, &command, NULL, UINT32_MAX, &sense), STORAGE_REFUSED);
        assert_int_equal(sense_number(&sense), OUT_OF_RANGE);
        assert_true(sense.information_valid);
        assert_int_equal(sense.information, information);
    }
}

static void transfer_within_disk(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_transferred(&device, 0, 1);
    assert_transferred(&device, 0, 2048);
    assert_transferred(&device, 2047, 1);
    device.block_size = 4096;
    device.max_transfer_blocks = 512;
    assert_transferred(&device, 0, 1);
    assert_transferred(&device, 1536, 512);
    assert_transferred(&device, 2047, 1);
}

static void transfer_past_the_end(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_out_of_range(&device, 2048, 1, 2048);
    assert_out_of_range(&device, 2047, 2, 2048);
    assert_out_of_range(&device, 0, 2049, 2048);
    assert_out_of_range(&device, 2049, 0, 2049);
    assert_out_of_range(&device, 2049, 1, 2049);
    assert_out_of_range(&device, 0, UINT32_MAX, 2048);
    assert_out_of_range(&device, TWO_TO_32 - 1, 1, TWO_TO_32 - 1);
    assert_out_of_range(&device, TWO_TO_32, 1, TWO_TO_32); /* not LBA 0 */
    assert_out_of_range(&device, TWO_TO_32 + 1, 1, TWO_TO_32 + 1);
    assert_out_of_range(&device, TWO_TO_63 - 1, 1, TWO_TO_63 - 1);
    assert_out_of_range(&device, TWO_TO_63, 1, TWO_TO_63);
    assert_out_of_range(&device, UINT64_MAX, 1, UINT64_MAX); /* lba + blocks is 0 */
    assert_out_of_range(&device, UINT64_MAX, UINT32_MAX, UINT64_MAX);
    assert_out_of_range(&device, UINT64_MAX / SECTOR + 1, 1, UINT64_MAX / SECTOR + 1); /* the byte offset is 0 */
}

static void transfer_on_large_disk(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.block_count = TWO_TO_32 + 1;
    assert_transferred(&device, TWO_TO_32 - 1, 2);
    assert_transferred(&device, TWO_TO_32, 1);
    assert_out_of_range(&device, TWO_TO_32, 2, TWO_TO_32 + 1);
    device.block_count = UINT64_MAX / SECTOR; /* the largest whose size fits 64 bits */
    assert_transferred(&device, device.block_count - 1, 1);
    assert_transferred(&device, TWO_TO_63 / SECTOR, 4096); /* byte offset 2^63 */
    assert_transferred(&device, TWO_TO_63 / SECTOR - 1, 2);
    assert_out_of_range(&device, device.block_count - 1, 2, device.block_count);
}

/* Blocks times block size on both sides of 32 bits. */
static void transfer_length_at_4_gib(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.block_count = TWO_TO_32;
    device.max_transfer_blocks = UINT32_MAX / 512;
    assert_transferred(&device, 0, UINT32_MAX / 512);
    device.max_transfer_blocks = UINT32_MAX; /* even if the limit were wrong */
    assert_refused(&device, transfer(SCSI_READ, 0, UINT32_MAX / 512 + 1), UINT32_MAX, INVALID_FIELD);
    assert_refused(&device, transfer(SCSI_WRITE, 0, UINT32_MAX / 512 + 1), 0, INVALID_FIELD);
    assert_refused(&device, transfer(SCSI_WRITE, 0, UINT32_MAX / 512 + 2), 512, INVALID_FIELD);
    assert_refused(&device, transfer(SCSI_WRITE, 0, UINT32_MAX), UINT32_MAX, INVALID_FIELD);
}

static void transfer_longer_than_maximum(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.max_transfer_blocks = 128;
    assert_transferred(&device, 0, 128);
    assert_refused(&device, transfer(SCSI_READ, 0, 129), UINT32_MAX, INVALID_FIELD);
    assert_refused(&device, transfer(SCSI_WRITE, 0, 129), UINT32_MAX, INVALID_FIELD);
}

/* What the backend takes at once is less than the command transfers. */
static void transfer_in_pieces(void **state)
{
    const enum scsi_operation operations[] = {SCSI_READ, SCSI_WRITE};
    const uint32_t lengths[] = {8 * 512, 8 * 512, 4 * 512};
    struct scsi_device device = test_device();

    (void)state;
    device.fua = true;
    device.max_request_blocks = 8;
    for (size_t i = 0; i < GUARD_COUNT(operations); i++) {
        struct scsi_command command = transfer(operations[i], 100, 20);
        struct storage_command storage;
        struct scsi_sense sense = {0};
        uint32_t offset = 0;

        command.fua = true;
        assert_int_equal(storage_begin(&storage, &device, &command, NULL, 20 * 512, &sense), STORAGE_REQUEST);
        assert_int_equal(storage.data_length, 20 * 512);
        for (size_t piece = 0; piece < GUARD_COUNT(lengths); piece++) {
            assert_request(&storage, operations[i] == SCSI_READ ? IO_READ : IO_WRITE, 100 * 512 + offset,
                           lengths[piece]);
            assert_int_equal(storage.data_offset, offset);
            assert_int_equal(storage.request.flags, IO_FUA);
            offset += lengths[piece];
            assert_int_equal(storage_next(&storage, &sense),
                             piece + 1 < GUARD_COUNT(lengths) ? STORAGE_REQUEST : STORAGE_DONE);
        }
    }
    device.max_request_blocks = 20;
    assert_transferred(&device, 0, 20);
    device.max_request_blocks = UINT32_MAX; /* its length in bytes does not fit 32 bits: no limit */
    assert_transferred(&device, 0, 2048);
}

static void transfer_longer_than_buffer(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = transfer(SCSI_READ, 0, 8);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    assert_refused(&device, command, 0, INVALID_FIELD);
    assert_refused(&device, command, 8 * 512 - 1, INVALID_FIELD);
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 8 * 512, &sense), STORAGE_REQUEST);
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 8 * 512 + 1, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.data_length, 8 * 512); /* what is offered beyond the blocks is not transferred */
}

static void transfer_of_no_blocks(void **state)
{
    struct scsi_device device = test_device();
    const enum scsi_operation operations[] = {SCSI_READ, SCSI_WRITE, SCSI_VERIFY};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(operations); i++) {
        assert_done(&device, transfer(operations[i], 0, 0));
        assert_done(&device, transfer(operations[i], 2048, 0)); /* just behind the last block */
    }
}

static void assert_flags(const struct scsi_device *device, const struct scsi_command *command, uint32_t flags)
{
    struct scsi_device copy = *device;
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(storage_begin(&storage, &copy, command, NULL, 512, &sense), STORAGE_REQUEST);
    assert_int_equal(storage.request.flags, flags);
}

/* Only to a backend that has it. */
static void assert_fua_is_passed_on(struct scsi_command command)
{
    struct scsi_device device = test_device();

    assert_flags(&device, &command, 0);
    command.fua = true;
    assert_flags(&device, &command, IO_FUA);
    device.fua_by_flush = true;
    assert_flags(&device, &command, 0);
    device.fua = device.fua_by_flush = false;
    assert_flags(&device, &command, 0);
}

static void transfer_fua(void **state)
{
    const enum scsi_operation operations[] = {SCSI_READ, SCSI_WRITE};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(operations); i++) {
        assert_fua_is_passed_on(transfer(operations[i], 0, 1));
    }
}

static void begin_flushed_write(struct storage_command *storage, struct scsi_device *device)
{
    struct scsi_command command = transfer(SCSI_WRITE, 100, 20);
    struct scsi_sense sense;

    *device = test_device();
    device->fua_by_flush = true;
    device->max_request_blocks = 12;
    command.fua = true;
    assert_int_equal(storage_begin(storage, device, &command, NULL, 20 * 512, &sense), STORAGE_REQUEST);
    assert_request(storage, IO_WRITE, 100 * 512, 12 * 512);
    assert_int_equal(storage->request.flags, 0);
}

/* Twice in a row, as a command that was restarted. */
static void assert_written_and_flushed(struct storage_command *storage)
{
    struct scsi_sense sense;

    assert_int_equal(storage_next(storage, &sense), STORAGE_REQUEST);
    assert_request(storage, IO_WRITE, 112 * 512, 8 * 512);
    assert_int_equal(storage->data_offset, 12 * 512);
    assert_int_equal(storage->request.flags, 0);
    assert_int_equal(storage_next(storage, &sense), STORAGE_REQUEST);
    assert_request(storage, IO_FLUSH, 0, 0);
    assert_int_equal(storage->request.flags, 0);
    assert_int_equal(storage->data_length, 20 * 512);
}

static void write_fua_by_flush(void **state)
{
    struct storage_command storage;
    struct scsi_device device;
    struct scsi_sense sense;

    (void)state;
    begin_flushed_write(&storage, &device);
    assert_written_and_flushed(&storage);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    assert_transferred(&device, 0, 12); /* without FUA: no flush */
}

/* What was written before the backend was lost may be gone: a flush afterwards would promise too much. */
static void write_fua_by_flush_restarted(void **state)
{
    struct storage_command storage;
    struct scsi_device device;
    struct scsi_sense sense;

    (void)state;
    for (unsigned steps = 0; steps < 3; steps++) {
        begin_flushed_write(&storage, &device);
        for (unsigned i = 0; i < steps; i++) {
            assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
        }
        storage.request.cookie = 7;
        storage_restart(&storage);
        assert_int_equal(storage.request.cookie, 7);
        storage.request.cookie = 0;
        assert_request(&storage, IO_WRITE, 100 * 512, 12 * 512);
        assert_int_equal(storage.data_offset, 0);
        assert_written_and_flushed(&storage);
        assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
    }
}

/* Any other command goes on with the request that was lost. */
static void write_restarted(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = transfer(SCSI_WRITE, 100, 20);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.max_request_blocks = 12;
    command.fua = true;
    assert_int_equal(storage_begin(&storage, &device, &command, NULL, 20 * 512, &sense), STORAGE_REQUEST);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_REQUEST);
    storage_restart(&storage);
    assert_request(&storage, IO_WRITE, 112 * 512, 8 * 512);
    assert_int_equal(storage.data_offset, 12 * 512);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void read_only_disk(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command unmap = {.operation = SCSI_UNMAP, .parameter_length = 24};
    struct scsi_command read = transfer(SCSI_READ, 0, 1);
    struct storage_command storage;
    struct scsi_sense sense;

    (void)state;
    device.read_only = true;
    assert_refused(&device, transfer(SCSI_WRITE, 0, 1), 512, WRITE_PROTECTED);
    assert_refused(&device, transfer(SCSI_WRITE, 0, 0), 0, WRITE_PROTECTED);
    assert_refused(&device, transfer(SCSI_SYNCHRONIZE_CACHE, 0, 0), 0, WRITE_PROTECTED);
    assert_refused(&device, unmap, 24, WRITE_PROTECTED);
    assert_done(&device, transfer(SCSI_VERIFY, 0, 1));
    assert_done(&device, transfer(SCSI_STOP_UNIT, 0, 0));
    assert_int_equal(storage_begin(&storage, &device, &read, NULL, 512, &sense), STORAGE_REQUEST);
}

static void verify_range(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    device.write_cache = false;
    assert_done(&device, transfer(SCSI_VERIFY, 0, 2048)); /* more than a READ may ask for, and no data */
    device.block_count = TWO_TO_32;
    assert_done(&device, transfer(SCSI_VERIFY, 1, UINT32_MAX));
}

static void assert_flushes(struct scsi_device *device, struct scsi_command command)
{
    struct storage_command storage;
    struct scsi_sense sense;

    assert_int_equal(storage_begin(&storage, device, &command, NULL, 0, &sense), STORAGE_REQUEST);
    assert_request(&storage, IO_FLUSH, 0, 0);
    assert_int_equal(storage.request.flags, 0);
    assert_int_equal(storage.data_length, 0);
    assert_int_equal(storage_next(&storage, &sense), STORAGE_DONE);
}

static void synchronize_cache(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_flushes(&device, transfer(SCSI_SYNCHRONIZE_CACHE, 0, 0));
    assert_flushes(&device, transfer(SCSI_SYNCHRONIZE_CACHE, 2047, 1));
    assert_flushes(&device, transfer(SCSI_SYNCHRONIZE_CACHE, 2047, 0)); /* to the end */
    device.write_cache = false;
    assert_done(&device, transfer(SCSI_SYNCHRONIZE_CACHE, 0, 0));
    assert_refused(&device, transfer(SCSI_SYNCHRONIZE_CACHE, 2048, 1), 0, OUT_OF_RANGE);
}

static void stop_unit(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = {.operation = SCSI_STOP_UNIT};

    (void)state;
    assert_flushes(&device, command);
    command.no_flush = true;
    assert_done(&device, command);
    command.no_flush = false;
    device.write_cache = false;
    assert_done(&device, command);
}

static void command_not_for_storage(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_refused(&device, transfer(SCSI_TEST_UNIT_READY, 0, 0), 0, INVALID_OPCODE);
    assert_refused(&device, transfer(SCSI_START_UNIT, 0, 0), 0, INVALID_OPCODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfer_within_disk),
        cmocka_unit_test(transfer_past_the_end),
        cmocka_unit_test(transfer_on_large_disk),
        cmocka_unit_test(transfer_length_at_4_gib),
        cmocka_unit_test(transfer_longer_than_maximum),
        cmocka_unit_test(transfer_in_pieces),
        cmocka_unit_test(transfer_longer_than_buffer),
        cmocka_unit_test(transfer_of_no_blocks),
        cmocka_unit_test(transfer_fua),
        cmocka_unit_test(write_fua_by_flush),
        cmocka_unit_test(write_fua_by_flush_restarted),
        cmocka_unit_test(write_restarted),
        cmocka_unit_test(read_only_disk),
        cmocka_unit_test(verify_range),
        cmocka_unit_test(synchronize_cache),
        cmocka_unit_test(stop_unit),
        cmocka_unit_test(command_not_for_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
