/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/log.h"
#include "tests/unit/scsi_device.h"

static uint32_t ask(const struct scsi_device *device, uint8_t page, uint8_t subpage, uint8_t *bytes)
{
    struct scsi_command command = {.operation = SCSI_LOG_SENSE, .page = page, .subpage = subpage, .page_control = 1};
    uint8_t *room = guard_memory(LOG_ANSWER_MAX);
    struct scsi_sense sense = {0};
    uint32_t length = log_sense(device, &command, room, &sense);

    memcpy(bytes, room, LOG_ANSWER_MAX);
    guard_free(room, LOG_ANSWER_MAX);
    assert_int_equal(sense_number(&sense), length == 0 ? INVALID_FIELD : 0);
    return length;
}

static void pages_that_there_are(void **state)
{
    struct scsi_device device = test_device();
    uint8_t bytes[LOG_ANSWER_MAX];

    (void)state;
    assert_int_equal(ask(&device, 0, 0, bytes), 5);
    assert_memory_equal(bytes, "\0\0\0\x01\0", 5);
    assert_int_equal(ask(&device, 0, 0xFF, bytes), 8);
    assert_memory_equal(bytes, "\x40\xFF\0\x04\0\0\0\xFF", 8);
}

static void pages_where_blocks_are_counted(void **state)
{
    struct scsi_device device = test_device();
    uint8_t bytes[LOG_ANSWER_MAX];

    (void)state;
    device.threshold_exponent = 1;
    assert_int_equal(ask(&device, 0, 0, bytes), 6);
    assert_memory_equal(bytes, "\0\0\0\x02\0\x0C", 6);
    assert_int_equal(ask(&device, 0, 0xFF, bytes), 10);
    assert_memory_equal(bytes, "\x40\xFF\0\x06\0\0\0\xFF\x0C\0", 10);
}

/* Page 0C is not asked for here (core/scsi/storage_log.c). */
static void pages_that_there_are_not(void **state)
{
    struct scsi_device device = test_device();
    uint8_t bytes[LOG_ANSWER_MAX];

    (void)state;
    for (unsigned page = 0; page < 64; page++) {
        for (unsigned subpage = 0; subpage < 256; subpage++) {
            bool known = page == 0 && (subpage == 0 || subpage == 0xFF);

            device.threshold_exponent = page % 2 == 0;
            assert_int_equal(ask(&device, (uint8_t)page, (uint8_t)subpage, bytes) != 0, known);
        }
    }
}

static void provisioning_page(void **state)
{
    uint8_t *bytes = guard_memory(LOG_PROVISIONING_MAX);

    (void)state;
    assert_int_equal(log_provisioning_unknown(bytes), 4);
    assert_memory_equal(bytes, "\x8C\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(log_provisioning(0x12345678, bytes), 16);
    assert_memory_equal(bytes, "\x8C\0\0\x0C\0\x02\x23\x08\x12\x34\x56\x78\x01\0\0\0", 16);
    guard_free(bytes, LOG_PROVISIONING_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_there_are),
        cmocka_unit_test(pages_where_blocks_are_counted),
        cmocka_unit_test(pages_that_there_are_not),
        cmocka_unit_test(provisioning_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
