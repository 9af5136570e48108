/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/handshake_script.h"

static void go_asks_for_export_and_block_size(void **state)
{
    static const uint8_t expected[] = {0, 0,  0, 3, 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 0, 0, 7, 0, 0,
                                       0, 15, 0, 0, 0,   5,   'd', 'i', 's', 'k', '1', 0,   2, 0, 0, 0, 3};
    struct nbd_handshake *handshake;

    (void)state;
    put_usual_success();
    handshake = run_script("disk1", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.sent_length, sizeof expected);
    assert_memory_equal(run.sent, expected, sizeof expected);
    end(handshake);
}

static void success_fills_the_export(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    put_usual_success();
    put("more", 4); /* belongs to transmission: not asked for */
    handshake = run_script("disk1", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.received, script.length - 4);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_NO_FAILURE);
    assert_int_equal(handshake->server_export.size, 1 << 20);
    assert_int_equal(handshake->server_export.flags, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH);
    assert_int_equal(handshake->server_export.minimum_block, 512);
    assert_int_equal(handshake->server_export.preferred_block, 4096);
    assert_int_equal(handshake->server_export.maximum_payload, 1 << 25);
    check_words(handshake, "");
    end(handshake);
}

static void informations_come_in_any_order_and_number(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin();
    put_info_of(NBD_INFO_NAME, 5);
    put_info_of(NBD_INFO_DESCRIPTION, 0);
    put_info_block_size(1, 512, NBD_UNLIMITED_PAYLOAD);
    put_info_of(77, 0);     /* of a type nobody knows */
    put_info_of(78, 20000); /* and a long one */
    put_info_of(NBD_INFO_DESCRIPTION, NBD_STRING_MAX);
    put_info_export(12345, NBD_FLAG_HAS_FLAGS);
    put_reply(NBD_REP_ACK, NULL, 0);
    handshake = run_script("", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.received, script.length);
    assert_int_equal(handshake->server_export.size, 12345);
    assert_int_equal(handshake->server_export.maximum_payload, NBD_UNLIMITED_PAYLOAD);
    end(handshake);
}

static void no_block_sizes_means_the_defaults(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin();
    put_info_export(12345, NBD_FLAG_HAS_FLAGS);
    put_reply(NBD_REP_ACK, NULL, 0);
    handshake = run_script("", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(handshake->server_export.minimum_block, 1);
    assert_int_equal(handshake->server_export.preferred_block, 4096);
    assert_int_equal(handshake->server_export.maximum_payload, 1 << 25);
    end(handshake);
}

static void client_flags_only_answer_the_servers(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 8; flags++) {
        put_greeting((uint16_t)(flags | 0xFF00)); /* unknown ones are ignored */
        end(run_script("disk1", script.length));
        assert_int_equal(load_be32(run.sent), flags & 3);
    }
}

