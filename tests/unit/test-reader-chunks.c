/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/guard.h"
#include "tests/unit/reply_client.h"

static void empty_last_chunk_ends_a_write(void **state)
{
    static struct reply_client client;
    static const uint8_t stream[] = {0x66, 0x8e, 0x33, 0xef, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0};

    (void)state;
    client_init(&client, NBD_STRUCTURED);
    assert_true(client_feed(&client, stream, sizeof stream));
    assert_false(client.dropped);
    assert_int_equal(client.log_length, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_last_chunk_ends_a_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
