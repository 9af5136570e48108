/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers that break the protocol or the connection. */
#include "tests/unit/handshake_script.h"

/* The server's script is wrong: the handshake fails this way and says so. A hard disconnect follows, no NBD_OPT_ABORT.
 */
static void check_broken(const char *words)
{
    struct nbd_handshake *handshake = run_script("disk1", script.length);

    check_broken_words(handshake, words);
    end(handshake);
}

static void check_no_abort_sent(void)
{
    for (size_t i = 0; i + NBD_OPTION_SIZE <= run.sent_length; i++) {
        assert_false(load_be64(run.sent + i) == NBD_OPTION_MAGIC && load_be32(run.sent + i + 8) == NBD_OPT_ABORT);
    }
}

static void wrong_second_magic(void **state)
{
    (void)state;
    script.length = 0;
    put_number(NBD_MAGIC, 8);
    put_number(NBD_OPTION_MAGIC ^ 1, 8);
    put_number(3, 2);
    check_broken("its greeting has a wrong second magic number");
}

static void wrong_reply_magic(void **state)
{
    (void)state;
    begin();
    put_number(NBD_OPTION_REPLY_MAGIC + 1, 8);
    put_number(NBD_OPT_GO, 4);
    put_number(NBD_REP_ACK, 4);
    put_number(0, 4);
    check_broken("its reply to an option has a wrong magic number");
    check_no_abort_sent();
}

static void reply_to_another_option(void **state)
{
    const uint32_t options[] = {0, NBD_OPT_EXPORT_NAME, NBD_OPT_INFO, NBD_OPT_GO << 24, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(options); i++) {
        begin();
        put_number(NBD_OPTION_REPLY_MAGIC, 8);
        put_number(options[i], 4);
        put_number(NBD_REP_ACK, 4);
        put_number(0, 4);
        check_broken("it replied to an option that was not sent");
    }
}

static void ack_without_export_information(void **state)
{
    (void)state;
    begin();
    put_reply(NBD_REP_ACK, NULL, 0);
    check_broken("it sent NBD_REP_ACK without NBD_INFO_EXPORT");
    begin();
    put_info_block_size(1, 4096, 1 << 20);
    put_reply(NBD_REP_ACK, NULL, 0);
    check_broken("it sent NBD_REP_ACK without NBD_INFO_EXPORT");
}

static void ack_with_data(void **state)
{
    (void)state;
    begin();
    put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    put_reply(NBD_REP_ACK, "x", 1);
    script.length--; /* not even asked for */
    check_broken("it sent data with NBD_REP_ACK");
}

static void reply_length_of_4_gigabytes(void **state)
{
    const uint32_t types[] = {NBD_REP_ACK, NBD_REP_INFO, NBD_REP_SERVER, NBD_REP_ERR_UNKNOWN, NBD_REP_ERR_UNSUP};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(types); i++) {
        begin();
        put_reply_header(types[i], UINT32_MAX);
        check_broken("it sent a reply of more than 65536 bytes");
        begin();
        put_reply_header(types[i], NBD_REPLY_LENGTH_MAX + 1);
        check_broken("it sent a reply of more than 65536 bytes");
    }
}

static void information_with_a_wrong_length(void **state)
{
    (void)state;
    for (size_t length = 0; length < 1200; length++) {
        if (length != 10) {
            begin();
            put_info_of(NBD_INFO_EXPORT, length);
            script.length = script.length < 18 + 20 + 1024 ? script.length : 18 + 20 + 1024;
            check_broken("it sent NBD_INFO_EXPORT with a wrong length");
        }
        if (length != 12) {
            begin();
            put_info_of(NBD_INFO_BLOCK_SIZE, length);
            script.length = script.length < 18 + 20 + 1024 ? script.length : 18 + 20 + 1024;
            check_broken("it sent NBD_INFO_BLOCK_SIZE with a wrong length");
        }
    }
}

static void information_without_a_type(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 2; length++) {
        begin();
        put_reply_header(NBD_REP_INFO, length);
        check_broken("it sent NBD_REP_INFO without an information type");
    }
}

static void name_or_description_above_4096_bytes(void **state)
{
    (void)state;
    for (uint16_t type = NBD_INFO_NAME; type <= NBD_INFO_DESCRIPTION; type++) {
        begin();
        put_info_of(type, NBD_STRING_MAX + 1);
        script.length = 18 + 20 + 1024; /* the first part is enough to know */
        check_broken("it sent a name or description of more than 4096 bytes");
    }
}

