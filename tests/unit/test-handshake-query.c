/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question what an export is, which ends without a session: its contexts, and NBD_OPT_INFO. */
#include "tests/unit/handshake_script.h"

/* What a server says until its contexts are asked for. */
static void begin_contexts(void)
{
    begin();
    answer(NBD_OPT_STRUCTURED_REPLY);
    put_ack();
    answer(NBD_OPT_LIST_META_CONTEXT);
}

/* What one says that has none, until NBD_OPT_INFO. */
static void begin_info(void)
{
    begin();
    answer(NBD_OPT_STRUCTURED_REPLY);
    put_error(NBD_REP_ERR_UNSUP, "");
    answer(NBD_OPT_INFO);
}

static void put_info(void)
{
    answer(NBD_OPT_INFO);
    put_info_export(1 << 20, NBD_FLAG_HAS_FLAGS);
    put_ack();
}

static struct nbd_handshake *run_query_cut(size_t length)
{
    struct nbd_handshake *handshake = make();

    nbd_handshake_init_query(handshake, "disk1", 5);
    return run_made(handshake, length);
}

static struct nbd_handshake *run_query(void)
{
    return run_query_cut(script.length);
}

/* The script is a success with these contexts. */
static void check_contexts(const char *contexts)
{
    struct nbd_handshake *handshake = run_query();

    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.received, script.length);
    assert_int_equal(handshake->server_export.size, 1 << 20);
    assert_string_equal(handshake->contexts, contexts);
    assert_string_equal(handshake->server_text, "");
    assert_false(handshake->terms.block_status);
    check_order(" 8 9 6 2");
    end(handshake);
}

static void check_broken(const char *words)
{
    struct nbd_handshake *handshake = run_query();

    check_broken_words(handshake, words);
    end(handshake);
}

/* ---- NBD_OPT_INFO ---- */

static void query_of_an_export(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin_info();
    put_info_export(1 << 20, NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY);
    put_info_block_size(512, 4096, 1 << 25);
    put_reply_header(NBD_REP_INFO, 2 + 9);
    put_number(NBD_INFO_DESCRIPTION, 2);
    put("a\x07"
        "bout it",
        9);
    put_reply_header(NBD_REP_INFO, 2 + 5);
    put_number(NBD_INFO_NAME, 2);
    put("pool\n", 5);
    put_ack();
    handshake = run_query();
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(handshake->server_export.size, 1 << 20);
    assert_int_equal(handshake->server_export.flags, NBD_FLAG_HAS_FLAGS | NBD_FLAG_READ_ONLY);
    assert_int_equal(handshake->server_export.preferred_block, 4096);
    assert_string_equal(handshake->entry_description, "a?bout it");
    assert_string_equal(handshake->canonical_name, "pool?");
    assert_string_equal(handshake->contexts, "");
    check_order(" 8 6 2");
    end(handshake);
}

static void query_that_is_refused(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin_info();
    put_error(NBD_REP_ERR_UNKNOWN, "");
    handshake = run_query();
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_UNKNOWN_EXPORT);
    end(handshake);
    begin_info();
    put_error(NBD_REP_ERR_UNSUP, ""); /* and no NBD_OPT_EXPORT_NAME after it: that would use the export */
    handshake = run_query();
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_REFUSED);
    check_order(" 8 6 2");
    end(handshake);
}

static void query_in_simple_form(void **state)
{
    struct nbd_handshake *handshake = make();

    (void)state;
    begin();
    put_info();
    nbd_handshake_init_query(handshake, "disk1", 5);
    handshake->form_max = NBD_SIMPLE;
    run_made(handshake, script.length);
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    check_order(" 6 2");
    end(handshake);
}

static void reply_of_a_wrong_type(void **state)
{
    (void)state;
    begin_info();
    put_context(1, "a");
    script.length -= 5; /* nothing of it is read */
    check_broken("it sent a reply of a type that NBD_OPT_INFO does not have");
    begin_contexts();
    put_reply_header(NBD_REP_INFO, 12);
    check_broken("it sent a reply of a type that NBD_OPT_LIST_META_CONTEXT does not have");
}

/* ---- Contexts ---- */

