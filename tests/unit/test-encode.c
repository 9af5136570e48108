/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/base/bytes.h"
#include "core/nbd/encode.h"
#include "tests/unit/guard.h"

#define FLAGS_END (IO_ONE_EXTENT << 1) /* behind every combination of flags */

static const enum nbd_form forms[] = {NBD_SIMPLE, NBD_STRUCTURED, NBD_EXTENDED};

static void check_form(const struct io_request *request, enum nbd_form form, const uint8_t *expected, uint32_t size)
{
    uint8_t *bytes = guard_memory(size);

    assert_int_equal(nbd_request_size(form), size);
    assert_int_equal(nbd_encode_request(bytes, request, form), size);
    assert_memory_equal(bytes, expected, size);
    guard_free(bytes, size);
}

/* Structured replies leave requests as they were. */
static void check_compact(const struct io_request *request, const uint8_t *expected)
{
    check_form(request, NBD_SIMPLE, expected, 28);
    check_form(request, NBD_STRUCTURED, expected, 28);
}

static void check_extended(const struct io_request *request, const uint8_t *expected)
{
    check_form(request, NBD_EXTENDED, expected, 32);
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
    static const uint8_t compact[] = {0x25, 0x60, 0x95, 0x13, 0,    0,    0,    0,    0x21, 0x22,
                                      0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x01, 0x02, 0x03, 0x04,
                                      0x05, 0x06, 0x07, 0x08, 0x11, 0x12, 0x13, 0x14};
    static const uint8_t extended[] = {0x21, 0xe4, 0x1c, 0x71, 0,    0,    0,    0,    0x21, 0x22, 0x23,
                                       0x24, 0x25, 0x26, 0x27, 0x28, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                       0x07, 0x08, 0,    0,    0,    0,    0x11, 0x12, 0x13, 0x14};

    (void)state;
    check_compact(&request, compact);
    check_extended(&request, extended);
}

static void write_with_and_without_fua_is_encoded(void **state)
{
    struct io_request request = {
        .operation = IO_WRITE,
        .offset = UINT64_MAX - 1,
        .length = UINT32_MAX,
        .cookie = 1,
    };
    uint8_t compact[] = {0x25, 0x60, 0x95, 0x13, 0,    0,    0,    1,    0,    0,    0,    0,    0,    0,
                         0,    1,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF};
    /* with PAYLOAD_LEN, 0x20 */
    uint8_t extended[] = {0x21, 0xe4, 0x1c, 0x71, 0,    0x20, 0,    1,    0, 0, 0, 0, 0,    0,    0,    1,
                          0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF};

    (void)state;
    check_compact(&request, compact);
    check_extended(&request, extended);
    request.flags = IO_FUA;
    compact[5] = 0x01;
    extended[5] = 0x21;
    check_compact(&request, compact);
    check_extended(&request, extended);
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
    static const uint8_t compact[28] = {0x25, 0x60, 0x95, 0x13, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 3};
    static const uint8_t extended[32] = {0x21, 0xe4, 0x1c, 0x71, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 3};

    (void)state;
    check_compact(&request, compact);
    check_extended(&request, extended);
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
    static const uint8_t compact[] = {0x25, 0x60, 0x95, 0x13, 0, 1, 0, 4, 0, 0, 0,    0,    0,    0,
                                      0,    9,    0,    0,    0, 0, 0, 0, 2, 0, 0xFF, 0xFF, 0xF0, 0};
    static const uint8_t extended[] = {0x21, 0xe4, 0x1c, 0x71, 0, 1, 0, 4, 0, 0, 0, 0, 0,    0,    0,    9,
                                       0,    0,    0,    0,    0, 0, 2, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xF0, 0};

    (void)state;
    check_compact(&request, compact);
    check_extended(&request, extended);
}

static void zeroes_with_every_flag_are_encoded(void **state)
{
    const struct io_request request = {
        .operation = IO_WRITE_ZEROES,
        .flags = IO_FUA | IO_NO_HOLE | IO_FAST_ZERO,
        .offset = (uint64_t)1 << 40,
        .length = 0x10000,
        .cookie = 4,
    };
    static const uint8_t compact[] = {0x25, 0x60, 0x95, 0x13, 0, 0x13, 0, 6, 0, 0, 0, 0, 0, 0,
                                      0,    4,    0,    0,    1, 0,    0, 0, 0, 0, 0, 1, 0, 0};
    static const uint8_t extended[] = {0x21, 0xe4, 0x1c, 0x71, 0, 0x13, 0, 6, 0, 0, 0, 0, 0, 0, 0, 4,
                                       0,    0,    1,    0,    0, 0,    0, 0, 0, 0, 0, 0, 0, 1, 0, 0};

    (void)state;
    check_compact(&request, compact);
    check_extended(&request, extended);
}

