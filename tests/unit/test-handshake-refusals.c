/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers that say no, and what a person is told. */
#include "tests/unit/handshake_script.h"

/* The server refuses with an error reply: the failure, the words, and the polite end. */
static void check_refused(uint32_t type, enum nbd_handshake_failure failure, const char *words)
{
    struct nbd_handshake *handshake;

    begin();
    put_error(type, "because");
    handshake = run_script("disk1", script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_FAILED);
    assert_int_equal(handshake->failure, failure);
    assert_int_equal(handshake->reply_type, type);
    assert_string_equal(handshake->server_text, "because");
    assert_false(run.asked_for_more);
    check_abort_sent();
    check_words(handshake, words);
    end(handshake);
}

static void unknown_export(void **state)
{
    (void)state;
    check_refused(NBD_REP_ERR_UNKNOWN, NBD_HANDSHAKE_UNKNOWN_EXPORT,
                  "the server has no export named 'disk1' (because)");
}

static void unknown_default_export(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin();
    put_error(NBD_REP_ERR_UNKNOWN, "");
    handshake = run_script("", script.length);
    check_words(handshake, "the server has no default export");
    end(handshake);
    begin();
    put_error(NBD_REP_ERR_POLICY, "");
    handshake = run_script("", script.length);
    check_words(handshake, "the server's policy forbids the default export");
    end(handshake);
}

static void tls_required(void **state)
{
    (void)state;
    check_refused(NBD_REP_ERR_TLS_REQD, NBD_HANDSHAKE_TLS_REQUIRED,
                  "the server requires TLS for the export 'disk1', and this client does not speak TLS (because)");
}

static void forbidden_by_policy(void **state)
{
    (void)state;
    check_refused(NBD_REP_ERR_POLICY, NBD_HANDSHAKE_POLICY, "the server's policy forbids the export 'disk1' (because)");
}

static void shutting_down(void **state)
{
    (void)state;
    check_refused(NBD_REP_ERR_SHUTDOWN, NBD_HANDSHAKE_SHUTDOWN, "the server is shutting down (because)");
}

static void block_size_required(void **state)
{
    (void)state;
    check_refused(NBD_REP_ERR_BLOCK_SIZE_REQD, NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED,
                  "the server requires block sizes to be agreed on, but did not take the offer to (because)");
}

static void refused_with_other_errors(void **state)
{
    (void)state;
    check_refused(NBD_REP_ERR_INVALID, NBD_HANDSHAKE_REFUSED,
                  "the server refused the export 'disk1' because it took the question for invalid (because)");
    check_refused(NBD_REP_ERR_PLATFORM, NBD_HANDSHAKE_REFUSED,
                  "the server refused the export 'disk1' because its platform does not support it (because)");
    check_refused(
        NBD_REP_ERR_TOO_BIG, NBD_HANDSHAKE_REFUSED,
        "the server refused the export 'disk1' because the question or the answer is too big for it (because)");
    check_refused(
        NBD_REP_ERR_EXT_HEADER_REQD, NBD_HANDSHAKE_REFUSED,
        "the server refused the export 'disk1' because it requires extended headers, which were not agreed on "
        "(because)");
    check_refused(0x80001234, NBD_HANDSHAKE_REFUSED,
                  "the server refused the export 'disk1' with the unknown error reply 0x80001234 (because)");
    check_refused(UINT32_MAX, NBD_HANDSHAKE_REFUSED,
                  "the server refused the export 'disk1' with the unknown error reply 0xffffffff (because)");
}

static void refusal_after_informations(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin();
    put_info_block_size(4096, 4096, 1 << 20);
    put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    put_error(NBD_REP_ERR_SHUTDOWN, "");
    handshake = run_script("disk1", script.length);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_SHUTDOWN);
    check_words(handshake, "the server is shutting down");
    check_abort_sent();
    end(handshake);
}

static void not_an_nbd_server(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    script.length = 0;
    put("SSH-2.0-", 8);
    handshake = run_script("disk1", script.length);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_NOT_NBD);
    assert_int_equal(run.sent_length, 0);
    assert_false(run.asked_for_more);
    check_words(handshake, "what answers there is not an NBD server");
    end(handshake);
}

