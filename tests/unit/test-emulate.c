/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/emulate.h"
#include "tests/unit/scsi_device.h"

#define ROOM 1024

/* Every command with data to give back, asking for as much as it can. */
static const uint8_t asking[][16] = {
    {0x03, 0},       /* REQUEST SENSE, fixed */
    {0x03, 1},       /* REQUEST SENSE, descriptor */
    {0x12, 0},       /* INQUIRY */
    {0x12, 1, 0x00}, /* INQUIRY, VPD; six more pages follow */
    {0x12, 1, 0x80},
    {0x12, 1, 0x83},
    {0x12, 1, 0x86},
    {0x12, 1, 0xB0},
    {0x12, 1, 0xB1},
    {0x12, 1, 0xB2},
    {0x1A, 0, 0x3F}, /* MODE SENSE (6), all pages; then each */
    {0x1A, 0, 0x08},
    {0x1A, 0, 0x4A},
    {0x1A, 0, 0x01},
    {0x1A, 0, 0x1C},
    {0x5A, 0, 0x3F}, /* MODE SENSE (10) */
    {0x5A, 0, 0x88},
    {0x5A, 0, 0x0A},
    {0x25},       /* READ CAPACITY (10) */
    {0x9E, 0x10}, /* READ CAPACITY (16) */
    {0xA0, 0, 0}, /* REPORT LUNS */
    {0xA0, 0, 1},
    {0x4D, 0, 0x40}, /* LOG SENSE */
    {0x4D, 0, 0x40, 0xFF},
    {0xA3, 0x0C, 0x80}, /* REPORT SUPPORTED OPERATION CODES, all, with time-outs */
    {0xA3, 0x0C, 0x01, 0x28},
    {0xA3, 0x0D, 0x80}, /* ... one; REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS */
};

static struct scsi_command decoded(const uint8_t *cdb)
{
    struct scsi_command command;
    struct scsi_sense sense;

    assert_true(cdb_decode(cdb, 16, &command, &sense));
    return command;
}

/* The answer to `cdb` at its longest. */
static uint32_t whole_answer(const struct scsi_device *device, const uint8_t *cdb, uint8_t *data)
{
    struct scsi_command command = decoded(cdb);
    struct scsi_result result;

    command.allocation_length = UINT32_MAX;
    emulate(device, &command, data, ROOM, &result);
    assert_int_equal(result.status, SCSI_STATUS_GOOD);
    assert_int_equal(sense_number(&result.sense), 0);
    return result.transferred;
}

static void assert_answer(const struct scsi_device *device, const uint8_t *cdb, const void *expected, uint32_t length)
{
    uint8_t data[ROOM] = {0};

    assert_int_equal(whole_answer(device, cdb, data), length);
    assert_memory_equal(data, expected, length);
}

static void assert_refused(const struct scsi_device *device, struct scsi_command command, unsigned number)
{
    uint8_t *data = guard_memory(0);
    struct scsi_result result;

    emulate(device, &command, data, ROOM, &result);
    assert_int_equal(result.status, SCSI_STATUS_CHECK_CONDITION);
    assert_int_equal(result.transferred, 0);
    assert_int_equal(sense_number(&result.sense), number);
    guard_free(data, 0);
}

/* The buffer of `capacity` bytes ends at a forbidden page; the answer is `whole`, cut at the smaller of the two
 * lengths. */
static void assert_truncated(const struct scsi_device *device, const struct scsi_command *command, uint8_t *room,
                             uint32_t capacity, const uint8_t *whole, uint32_t whole_length)
{
    uint8_t *data = fresh_tail(room, ROOM, capacity);
    uint32_t expected = whole_length;
    struct scsi_result result;

    expected = expected < command->allocation_length ? expected : command->allocation_length;
    expected = expected < capacity ? expected : capacity;
    emulate(device, command, data, capacity, &result);
    assert_int_equal(result.status, SCSI_STATUS_GOOD);
    assert_int_equal(result.transferred, expected);
    assert_memory_equal(data, whole, expected);
    assert_untouched(room, data);
    assert_untouched(data + expected, room + ROOM);
}