static void all_contexts_of_the_export_are_asked_for(void **state)
{
    static const uint8_t expected[] = {'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0,   0,   0, 9, 0, 0, 0,
                                       13,  0,   0,   0,   5,   'd', 'i', 's', 'k', '1', 0, 0, 0, 0};

    (void)state;
    begin_contexts();
    end(run_query());
    assert_memory_equal(sent_from_end(sizeof expected), expected, sizeof expected);
}

static void no_contexts(void **state)
{
    (void)state;
    begin_contexts();
    put_ack();
    put_info();
    check_contexts("");
}

static void some_contexts(void **state)
{
    (void)state;
    begin_contexts();
    put_context(0, NBD_CONTEXT_ALLOCATION);
    put_context(0, "qemu:dirty-bitmap:b0");
    put_context(77, "");
    put_context(0xFFFFFFFF, "x:two words\x1B[2J");
    put_ack();
    put_info();
    check_contexts("base:allocation qemu:dirty-bitmap:b0 x:two?words?[2J");
}

static void contexts_before_an_error_are_disregarded(void **state)
{
    (void)state;
    begin_contexts();
    put_context(0, NBD_CONTEXT_ALLOCATION);
    put_error(NBD_REP_ERR_UNKNOWN, "no");
    put_info();
    check_contexts("");
}

/* Names that do not fit are left out as a whole; shorter ones after them are not. */
static void contexts_that_do_not_fit(void **state)
{
    static char name[NBD_STRING_MAX + 1];
    char expected[NBD_SERVER_TEXT_MAX] = "a ";

    (void)state;
    memset(name, 'n', NBD_STRING_MAX);
    begin_contexts();
    put_context(0, name);
    put_context(0, "a");
    name[251] = '\0';
    put_context(0, name);
    memset(name, 'm', 251);
    put_context(0, name);
    put_context(0, "b");
    put_ack();
    put_info();
    memset(expected + 2, 'n', 251);
    check_contexts(strcat(expected, " b"));
}

static void contexts_with_a_wrong_length(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 4; length++) {
        begin_contexts();
        put_reply_header(NBD_REP_META_CONTEXT, length);
        check_broken("it sent NBD_REP_META_CONTEXT without the context's number");
    }
    begin_contexts();
    put_reply_header(NBD_REP_META_CONTEXT, 4 + NBD_STRING_MAX + 1);
    put_zeroes(NBD_HANDSHAKE_BUFFER);
    check_broken("it sent a metadata context's name of more than 4096 bytes");
}

/* A server may have one for each of many bitmaps. */
static void contexts_without_end(void **state)
{
    (void)state;
    begin_contexts();
    for (unsigned i = 0; i < NBD_ENTRIES_MAX; i++) {
        put_context(0, "");
    }
    put_ack();
    put_info();
    check_contexts("");
    begin_contexts();
    for (unsigned i = 0; i < NBD_ENTRIES_MAX + 2; i++) {
        put_context(0, "");
    }
    check_broken("it sent a list of more than 10000 entries");
}

static void refused_for_good(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin_contexts();
    put_error(NBD_REP_ERR_SHUTDOWN, "bye");
    handshake = run_query();
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_SHUTDOWN);
    check_words(handshake, "the server is shutting down (bye)");
    check_order(" 8 9 2");
    end(handshake);
}

static void closed_anywhere(void **state)
{
    (void)state;
    begin_contexts();
    put_context(0, NBD_CONTEXT_ALLOCATION);
    put_ack();
    put_info();
    for (size_t length = 0; length < script.length; length++) {
        struct nbd_handshake *handshake = run_query_cut(length);

        assert_int_equal(run.end, NBD_HANDSHAKE_FAILED);
        assert_int_equal(handshake->failure, NBD_HANDSHAKE_CLOSED);
        end(handshake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_of_an_export),
        cmocka_unit_test(query_that_is_refused),
        cmocka_unit_test(query_in_simple_form),
        cmocka_unit_test(reply_of_a_wrong_type),
        cmocka_unit_test(all_contexts_of_the_export_are_asked_for),
        cmocka_unit_test(no_contexts),
        cmocka_unit_test(some_contexts),
        cmocka_unit_test(contexts_before_an_error_are_disregarded),
        cmocka_unit_test(contexts_that_do_not_fit),
        cmocka_unit_test(contexts_with_a_wrong_length),
        cmocka_unit_test(contexts_without_end),
        cmocka_unit_test(refused_for_good),
        cmocka_unit_test(closed_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