static void oldstyle_server(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    script.length = 0;
    put_number(NBD_MAGIC, 8);
    put_number(NBD_OLDSTYLE_MAGIC, 8);
    put_number(1 << 20, 8);
    put_number(1, 4);
    put_zeroes(124);
    handshake = run_script("disk1", script.length);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_OLDSTYLE);
    assert_int_equal(run.sent_length, 0);
    check_words(handshake, "the server speaks only the old-style NBD handshake, which has no export names");
    end(handshake);
}

static void check_server_text(const void *text, size_t length, const char *expected)
{
    struct nbd_handshake *handshake;

    begin();
    put_reply(NBD_REP_ERR_UNKNOWN, text, (uint32_t)length);
    handshake = run_script("disk1", script.length);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_UNKNOWN_EXPORT);
    assert_int_equal(run.received, script.length);
    assert_string_equal(handshake->server_text, expected);
    end(handshake);
}

static void server_text_is_made_printable(void **state)
{
    (void)state;
    check_server_text("a\nb\tc\x1B[31md\x7F", 12, "a?b?c?[31md?");
    check_server_text("NUL\0here", 8, "NUL?here");
    check_server_text("gr\xC3\xBC\xC3\x9F", 6, "gr\xC3\xBC\xC3\x9F");
    check_server_text("\xE2\x82\xAC \xF0\x9F\x92\xBE", 8, "\xE2\x82\xAC \xF0\x9F\x92\xBE");
    check_server_text("\xC2\x9B"
                      "31m",
                      5, "?31m"); /* C1 control */
    check_server_text("\xE2\x80\xAE"
                      "abc",
                      6, "?abc");              /* right-to-left override */
    check_server_text("\xE2\x80\xA8", 3, "?"); /* line separator */
    check_server_text("\xC0\xAF", 2, "??");    /* overlong */
    check_server_text("\xE0\x80\xAF", 3, "???");
    check_server_text("\xED\xA0\x80", 3, "???");      /* surrogate */
    check_server_text("\xF4\x90\x80\x80", 4, "????"); /* above U+10FFFF */
    check_server_text("\xFF\xFE\x80", 3, "???");
    check_server_text("cut \xE2\x82", 6, "cut ??"); /* ends in the middle */
    check_server_text("\xC3(", 2, "?(");
}

static void server_text_is_cut_between_characters(void **state)
{
    char words[NBD_STRING_MAX];
    char expected[NBD_SERVER_TEXT_MAX];

    (void)state;
    memset(words, 'x', sizeof words);
    memset(expected, 'x', sizeof expected);
    expected[255] = '\0';
    check_server_text(words, 255, expected);
    check_server_text(words, 256, expected);
    check_server_text(words, sizeof words, expected);
    memcpy(words + 254, "\xC3\xBC", 2);
    expected[254] = '\0';
    check_server_text(words, sizeof words, expected);
}

static void export_name_in_words_is_made_printable(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin();
    put_error(NBD_REP_ERR_UNKNOWN, "");
    handshake = run_script("a\x1B[2Jb", script.length);
    check_words(handshake, "the server has no export named 'a?[2Jb'");
    end(handshake);
}

static void words_fit_any_size(void **state)
{
    struct nbd_handshake *handshake;
    char whole[TEXT_MAX];

    (void)state;
    begin();
    put_error(NBD_REP_ERR_UNKNOWN, "gr\xC3\xBC\xC3\x9F");
    handshake = run_script("disk1", script.length);
    nbd_handshake_describe(handshake, whole, sizeof whole);
    for (size_t size = 1; size <= strlen(whole) + 2; size++) {
        char *text = (char *)guard_memory(size);

        nbd_handshake_describe(handshake, text, size);
        assert_true(strlen(text) < size);
        assert_true(strlen(text) + 2 >= size || strlen(text) == strlen(whole));
        assert_memory_equal(text, whole, strlen(text));
        guard_free((uint8_t *)text, size);
    }
    end(handshake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_export),
        cmocka_unit_test(unknown_default_export),
        cmocka_unit_test(tls_required),
        cmocka_unit_test(forbidden_by_policy),
        cmocka_unit_test(shutting_down),
        cmocka_unit_test(block_size_required),
        cmocka_unit_test(refused_with_other_errors),
        cmocka_unit_test(refusal_after_informations),
        cmocka_unit_test(not_an_nbd_server),
        cmocka_unit_test(oldstyle_server),
        cmocka_unit_test(server_text_is_made_printable),
        cmocka_unit_test(server_text_is_cut_between_characters),
        cmocka_unit_test(export_name_in_words_is_made_printable),
        cmocka_unit_test(words_fit_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
