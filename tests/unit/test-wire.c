/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/wire.h"
#include "tests/unit/guard.h"

static const uint32_t known[] = {
    NBD_EPERM, NBD_EIO, NBD_ENOMEM, NBD_EINVAL, NBD_ENOSPC, NBD_EOVERFLOW, NBD_ENOTSUP, NBD_ESHUTDOWN,
};

/* Key, ASC and ASCQ as 0xKKAAQQ. */
static uint32_t sense_of(uint32_t error, enum io_operation operation)
{
    const struct io_request request = {
        .operation = operation,
        .offset = 4096,
        .length = operation == IO_FLUSH ? 0 : 512,
    };
    struct scsi_sense sense = nbd_error_sense(error, &request);

    assert_false(sense.information_valid);
    return (uint32_t)sense.key << 16 | (uint32_t)sense.asc << 8 | sense.ascq;
}

static void permission_denied_is_write_protected(void **state)
{
    (void)state;
    assert_int_equal(sense_of(NBD_EPERM, IO_WRITE), 0x072700);
    assert_int_equal(sense_of(NBD_EPERM, IO_TRIM), 0x072700);
    assert_int_equal(sense_of(NBD_EPERM, IO_READ), 0x044400);
    assert_int_equal(sense_of(NBD_EPERM, IO_FLUSH), 0x044400);
}

static void input_output_error_is_a_medium_error(void **state)
{
    (void)state;
    assert_int_equal(sense_of(NBD_EIO, IO_READ), 0x031100);
    assert_int_equal(sense_of(NBD_EIO, IO_WRITE), 0x030C00);
    assert_int_equal(sense_of(NBD_EIO, IO_FLUSH), 0x030C00);
    assert_int_equal(sense_of(NBD_EIO, IO_TRIM), 0x030C00);
}

static void no_memory_asks_to_try_again(void **state)
{
    (void)state;
    for (int operation = IO_READ; operation <= IO_BLOCK_STATUS; operation++) {
        assert_int_equal(sense_of(NBD_ENOMEM, (enum io_operation)operation), 0x0B5503);
    }
}

static void no_space_is_space_allocation_failed(void **state)
{
    (void)state;
    assert_int_equal(sense_of(NBD_ENOSPC, IO_WRITE), 0x072707);
    assert_int_equal(sense_of(NBD_ENOSPC, IO_FLUSH), 0x072707);
    assert_int_equal(sense_of(NBD_ENOSPC, IO_TRIM), 0x072707);
    assert_int_equal(sense_of(NBD_ENOSPC, IO_READ), 0x044400);
}

static void shutdown_is_not_ready(void **state)
{
    (void)state;
    for (int operation = IO_READ; operation <= IO_BLOCK_STATUS; operation++) {
        assert_int_equal(sense_of(NBD_ESHUTDOWN, (enum io_operation)operation), 0x020401);
    }
}

static void unsupported_trim_is_an_unknown_command(void **state)
{
    (void)state;
    assert_int_equal(sense_of(NBD_ENOTSUP, IO_TRIM), 0x052000);
    assert_int_equal(sense_of(NBD_ENOTSUP, IO_READ), 0x044400);
    assert_int_equal(sense_of(NBD_ENOTSUP, IO_WRITE), 0x044400);
}

/* Windows takes ILLEGAL REQUEST as "no such command" and goes on as if there was nothing to flush. */
static void failed_flush_is_never_an_illegal_request(void **state)
{
    (void)state;
    for (uint32_t error = 1; error < 256; error++) {
        assert_true(sense_of(error, IO_FLUSH) >> 16 != SENSE_KEY_ILLEGAL_REQUEST);
    }
}

static void invalid_argument_is_the_targets_failure(void **state)
{
    (void)state;
    assert_int_equal(sense_of(NBD_EINVAL, IO_READ), 0x044400);
    assert_int_equal(sense_of(NBD_EINVAL, IO_WRITE), 0x044400);
    assert_int_equal(sense_of(NBD_EINVAL, IO_FLUSH), 0x044400);
    assert_int_equal(sense_of(NBD_EINVAL, IO_TRIM), 0x052400);
}

