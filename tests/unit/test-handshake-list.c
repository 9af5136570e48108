/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question which exports there are, which ends without a session. */
#include "tests/unit/handshake_script.h"

static void begin_list(void)
{
    script_option = NBD_OPT_LIST;
    begin();
}

static void put_entry(const char *name, const char *description)
{
    put_reply_header(NBD_REP_SERVER, (uint32_t)(4 + strlen(name) + strlen(description)));
    put_number(strlen(name), 4);
    put(name, strlen(name));
    put(description, strlen(description));
}

static struct nbd_handshake *run_list(void)
{
    struct nbd_handshake *handshake = make();

    nbd_handshake_init_list(handshake);
    return run_made(handshake, script.length);
}

static void check_listed(const char *names)
{
    struct nbd_handshake *handshake;

    put_reply(NBD_REP_ACK, NULL, 0);
    handshake = run_list();
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_string_equal(run.names, names);
    assert_int_equal(load_be32(run.sent + 4 + 8), NBD_OPT_LIST); /* behind the client's flags */
    assert_int_equal(load_be32(run.sent + 4 + 12), 0);
    check_abort_sent();
    end(handshake);
}

static void check_list_broken(const char *words)
{
    struct nbd_handshake *handshake = run_list();

    check_broken_words(handshake, words);
    end(handshake);
}

static void no_exports(void **state)
{
    (void)state;
    begin_list();
    check_listed("");
}

static void some_exports(void **state)
{
    (void)state;
    begin_list();
    put_entry("disk1", "");
    put_entry("", "the default");
    put_entry("a b/c", "words, with \x1B[31m colour");
    check_listed("disk1=;=the default;a b/c=words, with ?[31m colour;");
}

/* Nobody could map them. */
static void names_that_cannot_be_used(void **state)
{
    char name[NBD_EXPORT_NAME_MAX + 2] = {0};
    char expected[2 * sizeof name];

    (void)state;
    memset(name, 'n', sizeof name - 1);
    begin_list();
    put_entry(name, "long");
    put_entry("last", "");
    snprintf(expected, sizeof expected, "!%.*s=long;last=;", NBD_EXPORT_NAME_MAX, name);
    check_listed(expected);
    begin_list();
    put_reply_header(NBD_REP_SERVER, 4 + 3);
    put_number(3, 4);
    put("a\0b", 3);
    check_listed("!a=;");
}

/* As long as the document allows: more than the buffer holds. */
static void names_and_descriptions_of_4096_bytes(void **state)
{
    static char text[NBD_STRING_MAX + 1];

    (void)state;
    memset(text, 't', NBD_STRING_MAX);
    begin_list();
    put_entry(text, text);
    put_entry("x", text);
    put_entry("last", "");
    put_reply(NBD_REP_ACK, NULL, 0);
    end(run_list());
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.entries, 3);
}

/* CVE-2017-2630. */
static void names_longer_than_their_reply(void **state)
{
    const uint32_t lengths[] = {6, 100, 4096, 0x7FFFFFFF, 0xFFFFFFFB, 0xFFFFFFFF};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(lengths); i++) {
        begin_list();
        put_reply_header(NBD_REP_SERVER, 4 + 5);
        put_number(lengths[i], 4);
        put("disk1", 5);
        check_list_broken("it sent an export's name that is longer than the reply it is in");
    }
    begin_list();
    put_reply_header(NBD_REP_SERVER, 3);
    put("abc", 3);
    check_list_broken("it sent NBD_REP_SERVER without the length of a name");
    begin_list();
    put_reply_header(NBD_REP_SERVER, 4 + 4097);
    put_number(4097, 4);
    put_zeroes(4097);
    check_list_broken("it sent a name or description of more than 4096 bytes");
}

static void replies_of_another_question(void **state)
{
    (void)state;
    begin_list();
    put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    check_list_broken("it sent a reply of a type that NBD_OPT_LIST does not have");
    script_option = NBD_OPT_GO;
    begin();
    put_reply(NBD_REP_ACK, NULL, 0);
    check_list_broken("it replied to an option that was not sent");
}

static void list_without_end(void **state)
{
    (void)state;
    begin_list();
    for (unsigned i = 0; i < NBD_ENTRIES_MAX + 2; i++) {
        put_entry("", "");
    }
    check_list_broken("it sent a list of more than 10000 entries");
}

static void list_that_is_refused(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin_list();
    put_error(NBD_REP_ERR_POLICY, "");
    handshake = run_list();
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_POLICY);
    check_words(handshake, "the server's policy forbids the list of its exports");
    end(handshake);
    begin_list();
    put_error(NBD_REP_ERR_UNSUP, "");
    handshake = run_list();
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_REFUSED);
    check_words(handshake, "the server refused the list of its exports because it does not know the question");
    check_abort_sent();
    end(handshake);
}

static void server_that_cannot_be_asked(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    put_greeting(0);
    handshake = run_list();
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_NOT_FIXED);
    check_words(handshake, "the server speaks an early NBD handshake, which can only be asked to use an export");
    assert_int_equal(run.sent_length, 0);
    end(handshake);
}

/* Cut after each byte. */
static void closed_anywhere(void **state)
{
    size_t whole;

    (void)state;
    begin_list();
    put_entry("disk1", "one");
    put_entry("disk2", "two");
    put_reply(NBD_REP_ACK, NULL, 0);
    whole = script.length;
    for (size_t length = 0; length < whole; length++) {
        struct nbd_handshake *handshake = make();

        nbd_handshake_init_list(handshake);
        run_made(handshake, length);
        assert_int_equal(run.end, NBD_HANDSHAKE_FAILED);
        assert_int_equal(handshake->failure, NBD_HANDSHAKE_CLOSED);
        end(handshake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_exports),
        cmocka_unit_test(some_exports),
        cmocka_unit_test(names_that_cannot_be_used),
        cmocka_unit_test(names_and_descriptions_of_4096_bytes),
        cmocka_unit_test(names_longer_than_their_reply),
        cmocka_unit_test(replies_of_another_question),
        cmocka_unit_test(list_without_end),
        cmocka_unit_test(list_that_is_refused),
        cmocka_unit_test(server_that_cannot_be_asked),
        cmocka_unit_test(closed_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