/* The longest pages, so that every length up to 255 cuts something. */
static struct scsi_device long_winded_device(void)
{
    struct scsi_device device = test_device();

    memset(device.serial, 'x', sizeof(device.serial));
    device.serial_length = 247;
    return device;
}

static void answer_allocation_length(void **state)
{
    struct scsi_device device = long_winded_device();
    uint8_t *room = guard_memory(ROOM);

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(asking); i++) {
        uint8_t whole[ROOM];
        uint32_t whole_length = whole_answer(&device, asking[i], whole);
        struct scsi_command command = decoded(asking[i]);

        assert_in_range(whole_length, 4, ROOM - 1);
        for (uint32_t length = 0; length <= whole_length + 1; length++) {
            command.allocation_length = length;
            assert_truncated(&device, &command, room, length, whole, whole_length);
            assert_truncated(&device, &command, room, ROOM, whole, whole_length);
            command.allocation_length = 0xFFFF;
            assert_truncated(&device, &command, room, length, whole, whole_length);
        }
        command.allocation_length = UINT32_MAX;
        assert_truncated(&device, &command, room, ROOM, whole, whole_length);
    }
    guard_free(room, ROOM);
}

/* The same from the CDB on: the field is read from where it stands. */
static void inquiry_allocation_length(void **state)
{
    struct scsi_device device = long_winded_device();
    uint8_t whole[ROOM];
    const uint8_t page[16] = {0x12, 1, 0x83};
    uint32_t whole_length = whole_answer(&device, page, whole);

    (void)state;
    for (uint32_t length = 0; length <= 0x200; length++) {
        const uint8_t cdb[16] = {0x12, 1, 0x83, (uint8_t)(length >> 8), (uint8_t)length};
        struct scsi_command command = decoded(cdb);
        uint8_t data[ROOM];
        struct scsi_result result;

        emulate(&device, &command, data, sizeof(data), &result);
        assert_int_equal(result.transferred, length < whole_length ? length : whole_length);
        assert_memory_equal(data, whole, result.transferred);
    }
}

static void answer_without_buffer(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(asking); i++) {
        struct scsi_command command = decoded(asking[i]);
        struct scsi_result result;

        emulate(&device, &command, NULL, 0, &result);
        assert_int_equal(result.status, SCSI_STATUS_GOOD);
        assert_int_equal(result.transferred, 0);
    }
}

static void nothing_to_answer(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t ready[16] = {0x00};
    const uint8_t start[16] = {0x1B, 0, 0, 0, 1};
    const uint8_t allow[16] = {0x1E};

    (void)state;
    assert_answer(&device, ready, "", 0);
    assert_answer(&device, start, "", 0);
    assert_answer(&device, allow, "", 0);
}

static void read_capacity_10_last_lba(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t cdb[16] = {0x25};

    (void)state;
    assert_answer(&device, cdb, "\x00\x00\x07\xFF\x00\x00\x02\x00", 8);
    device.block_size = 4096;
    device.block_count = 1;
    assert_answer(&device, cdb, "\x00\x00\x00\x00\x00\x00\x10\x00", 8);
    device.block_count = UINT64_C(1) << 32; /* the last LBA is 2^32 - 1: the value that says "ask for 16" */
    assert_answer(&device, cdb, "\xFF\xFF\xFF\xFF\x00\x00\x10\x00", 8);
    device.block_count--;
    assert_answer(&device, cdb, "\xFF\xFF\xFF\xFE\x00\x00\x10\x00", 8);
    device.block_count += 2;
    assert_answer(&device, cdb, "\xFF\xFF\xFF\xFF\x00\x00\x10\x00", 8);
    device.block_count = UINT64_MAX / 4096;
    assert_answer(&device, cdb, "\xFF\xFF\xFF\xFF\x00\x00\x10\x00", 8);
}

