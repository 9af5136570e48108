/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Windows is told when the client's file or memory fails. */
#include "wnbd-client/serve_sense.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK_CONDITION 2

static WNBD_STATUS sense(WnbdRequestType type, DWORD error)
{
    WNBD_STATUS status = {0};

    serve_sense(type, error, 0x123456789, &status);
    assert_int_equal(status.ScsiStatus, CHECK_CONDITION);
    return status;
}

static void assert_sense(WnbdRequestType type, DWORD error, UINT8 key, UINT8 asc, UINT8 ascq)
{
    WNBD_STATUS status = sense(type, error);

    assert_int_equal(status.SenseKey, key);
    assert_int_equal(status.ASC, asc);
    assert_int_equal(status.ASCQ, ascq);
}

static void no_room_is_space_allocation_failed(void **state)
{
    static const DWORD errors[] = {ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL, ERROR_NOT_ENOUGH_MEMORY,
                                   ERROR_COMMITMENT_LIMIT};

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        assert_true(serve_is_full(errors[i]));
        assert_sense(WnbdReqTypeWrite, errors[i], 0x07, 0x27, 0x07);
        assert_sense(WnbdReqTypeFlush, errors[i], 0x07, 0x27, 0x07);
    }
    assert_false(serve_is_full(ERROR_WRITE_FAULT));
    assert_false(serve_is_full(ERROR_SUCCESS));
}

static void failures_are_those_of_a_medium(void **state)
{
    (void)state;
    assert_sense(WnbdReqTypeRead, ERROR_HANDLE_EOF, 0x03, 0x11, 0x00);
    assert_sense(WnbdReqTypeRead, ERROR_NOT_ENOUGH_MEMORY, 0x03, 0x11, 0x00);
    assert_sense(WnbdReqTypeWrite, ERROR_WRITE_FAULT, 0x03, 0x0C, 0x00);
    assert_sense(WnbdReqTypeFlush, ERROR_WRITE_FAULT, 0x03, 0x0C, 0x00);
    assert_sense(WnbdReqTypeUnmap, ERROR_WRITE_FAULT, 0x04, 0x44, 0x00);
}

static void block_is_named_where_one_failed(void **state)
{
    (void)state;
    assert_int_equal(sense(WnbdReqTypeRead, ERROR_HANDLE_EOF).InformationValid, 1);
    assert_true(sense(WnbdReqTypeRead, ERROR_HANDLE_EOF).Information == 0x123456789);
    assert_true(sense(WnbdReqTypeWrite, ERROR_WRITE_FAULT).Information == 0x123456789);
    assert_int_equal(sense(WnbdReqTypeFlush, ERROR_WRITE_FAULT).InformationValid, 0);
    assert_int_equal(sense(WnbdReqTypeWrite, ERROR_DISK_FULL).InformationValid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_room_is_space_allocation_failed),
        cmocka_unit_test(failures_are_those_of_a_medium),
        cmocka_unit_test(block_is_named_where_one_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
