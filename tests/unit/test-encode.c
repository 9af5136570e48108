/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/encode.h"
#include "tests/unit/guard.h"

static void check_request(const struct io_request *request, const uint8_t *expected)
{
    uint8_t *bytes = guard_memory(NBD_REQUEST_SIZE);

    assert_int_equal(nbd_encode_request(bytes, request, NBD_SIMPLE), NBD_REQUEST_SIZE);
    assert_memory_equal(bytes, expected, NBD_REQUEST_SIZE);
    guard_free(bytes, NBD_REQUEST_SIZE);
}

static void read_is_encoded(void **state)
{
    const struct io_request request = {
        .operation = IO_READ,
        .flags = IO_FUA, /* means nothing to a read */
        .offset = 0x0102030405060708,
        .length = 0x11121314,
        .cookie = 0x2122232425262728,
    };
    static const uint8_t expected[] = {0x25, 0x60, 0x95, 0x13, 0,    0,    0,    0,    0x21, 0x22,
                                       0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x01, 0x02, 0x03, 0x04,
                                       0x05, 0x06, 0x07, 0x08, 0x11, 0x12, 0x13, 0x14};

    (void)state;
    check_request(&request, expected);
}

static void write_with_and_without_fua_is_encoded(void **state)
{
    struct io_request request = {
        .operation = IO_WRITE,
        .offset = UINT64_MAX - 1,
        .length = UINT32_MAX,
        .cookie = 1,
    };
    uint8_t expected[] = {0x25, 0x60, 0x95, 0x13, 0,    0,    0,    1,    0,    0,    0,    0,    0,    0,
                          0,    1,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF};

    (void)state;
    check_request(&request, expected);
    request.flags = IO_FUA;
    expected[5] = 1;
    check_request(&request, expected);
}

static void flush_has_offset_and_length_zero(void **state)
{
    const struct io_request request = {
        .operation = IO_FLUSH,
        .flags = IO_FUA,
        .offset = 4096,
        .length = 512,
        .cookie = (uint64_t)7 << 32 | 3,
    };
    static const uint8_t expected[] = {0x25, 0x60, 0x95, 0x13, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0,
                                       0,    3,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

    (void)state;
    check_request(&request, expected);
}

static void trim_is_encoded(void **state)
{
    const struct io_request request = {
        .operation = IO_TRIM,
        .flags = IO_FUA,
        .offset = 512,
        .length = 0xFFFFF000,
        .cookie = 9,
    };
    static const uint8_t expected[] = {0x25, 0x60, 0x95, 0x13, 0, 1, 0, 4, 0, 0, 0,    0,    0,    0,
                                       0,    9,    0,    0,    0, 0, 0, 0, 2, 0, 0xFF, 0xFF, 0xF0, 0};

    (void)state;
    check_request(&request, expected);
}

static void disconnect_is_all_zero_behind_its_type(void **state)
{
    static const uint8_t expected[NBD_REQUEST_SIZE] = {0x25, 0x60, 0x95, 0x13, 0, 0, 0, 2};
    uint8_t *bytes = guard_memory(NBD_REQUEST_SIZE);

    (void)state;
    assert_int_equal(nbd_encode_disconnect(bytes, NBD_SIMPLE), NBD_REQUEST_SIZE);
    assert_memory_equal(bytes, expected, NBD_REQUEST_SIZE);
    guard_free(bytes, NBD_REQUEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_is_encoded),
        cmocka_unit_test(write_with_and_without_fua_is_encoded),
        cmocka_unit_test(flush_has_offset_and_length_zero),
        cmocka_unit_test(trim_is_encoded),
        cmocka_unit_test(disconnect_is_all_zero_behind_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