static void read_capacity_16_whole(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t cdb[16] = {0x9E, 0x10};
    uint8_t expected[32] = {[6] = 0x07, [7] = 0xFF, [10] = 0x02, [14] = 0x80};

    (void)state;
    assert_answer(&device, cdb, expected, sizeof(expected));
    device.unmap = false;
    device.physical_block_exponent = 3;
    device.block_count = UINT64_C(1) << 54;
    memcpy(expected, "\x00\x3F\xFF\xFF\xFF\xFF\xFF\xFF", 8);
    expected[13] = 3;
    expected[14] = 0;
    assert_answer(&device, cdb, expected, sizeof(expected));
}

static void physical_blocks(void **state)
{
    (void)state;
    assert_int_equal(device_exponent(0, 512), 0);
    assert_int_equal(device_exponent(1, 4096), 0);
    assert_int_equal(device_exponent(512, 512), 0);
    assert_int_equal(device_exponent(1023, 512), 0);
    assert_int_equal(device_exponent(1024, 512), 1);
    assert_int_equal(device_exponent(4096, 512), 3);
    assert_int_equal(device_exponent(4096, 4096), 0);
    assert_int_equal(device_exponent(8191, 4096), 0);
    assert_int_equal(device_exponent(65536, 512), 7);
    assert_int_equal(device_exponent(65536, 4096), 4);
    assert_int_equal(device_exponent(UINT32_MAX, 512), 15);
}

/* 512 native, 512 emulated, 4096 native: LOWEST ALIGNED LBA is 0 for all, and the granularity that of physical blocks.
 */
static void block_sizes(void **state)
{
    const struct {
        uint32_t block_size;
        uint8_t exponent;
        uint8_t granularity;
    } kinds[] = {{512, 0, 0}, {512, 3, 8}, {512, 7, 128}, {4096, 0, 0}, {4096, 4, 16}};
    const uint8_t capacity[16] = {0x9E, 0x10};
    const uint8_t limits[16] = {0x12, 1, 0xB0};
    struct scsi_device device = test_device();

    (void)state;
    device.unmap = false;
    for (size_t i = 0; i < GUARD_COUNT(kinds); i++) {
        uint8_t expected[32] = {[10] = (uint8_t)(kinds[i].block_size >> 8), [13] = kinds[i].exponent};
        uint8_t data[ROOM] = {0};

        device.block_size = kinds[i].block_size;
        device.physical_block_exponent = kinds[i].exponent;
        device.block_count = (uint64_t)INT64_MAX / kinds[i].block_size;
        for (unsigned byte = 0; byte < 8; byte++) {
            expected[byte] = (uint8_t)((device.block_count - 1) >> (56 - 8 * byte));
        }
        assert_answer(&device, capacity, expected, sizeof(expected));
        assert_int_equal(whole_answer(&device, limits, data), 64);
        assert_int_equal(data[6] << 8 | data[7], kinds[i].granularity);
    }
}

static void report_luns_whole(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t addressed[16] = {0xA0, 0, 0};
    const uint8_t well_known[16] = {0xA0, 0, 1};
    const uint8_t both[16] = {0xA0, 0, 2};
    const uint8_t expected[16] = {[3] = 8};

    (void)state;
    assert_answer(&device, addressed, expected, 16);
    assert_answer(&device, both, expected, 16);
    assert_answer(&device, well_known, "\0\0\0\0\0\0\0\0", 8);
}

static void request_sense_nothing_pending(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t fixed[16] = {0x03, 0};
    const uint8_t descriptor[16] = {0x03, 1};

    (void)state;
    assert_answer(&device, fixed, "\x70\0\0\0\0\0\0\x0A\0\0\0\0\0\0\0\0\0\0", 18);
    assert_answer(&device, descriptor, "\x72\0\0\0\0\0\0\0", 8);
}