static void block_status_of_one_extent_is_encoded(void **state)
{
    const struct io_request request = {
        .operation = IO_BLOCK_STATUS,
        .flags = IO_ONE_EXTENT,
        .offset = 0x200,
        .length = 0x400,
        .cookie = 5,
    };
    static const uint8_t compact[] = {0x25, 0x60, 0x95, 0x13, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0,
                                      0,    5,    0,    0,    0, 0, 0, 0, 2, 0, 0, 0, 4, 0};
    static const uint8_t extended[] = {0x21, 0xe4, 0x1c, 0x71, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5,
                                       0,    0,    0,    0,    0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0};

    (void)state;
    check_compact(&request, compact);
    check_extended(&request, extended);
}

/* "Request types" and "Command flags": which command, and which of its flags each of ours is; 0 for none. */
static const struct command {
    enum io_operation operation;
    uint16_t type;
    uint16_t of_flag[5]; /* by the bit of enum io_flag */
} commands[] = {
    {.operation = IO_READ, .type = 0, .of_flag = {0, 0, 0, 0x04, 0}},
    {.operation = IO_WRITE, .type = 1, .of_flag = {0x01, 0, 0, 0, 0}},
    {.operation = IO_FLUSH, .type = 3, .of_flag = {0, 0, 0, 0, 0}},
    {.operation = IO_TRIM, .type = 4, .of_flag = {0x01, 0, 0, 0, 0}},
    {.operation = IO_CACHE, .type = 5, .of_flag = {0, 0, 0, 0, 0}},
    {.operation = IO_WRITE_ZEROES, .type = 6, .of_flag = {0x01, 0x02, 0x10, 0, 0}},
    {.operation = IO_BLOCK_STATUS, .type = 7, .of_flag = {0, 0, 0, 0, 0x08}},
};

static uint16_t flags_on_the_wire(const struct command *command, uint32_t flags, enum nbd_form form)
{
    uint32_t wire = form == NBD_EXTENDED && command->type == 1 ? 0x20 : 0;

    for (unsigned bit = 0; bit < GUARD_COUNT(command->of_flag); bit++) {
        wire |= (flags >> bit) % 2 != 0 ? command->of_flag[bit] : 0;
    }
    return (uint16_t)wire;
}

static void check_flags(const struct command *command, uint32_t flags, enum nbd_form form)
{
    const struct io_request request = {
        .operation = command->operation,
        .flags = flags,
        .offset = command->operation == IO_FLUSH ? 0 : (uint64_t)1 << 33,
        .length = command->operation == IO_FLUSH ? 0 : 4096,
        .cookie = 77,
    };
    uint8_t bytes[NBD_REQUEST_SIZE_MAX];
    uint32_t size = nbd_encode_request(bytes, &request, form);

    assert_int_equal(load_be16(bytes + 4), flags_on_the_wire(command, flags, form));
    assert_int_equal(load_be16(bytes + 6), command->type);
    assert_int_equal(load_be64(bytes + 8), 77);
    assert_int_equal(load_be64(bytes + 16), request.offset);
    assert_int_equal(form == NBD_EXTENDED ? load_be64(bytes + 24) : load_be32(bytes + 24), request.length);
    assert_int_equal(size, form == NBD_EXTENDED ? 32 : 28);
}

static void flags_that_mean_nothing_to_a_command_are_never_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(commands); i++) {
        for (uint32_t flags = 0; flags < FLAGS_END; flags++) {
            for (size_t form = 0; form < GUARD_COUNT(forms); form++) {
                check_flags(&commands[i], flags, forms[form]);
            }
        }
    }
}

static void check_disconnect(enum nbd_form form, const uint8_t *expected, uint32_t size)
{
    uint8_t *bytes = guard_memory(size);

    memset(bytes, 0xEE, size);
    assert_int_equal(nbd_encode_disconnect(bytes, form), size);
    assert_memory_equal(bytes, expected, size);
    guard_free(bytes, size);
}

static void disconnect_is_all_zero_behind_its_type(void **state)
{
    static const uint8_t compact[28] = {0x25, 0x60, 0x95, 0x13, 0, 0, 0, 2};
    static const uint8_t extended[32] = {0x21, 0xe4, 0x1c, 0x71, 0, 0, 0, 2};

    (void)state;
    check_disconnect(NBD_SIMPLE, compact, 28);
    check_disconnect(NBD_STRUCTURED, compact, 28);
    check_disconnect(NBD_EXTENDED, extended, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_is_encoded),
        cmocka_unit_test(write_with_and_without_fua_is_encoded),
        cmocka_unit_test(flush_has_offset_and_length_zero),
        cmocka_unit_test(trim_is_encoded),
        cmocka_unit_test(zeroes_with_every_flag_are_encoded),
        cmocka_unit_test(block_status_of_one_extent_is_encoded),
        cmocka_unit_test(flags_that_mean_nothing_to_a_command_are_never_sent),
        cmocka_unit_test(disconnect_is_all_zero_behind_its_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