static void error_text_above_4096_bytes(void **state)
{
    (void)state;
    begin();
    put_reply_header(NBD_REP_ERR_UNKNOWN, NBD_STRING_MAX + 1);
    check_broken("it sent an error text of more than 4096 bytes");
}

/* A reply to NBD_OPT_LIST, with a name longer than the reply: nothing of it is read. */
static void reply_of_a_type_that_go_does_not_have(void **state)
{
    const uint32_t types[] = {0, NBD_REP_SERVER, 4, 5, 0x7FFFFFFF};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(types); i++) {
        begin();
        put_reply_header(types[i], 8);
        check_broken("it sent a reply of a type that NBD_OPT_GO does not have");
    }
}

static void endless_informations(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < NBD_REPLIES_MAX; i++) {
        put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    }
    put_reply(NBD_REP_ACK, NULL, 0);
    check_broken("it sent more than 64 replies to one option");
}

/* The most that a server can make the client take: bounded in bytes and steps. */
static void longest_replies_are_bounded(void **state)
{
    struct nbd_handshake handshake;
    static uint8_t information[20 + NBD_REPLY_LENGTH_MAX];
    size_t received = 0;
    size_t steps = 0;

    (void)state;
    script.length = 0;
    put_reply_header(NBD_REP_INFO, NBD_REPLY_LENGTH_MAX);
    memcpy(information, script.bytes, 20);
    information[20] = 0xFF; /* an unknown type */
    begin();
    nbd_handshake_init(&handshake, "x", 1);
    handshake.form_max = NBD_SIMPLE;
    for (;;) {
        uint8_t *bytes;
        size_t length;
        enum nbd_handshake_step step = nbd_handshake_step(&handshake, &bytes, &length);

        steps++;
        if (step == NBD_HANDSHAKE_FAILED) {
            break;
        }
        assert_true(steps <= NBD_HANDSHAKE_STEPS_MAX);
        for (size_t i = 0; step == NBD_HANDSHAKE_RECEIVE && i < length; i++, received++) {
            bytes[i] = received < script.length ? script.bytes[received]
                                                : information[(received - script.length) % sizeof information];
        }
        nbd_handshake_advance(&handshake);
    }
    assert_int_equal(handshake.failure, NBD_HANDSHAKE_BROKEN);
    assert_int_equal(received, script.length + NBD_REPLIES_MAX * sizeof information + 20);
}

static void closed_after_every_byte_of_go(void **state)
{
    (void)state;
    put_usual_success();
    close_after_every_byte(NBD_SIMPLE);
}

static void closed_after_every_byte_of_export_name(void **state)
{
    (void)state;
    put_greeting(NBD_FLAG_FIXED_NEWSTYLE);
    put_error(NBD_REP_ERR_UNSUP, "what?");
    put_number(4096, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    put_zeroes(124);
    close_after_every_byte(NBD_SIMPLE);
}

static void closed_after_every_byte_of_a_refusal(void **state)
{
    (void)state;
    begin();
    put_info_of(NBD_INFO_DESCRIPTION, 2000);
    put_error(NBD_REP_ERR_UNKNOWN, "no such export here");
    script.length--; /* whole, it is not cut */
    close_after_every_byte(NBD_SIMPLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_second_magic),
        cmocka_unit_test(wrong_reply_magic),
        cmocka_unit_test(reply_to_another_option),
        cmocka_unit_test(ack_without_export_information),
        cmocka_unit_test(ack_with_data),
        cmocka_unit_test(reply_length_of_4_gigabytes),
        cmocka_unit_test(information_with_a_wrong_length),
        cmocka_unit_test(information_without_a_type),
        cmocka_unit_test(name_or_description_above_4096_bytes),
        cmocka_unit_test(error_text_above_4096_bytes),
        cmocka_unit_test(reply_of_a_type_that_go_does_not_have),
        cmocka_unit_test(endless_informations),
        cmocka_unit_test(longest_replies_are_bounded),
        cmocka_unit_test(closed_after_every_byte_of_go),
        cmocka_unit_test(closed_after_every_byte_of_export_name),
        cmocka_unit_test(closed_after_every_byte_of_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
