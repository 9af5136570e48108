/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scsi/attention.h"

#include "core/scsi/device.h"
#include "tests/unit/scsi_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool reported_by(enum scsi_operation operation)
{
    const struct scsi_command command = {.operation = operation};

    return attention_is_reported_by(&command);
}

/* SAM-5, 5.14: the commands that are carried out and leave the condition as it is. */
static void commands_that_report_none(void **state)
{
    (void)state;
    assert_false(reported_by(SCSI_INQUIRY));
    assert_false(reported_by(SCSI_REPORT_LUNS));
    assert_false(reported_by(SCSI_REQUEST_SENSE));
    assert_true(reported_by(SCSI_TEST_UNIT_READY));
    assert_true(reported_by(SCSI_READ));
    assert_true(reported_by(SCSI_READ_CAPACITY_16));
    assert_true(reported_by(SCSI_MODE_SENSE_10));
}

static void assert_attention(enum scsi_attention attention, unsigned number)
{
    struct scsi_sense sense = attention_sense(attention);

    assert_int_equal(sense_number(&sense), number);
    assert_false(sense.information_valid);
}

static void sense_of_each(void **state)
{
    (void)state;
    assert_attention(ATTENTION_NONE, 0);
    assert_attention(ATTENTION_POWER_ON, 0x062900);
    assert_attention(ATTENTION_BUS_RESET, 0x062902);
    assert_attention(ATTENTION_UNIT_RESET, 0x062903);
    assert_attention(ATTENTION_MODE, 0x062A01);
    assert_attention(ATTENTION_CAPACITY, 0x062A09);
}

/* Of every set the first is told, then the next, each once. */
static void told_in_order(void **state)
{
    const enum scsi_attention order[] = {ATTENTION_POWER_ON, ATTENTION_BUS_RESET, ATTENTION_UNIT_RESET, ATTENTION_MODE,
                                         ATTENTION_CAPACITY};

    (void)state;
    for (uint32_t set = 0; set < 1u << GUARD_COUNT(order); set++) {
        uint32_t left = set;

        for (size_t i = 0; i < GUARD_COUNT(order); i++) {
            if ((set & (uint32_t)order[i]) != 0) {
                assert_int_equal(attention_first(left), order[i]);
                left &= ~(uint32_t)order[i];
            }
        }
        assert_int_equal(left, 0);
        assert_int_equal(attention_first(left), ATTENTION_NONE);
    }
}

static void a_resized_device_has_its_new_size_at_once(void **state)
{
    struct scsi_device device = test_device();

    (void)state;
    assert_int_equal(device_blocks(&device), 2048);
    device_resize(&device, 1ull << 40);
    assert_int_equal(device_blocks(&device), 1ull << 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_that_report_none),
        cmocka_unit_test(sense_of_each),
        cmocka_unit_test(told_in_order),
        cmocka_unit_test(a_resized_device_has_its_new_size_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