/* "Error values": as if it had been NBD_EINVAL. */
static void unknown_error_is_as_invalid_argument(void **state)
{
    const uint32_t unknown[] = {2, 30, NBD_EOVERFLOW, 110, 255, 0x10000, 0x80000000, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(unknown); i++) {
        for (int operation = IO_READ; operation <= IO_BLOCK_STATUS; operation++) {
            assert_int_equal(sense_of(unknown[i], (enum io_operation)operation),
                             sense_of(NBD_EINVAL, (enum io_operation)operation));
        }
    }
}

/* What reads storage fails as a read does, what writes it as a write. */
static void other_operations_fail_alike(void **state)
{
    (void)state;
    for (uint32_t error = 1; error < 256; error++) {
        assert_int_equal(sense_of(error, IO_WRITE_ZEROES), sense_of(error, IO_WRITE));
        assert_int_equal(sense_of(error, IO_CACHE), sense_of(error, IO_READ));
        assert_int_equal(sense_of(error, IO_BLOCK_STATUS), sense_of(error, IO_READ));
    }
}

static void assert_information(const struct io_request *request, uint32_t error, uint64_t offset, uint64_t block)
{
    struct scsi_sense sense = nbd_error_sense_at(error, request, offset, 512);
    struct scsi_sense plain = nbd_error_sense(error, request);

    assert_true(sense.information_valid);
    assert_int_equal(sense.information, block);
    assert_int_equal(sense.key, plain.key);
    assert_int_equal(sense.asc, plain.asc);
    assert_int_equal(sense.ascq, plain.ascq);
}

static void assert_no_information(const struct io_request *request, uint32_t error, uint64_t offset)
{
    assert_false(nbd_error_sense_at(error, request, offset, 512).information_valid);
}

static void offset_becomes_information(void **state)
{
    const struct io_request request = {.operation = IO_READ, .offset = 4096, .length = 1024};
    const struct io_request last = {.operation = IO_WRITE, .offset = UINT64_MAX - 1023, .length = 1023};

    (void)state;
    assert_information(&request, NBD_EIO, 4096, 8);
    assert_information(&request, NBD_EIO, 4096 + 511, 8);
    assert_information(&request, NBD_EIO, 4096 + 512, 9);
    assert_information(&request, NBD_EINVAL, 4096 + 1023, 9);
    assert_information(&last, NBD_ENOSPC, UINT64_MAX - 1, UINT64_MAX / 512);
}

static void offset_that_is_not_believed(void **state)
{
    const struct io_request request = {.operation = IO_READ, .offset = 4096, .length = 1024};
    const struct io_request flush = {.operation = IO_FLUSH};
    const struct io_request trim = {.operation = IO_TRIM, .offset = 4096, .length = 1024};

    (void)state;
    assert_no_information(&request, NBD_EIO, 0);
    assert_no_information(&request, NBD_EIO, 4095);
    assert_no_information(&request, NBD_EIO, 4096 + 1024);
    assert_no_information(&request, NBD_EIO, UINT64_MAX);
    assert_no_information(&flush, NBD_EIO, 0);
    assert_no_information(&trim, NBD_ENOTSUP, 4096); /* the command is refused, not a block */
}

static void no_error_is_without_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(known); i++) {
        for (int operation = IO_READ; operation <= IO_BLOCK_STATUS; operation++) {
            assert_true(sense_of(known[i], (enum io_operation)operation) >> 16 != SENSE_KEY_NO_SENSE);
        }
    }
}

static void each_error_has_its_own_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(known); i++) {
        assert_string_not_equal(nbd_error_text(known[i]), "unknown error");
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(nbd_error_text(known[i]), nbd_error_text(known[j]));
        }
    }
    assert_string_equal(nbd_error_text(2), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permission_denied_is_write_protected),
        cmocka_unit_test(input_output_error_is_a_medium_error),
        cmocka_unit_test(no_memory_asks_to_try_again),
        cmocka_unit_test(no_space_is_space_allocation_failed),
        cmocka_unit_test(shutdown_is_not_ready),
        cmocka_unit_test(unsupported_trim_is_an_unknown_command),
        cmocka_unit_test(failed_flush_is_never_an_illegal_request),
        cmocka_unit_test(invalid_argument_is_the_targets_failure),
        cmocka_unit_test(unknown_error_is_as_invalid_argument),
        cmocka_unit_test(other_operations_fail_alike),
        cmocka_unit_test(offset_becomes_information),
        cmocka_unit_test(offset_that_is_not_believed),
        cmocka_unit_test(no_error_is_without_sense),
        cmocka_unit_test(each_error_has_its_own_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
