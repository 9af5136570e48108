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

static void capacity_has_changed(void **state)
{
    struct scsi_sense sense;

    (void)state;
    assert_int_equal(attention_first(ATTENTION_CAPACITY), ATTENTION_CAPACITY);
    sense = attention_sense(ATTENTION_CAPACITY);
    assert_int_equal(sense_number(&sense), 0x062A09);
    assert_false(sense.information_valid);
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
        cmocka_unit_test(capacity_has_changed),
        cmocka_unit_test(a_resized_device_has_its_new_size_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