static void longest_name_fits(void **state)
{
    char name[NBD_EXPORT_NAME_MAX + 1];

    (void)state;
    memset(name, 'x', NBD_EXPORT_NAME_MAX);
    name[NBD_EXPORT_NAME_MAX] = '\0';
    begin();
    put_error(NBD_REP_ERR_UNSUP, "");
    put_number(4096, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    end(run_script(name, script.length));
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(load_be32(run.sent + 4 + 12), 4 + 255 + 2 + 4);
    assert_memory_equal(sent_from_end(255), name, 255);
    assert_int_equal(load_be32(sent_from_end(255 + 4)), 255);
}

/* An old server does not know NBD_OPT_GO. */
static void unsupported_go_falls_back_to_export_name(void **state)
{
    static const uint8_t expected[] = {'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0,   0,  0,
                                       1,   0,   0,   0,   5,   'd', 'i', 's', 'k', '1'};
    struct nbd_handshake *handshake;

    (void)state;
    begin();
    put_info_export(1, 0);            /* told with an option that then is not supported: forgotten */
    put_info_block_size(4096, 0, 17); /* the same */
    put_error(NBD_REP_ERR_UNSUP, "no idea what that is");
    put_number(1 << 30, 8);
    put_number(NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY, 2);
    put("more", 4);
    handshake = run_script("disk1", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_memory_equal(sent_from_end(sizeof expected), expected, sizeof expected);
    assert_int_equal(run.received, script.length - 4);
    assert_int_equal(handshake->server_export.size, 1 << 30);
    assert_int_equal(handshake->server_export.flags, NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY);
    assert_int_equal(handshake->server_export.minimum_block, 1);
    assert_int_equal(handshake->server_export.maximum_payload, 1 << 25);
    assert_string_equal(handshake->server_text, "");
    end(handshake);
}

static void export_name_without_no_zeroes_takes_124_bytes_more(void **state)
{
    (void)state;
    put_greeting(NBD_FLAG_FIXED_NEWSTYLE);
    put_error(NBD_REP_ERR_UNSUP, "");
    put_number(4096, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    put_zeroes(124);
    put("more", 4);
    end(run_script("disk1", script.length));
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.received, script.length - 4);
}

static void newstyle_that_is_not_fixed_gets_export_name(void **state)
{
    static const uint8_t expected[] = {0, 0, 0, 0, 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0,
                                       0, 0, 1, 0, 0,   0,   5,   'd', 'i', 's', 'k', '1'};
    struct nbd_handshake *handshake;

    (void)state;
    put_greeting(0);
    put_number(4096, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    put_zeroes(124);
    handshake = run_script("disk1", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.sent_length, sizeof expected);
    assert_memory_equal(run.sent, expected, sizeof expected);
    assert_int_equal(handshake->server_export.size, 4096);
    end(handshake);
}

static void closed_on_export_name_means_unknown_export(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    put_greeting(0);
    handshake = run_script("disk1", script.length);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_UNKNOWN_EXPORT);
    check_words(handshake, "the server closed the connection when asked for the export 'disk1', as it does when it has "
                           "no such export");
    end(handshake);
}

static void closed_in_the_zeroes_is_closed(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    put_greeting(0);
    put_number(4096, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    put_zeroes(123);
    handshake = run_script("disk1", script.length);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_CLOSED);
    end(handshake);
}

static void as_many_informations_as_allowed(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < NBD_REPLIES_MAX - 1; i++) {
        put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    }
    put_reply(NBD_REP_ACK, NULL, 0);
    end(run_script("disk1", script.length));
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
}

static void closed_while_aborting_keeps_the_failure(void **state)
{
    struct nbd_handshake handshake;
    uint8_t *bytes;
    size_t length;
    size_t at = 0;

    (void)state;
    begin();
    put_error(NBD_REP_ERR_POLICY, "");
    nbd_handshake_init(&handshake, "x", 1);
    handshake.form_max = NBD_SIMPLE;
    while (handshake.failure == NBD_HANDSHAKE_NO_FAILURE) {
        if (nbd_handshake_step(&handshake, &bytes, &length) == NBD_HANDSHAKE_RECEIVE) {
            memcpy(bytes, script.bytes + at, length);
            at += length;
        }
        nbd_handshake_advance(&handshake);
    }
    assert_int_equal(nbd_handshake_step(&handshake, &bytes, &length), NBD_HANDSHAKE_SEND);
    nbd_handshake_closed(&handshake);
    assert_int_equal(nbd_handshake_step(&handshake, &bytes, &length), NBD_HANDSHAKE_FAILED);
    assert_int_equal(handshake.failure, NBD_HANDSHAKE_POLICY);
}

static void closed_after_the_end_changes_nothing(void **state)
{
    struct nbd_handshake *handshake;
    uint8_t *bytes;
    size_t length;

    (void)state;
    put_usual_success();
    handshake = run_script("disk1", script.length);
    nbd_handshake_closed(handshake);
    nbd_handshake_advance(handshake);
    assert_int_equal(nbd_handshake_step(handshake, &bytes, &length), NBD_HANDSHAKE_DONE);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_NO_FAILURE);
    end(handshake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_asks_for_export_and_block_size),
        cmocka_unit_test(success_fills_the_export),
        cmocka_unit_test(informations_come_in_any_order_and_number),
        cmocka_unit_test(no_block_sizes_means_the_defaults),
        cmocka_unit_test(client_flags_only_answer_the_servers),
        cmocka_unit_test(longest_name_fits),
        cmocka_unit_test(unsupported_go_falls_back_to_export_name),
        cmocka_unit_test(export_name_without_no_zeroes_takes_124_bytes_more),
        cmocka_unit_test(newstyle_that_is_not_fixed_gets_export_name),
        cmocka_unit_test(closed_on_export_name_means_unknown_export),
        cmocka_unit_test(closed_in_the_zeroes_is_closed),
        cmocka_unit_test(as_many_informations_as_allowed),
        cmocka_unit_test(closed_while_aborting_keeps_the_failure),
        cmocka_unit_test(closed_after_the_end_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
