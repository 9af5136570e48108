/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/sense.h"
#include "tests/unit/scsi_device.h"

typedef uint32_t (*sense_writer)(const struct scsi_sense *sense, uint8_t *bytes, uint32_t capacity);

static void assert_written(sense_writer write, const struct scsi_sense *sense, const uint8_t *expected,
                           uint32_t expected_length)
{
    uint8_t bytes[252];

    memset(bytes, 0xAA, sizeof(bytes));
    assert_int_equal(write(sense, bytes, sizeof(bytes)), expected_length);
    assert_memory_equal(bytes, expected, expected_length);
    for (size_t i = expected_length; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], 0xAA);
    }
}

static void sense_made(void **state)
{
    struct scsi_sense sense = sense_make(SENSE_KEY_ILLEGAL_REQUEST, ASC_COMMAND_TIMEOUT);

    (void)state;
    assert_int_equal(sense_number(&sense), 0x052E02);
    assert_false(sense.information_valid);
    sense = sense_make_with_information(SENSE_KEY_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR, UINT64_MAX);
    assert_int_equal(sense_number(&sense), 0x031100);
    assert_true(sense.information_valid);
    assert_int_equal(sense.information, UINT64_MAX);
}

static void fixed_without_information(void **state)
{
    const uint8_t expected[18] = {0x70, 0, 0x07, [7] = 10, [12] = 0x27, [13] = 0x07};
    struct scsi_sense sense = sense_make(SENSE_KEY_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED);

    (void)state;
    assert_written(sense_write_fixed, &sense, expected, sizeof(expected));
}

static void fixed_with_information(void **state)
{
    const uint8_t small[18] = {0xF0, 0, 0x05, 0x01, 0x02, 0x03, 0x04, 10, [12] = 0x21};
    const uint8_t largest[18] = {0xF0, 0, 0x05, 0xFF, 0xFF, 0xFF, 0xFF, 10, [12] = 0x21};
    struct scsi_sense sense = sense_make_with_information(SENSE_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0x01020304);

    (void)state;
    assert_written(sense_write_fixed, &sense, small, sizeof(small));
    sense.information = UINT32_MAX;
    assert_written(sense_write_fixed, &sense, largest, sizeof(largest));
}

/* Four bytes are all there is, and what follows them is another field. */
static void fixed_information_too_large(void **state)
{
    const uint8_t expected[18] = {0x70, 0, 0x05, 0, 0, 0, 0, 10, [12] = 0x21};
    struct scsi_sense sense =
        sense_make_with_information(SENSE_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, (uint64_t)UINT32_MAX + 1);

    (void)state;
    assert_written(sense_write_fixed, &sense, expected, sizeof(expected));
    sense.information = UINT64_MAX;
    assert_written(sense_write_fixed, &sense, expected, sizeof(expected));
}

static void descriptor_without_information(void **state)
{
    const uint8_t expected[8] = {0x72, 0x07, 0x27, 0x07};
    struct scsi_sense sense = sense_make(SENSE_KEY_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED);

    (void)state;
    assert_written(sense_write_descriptor, &sense, expected, sizeof(expected));
}

static void descriptor_with_information(void **state)
{
    const uint8_t expected[20] = {0x72, 0x05, 0x21, 0, 0, 0, 0, 12, 0x00, 0x0A, 0x80, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    struct scsi_sense sense =
        sense_make_with_information(SENSE_KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0x0102030405060708);

    (void)state;
    assert_written(sense_write_descriptor, &sense, expected, sizeof(expected));
}

static void assert_truncated(sense_writer write)
{
    struct scsi_sense sense = sense_make_with_information(SENSE_KEY_ABORTED_COMMAND, ASC_INTERNAL_TARGET_FAILURE, 77);
    uint8_t *room = guard_memory(252);
    uint8_t whole[252];
    uint32_t length = write(&sense, whole, sizeof(whole));

    for (uint32_t capacity = 0; capacity <= 252; capacity++) {
        uint8_t *bytes = fresh_tail(room, 252, capacity);
        uint32_t written = write(&sense, bytes, capacity);

        assert_int_equal(written, capacity < length ? capacity : length);
        assert_memory_equal(bytes, whole, written);
        assert_untouched(room, bytes);
        assert_untouched(bytes + written, room + 252);
    }
    assert_int_equal(write(&sense, NULL, 0), 0);
    guard_free(room, 252);
}

static void fixed_truncated(void **state)
{
    (void)state;
    assert_truncated(sense_write_fixed);
}

static void descriptor_truncated(void **state)
{
    (void)state;
    assert_truncated(sense_write_descriptor);
}

static void either_format(void **state)
{
    struct scsi_sense sense =
        sense_make_with_information(SENSE_KEY_MISCOMPARE, ASC_MISCOMPARE_DURING_VERIFY, 0x123456789A);
    uint8_t expected[SENSE_DESCRIPTOR_LENGTH];
    uint8_t bytes[SENSE_DESCRIPTOR_LENGTH];

    (void)state;
    for (uint32_t capacity = 0; capacity <= sizeof(bytes); capacity++) {
        uint32_t length = sense_write_fixed(&sense, expected, capacity);

        assert_int_equal(sense_write(&sense, false, bytes, capacity), length);
        assert_memory_equal(bytes, expected, length);
        length = sense_write_descriptor(&sense, expected, capacity);
        assert_int_equal(sense_write(&sense, true, bytes, capacity), length);
        assert_memory_equal(bytes, expected, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sense_made),
        cmocka_unit_test(fixed_without_information),
        cmocka_unit_test(fixed_with_information),
        cmocka_unit_test(fixed_information_too_large),
        cmocka_unit_test(fixed_truncated),
        cmocka_unit_test(descriptor_without_information),
        cmocka_unit_test(descriptor_with_information),
        cmocka_unit_test(descriptor_truncated),
        cmocka_unit_test(either_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
