/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/log.h"
#include "tests/unit/scsi_device.h"

static uint32_t ask(uint8_t page, uint8_t subpage, uint8_t *bytes)
{
    struct scsi_command command = {.operation = SCSI_LOG_SENSE, .page = page, .subpage = subpage, .page_control = 1};
    uint8_t *room = guard_memory(LOG_ANSWER_MAX);
    struct scsi_sense sense = {0};
    uint32_t length = log_sense(&command, room, &sense);

    memcpy(bytes, room, LOG_ANSWER_MAX);
    guard_free(room, LOG_ANSWER_MAX);
    assert_int_equal(sense_number(&sense), length == 0 ? INVALID_FIELD : 0);
    return length;
}

static void pages_that_there_are(void **state)
{
    uint8_t bytes[LOG_ANSWER_MAX];

    (void)state;
    assert_int_equal(ask(0, 0, bytes), 5);
    assert_memory_equal(bytes, "\0\0\0\x01\0", 5);
    assert_int_equal(ask(0, 0xFF, bytes), 8);
    assert_memory_equal(bytes, "\x40\xFF\0\x04\0\0\0\xFF", 8);
}

static void pages_that_there_are_not(void **state)
{
    uint8_t bytes[LOG_ANSWER_MAX];

    (void)state;
    for (unsigned page = 0; page < 64; page++) {
        for (unsigned subpage = 0; subpage < 256; subpage++) {
            bool known = page == 0 && (subpage == 0 || subpage == 0xFF);

            assert_int_equal(ask((uint8_t)page, (uint8_t)subpage, bytes) != 0, known);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_that_there_are),
        cmocka_unit_test(pages_that_there_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