static void assert_sense(bool descriptor, enum scsi_attention attention, const void *expected, uint32_t whole)
{
    struct scsi_command command = {.operation = SCSI_REQUEST_SENSE, .descriptor_sense = descriptor};

    for (uint32_t length = 0; length <= whole + 1; length++) {
        uint8_t *data = guard_memory(length);
        struct scsi_result result;

        command.allocation_length = length;
        emulate_request_sense(&command, attention, data, length, &result);
        assert_int_equal(result.status, SCSI_STATUS_GOOD);
        assert_int_equal(result.transferred, length < whole ? length : whole);
        assert_memory_equal(data, expected, result.transferred);
        guard_free(data, length);
    }
}

static void request_sense_attention_pending(void **state)
{
    (void)state;
    assert_sense(false, ATTENTION_UNIT_RESET, "\x70\0\x06\0\0\0\0\x0A\0\0\0\0\x29\x03\0\0\0\0", 18);
    assert_sense(true, ATTENTION_CAPACITY, "\x72\x06\x2A\x09\0\0\0\0", 8);
    assert_sense(false, ATTENTION_NONE, "\x70\0\0\0\0\0\0\x0A\0\0\0\0\0\0\0\0\0\0", 18);
    assert_sense(true, ATTENTION_NONE, "\x72\0\0\0\0\0\0\0", 8);
}

/* D_SENSE is about autosense; REQUEST SENSE has a bit of its own. */
static void refusal_says_which_format(void **state)
{
    struct scsi_device device = test_device();
    struct scsi_command command = {.operation = SCSI_INQUIRY, .evpd = true, .page = 0xEE};
    struct scsi_result result;

    (void)state;
    emulate(&device, &command, NULL, 0, &result);
    assert_false(result.descriptor_sense);
    device.descriptor_sense = 1;
    emulate(&device, &command, NULL, 0, &result);
    assert_true(result.descriptor_sense);
}

static void inquiry_page_unknown(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    for (unsigned page = 0; page < 256; page++) {
        const uint8_t cdb[16] = {0x12, 1, (uint8_t)page, 0, 255};

        if (memchr("\x00\x80\x83\x86\xB0\xB1\xB2", (int)page, 7) == NULL) {
            assert_refused(&device, decoded(cdb), INVALID_FIELD);
        }
    }
}

/* A refusal is one however little the initiator asked for. */
static void refused_without_allocation_length(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t page[16] = {0x12, 1, 0x85};
    const uint8_t mode[16] = {0x1A, 0, 0x1B};
    const uint8_t log[16] = {0x4D, 0, 0x4D};
    const uint8_t saved[16] = {0x5A, 0, 0xC8};

    (void)state;
    assert_refused(&device, decoded(page), INVALID_FIELD);
    assert_refused(&device, decoded(mode), INVALID_FIELD);
    assert_refused(&device, decoded(log), INVALID_FIELD);
    assert_refused(&device, decoded(saved), SAVING_NOT_SUPPORTED);
}

static void command_for_storage(void **state)
{
    struct scsi_device device = test_device();
    const uint8_t read[16] = {0x28};
    const uint8_t stop[16] = {0x1B};

    (void)state;
    assert_refused(&device, decoded(read), INVALID_OPCODE);
    assert_refused(&device, decoded(stop), INVALID_OPCODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_allocation_length),  cmocka_unit_test(inquiry_allocation_length),
        cmocka_unit_test(answer_without_buffer),     cmocka_unit_test(nothing_to_answer),
        cmocka_unit_test(read_capacity_10_last_lba), cmocka_unit_test(read_capacity_16_whole),
        cmocka_unit_test(report_luns_whole),         cmocka_unit_test(request_sense_nothing_pending),
        cmocka_unit_test(inquiry_page_unknown),      cmocka_unit_test(request_sense_attention_pending),
        cmocka_unit_test(refusal_says_which_format), cmocka_unit_test(refused_without_allocation_length),
        cmocka_unit_test(physical_blocks),           cmocka_unit_test(block_sizes),
        cmocka_unit_test(command_for_storage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
