/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a session before NBD_OPT_GO, and the terms that they lead to. */
#include "tests/unit/handshake_script.h"

/* After these the handshake goes on without what was asked for. */
static const uint32_t refusals[] = {
    NBD_REP_ERR,
    NBD_REP_ERR_UNSUP,
    NBD_REP_ERR_POLICY,
    NBD_REP_ERR_INVALID,
    NBD_REP_ERR_PLATFORM,
    NBD_REP_ERR_UNKNOWN,
    NBD_REP_ERR_BLOCK_SIZE_REQD,
    NBD_REP_ERR_TOO_BIG,
    NBD_REP_ERR_EXT_HEADER_REQD,
    0x80001234,
    UINT32_MAX,
};

static const uint32_t options[] = {NBD_OPT_EXTENDED_HEADERS, NBD_OPT_STRUCTURED_REPLY, NBD_OPT_SET_META_CONTEXT};

static void put_acknowledged(uint32_t option)
{
    answer(option);
    put_ack();
}

static void put_refused(uint32_t option, uint32_t type)
{
    answer(option);
    put_error(type, "no");
}

/* What a server says until `option` is asked. */
static void begin_at(uint32_t option)
{
    begin();
    if (option != NBD_OPT_EXTENDED_HEADERS) {
        put_refused(NBD_OPT_EXTENDED_HEADERS, NBD_REP_ERR_UNSUP);
    }
    if (option == NBD_OPT_SET_META_CONTEXT || option == NBD_OPT_GO) {
        put_acknowledged(NBD_OPT_STRUCTURED_REPLY);
    }
    if (option == NBD_OPT_GO) {
        put_acknowledged(NBD_OPT_SET_META_CONTEXT);
    }
    answer(option);
}

static void put_go(void)
{
    answer(NBD_OPT_GO);
    put_info_export(1 << 20, NBD_FLAG_HAS_FLAGS);
    put_ack();
}

static void check_terms(const struct nbd_handshake *handshake, enum nbd_form form, bool block_status, uint32_t id)
{
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    assert_int_equal(run.received, script.length);
    assert_int_equal(handshake->server_export.size, 1 << 20);
    assert_int_equal(handshake->terms.form, form);
    assert_int_equal(handshake->terms.block_status, block_status);
    assert_int_equal(handshake->terms.allocation_id, id);
    assert_int_equal(handshake->reply_type, 0);
    assert_string_equal(handshake->server_text, "");
    check_words(handshake, "");
}

/* Runs the script to its end, which is a success on these terms. */
static void check_session(enum nbd_form form_max, const char *order, enum nbd_form form, bool block_status, uint32_t id)
{
    struct nbd_handshake *handshake;

    put_go();
    handshake = run_session(form_max, "disk1", script.length);
    check_terms(handshake, form, block_status, id);
    check_order(order);
    end(handshake);
}

static void check_broken(const char *words)
{
    struct nbd_handshake *handshake = run_session(NBD_EXTENDED, "disk1", script.length);

    check_broken_words(handshake, words);
    end(handshake);
}

/* ---- What is asked ---- */

static void everything_is_asked_for_unless_told_otherwise(void **state)
{
    static const uint8_t first[] = {0, 0, 0, 3, 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 0, 0, 11, 0, 0, 0, 0};
    struct nbd_handshake *handshake = make();

    (void)state;
    begin();
    put_refused(NBD_OPT_EXTENDED_HEADERS, NBD_REP_ERR_UNSUP);
    put_acknowledged(NBD_OPT_STRUCTURED_REPLY);
    put_acknowledged(NBD_OPT_SET_META_CONTEXT);
    put_go();
    nbd_handshake_init(handshake, "disk1", 5);
    run_made(handshake, script.length);
    check_terms(handshake, NBD_STRUCTURED, false, 0);
    check_order(" 11 8 10 7");
    assert_memory_equal(run.sent, first, sizeof first); /* client flags leave with it */
    end(handshake);
}

static void context_is_asked_for_by_the_name_of_the_export(void **state)
{
    static const uint8_t expected[] = {
        'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0,   0,   0,   10,  0,   0,   0,   32,
        0,   0,   0,   5,   'd', 'i', 's', 'k', '1', 0,   0,   0,   1,   0,   0,   0,
        15,  'b', 'a', 's', 'e', ':', 'a', 'l', 'l', 'o', 'c', 'a', 't', 'i', 'o', 'n',
    };

    (void)state;
    begin_at(NBD_OPT_SET_META_CONTEXT);
    end(run_session(NBD_EXTENDED, "disk1", script.length));
    check_order(" 11 8 10");
    assert_memory_equal(sent_from_end(sizeof expected), expected, sizeof expected);
}

static void longest_name_fits_into_each_option(void **state)
{
    char name[NBD_EXPORT_NAME_MAX + 1] = {0};

    (void)state;
    memset(name, 'x', NBD_EXPORT_NAME_MAX);
    begin_at(NBD_OPT_GO);
    put_error(NBD_REP_ERR_UNSUP, "");
    put_number(4096, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    end(run_session(NBD_EXTENDED, name, script.length));
    assert_int_equal(run.end, NBD_HANDSHAKE_DONE);
    check_order(" 11 8 10 7 1");
}

static void forms_above_the_greatest_are_not_asked_for(void **state)
{
    (void)state;
    begin();
    check_session(NBD_SIMPLE, " 7", NBD_SIMPLE, false, 0);
    begin();
    put_acknowledged(NBD_OPT_STRUCTURED_REPLY);
    put_acknowledged(NBD_OPT_SET_META_CONTEXT);
    check_session(NBD_STRUCTURED, " 8 10 7", NBD_STRUCTURED, false, 0);
}

/* ---- What is agreed on ---- */

static void extended_headers_and_the_context(void **state)
{
    const uint32_t ids[] = {0, 1, 0xDEADBEEF, UINT32_MAX}; /* they mean nothing */

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(ids); i++) {
        begin();
        put_acknowledged(NBD_OPT_EXTENDED_HEADERS);
        answer(NBD_OPT_SET_META_CONTEXT);
        put_context(ids[i], NBD_CONTEXT_ALLOCATION);
        put_ack();
        check_session(NBD_EXTENDED, " 11 10 7", NBD_EXTENDED, true, ids[i]);
    }
}

static void structured_replies_and_the_context(void **state)
{
    (void)state;
    begin_at(NBD_OPT_SET_META_CONTEXT);
    put_context(7, NBD_CONTEXT_ALLOCATION);
    put_ack();
    check_session(NBD_EXTENDED, " 11 8 10 7", NBD_STRUCTURED, true, 7);
}

static void extended_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(refusals); i++) {
        begin();
        put_refused(NBD_OPT_EXTENDED_HEADERS, refusals[i]);
        put_acknowledged(NBD_OPT_STRUCTURED_REPLY);
        put_acknowledged(NBD_OPT_SET_META_CONTEXT);
        check_session(NBD_EXTENDED, " 11 8 10 7", NBD_STRUCTURED, false, 0);
    }
}

static void structured_replies_are_refused_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(refusals); i++) {
        begin_at(NBD_OPT_STRUCTURED_REPLY);
        put_error(refusals[i], "no");
        check_session(NBD_EXTENDED, " 11 8 7", NBD_SIMPLE, false, 0);
    }
}

static void context_before_an_error_is_disregarded(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(refusals); i++) {
        begin_at(NBD_OPT_SET_META_CONTEXT);
        if (i % 2 == 0) {
            put_context(5, NBD_CONTEXT_ALLOCATION);
        }
        put_error(refusals[i], "no");
        check_session(NBD_EXTENDED, " 11 8 10 7", NBD_STRUCTURED, false, 0);
    }
}

/* What NBD_OPT_GO says is what a person reads. */
static void unknown_export_is_told_by_go(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin_at(NBD_OPT_SET_META_CONTEXT);
    put_error(NBD_REP_ERR_UNKNOWN, "no contexts");
    answer(NBD_OPT_GO);
    put_error(NBD_REP_ERR_UNKNOWN, "no such file");
    handshake = run_session(NBD_EXTENDED, "disk1", script.length);
    check_words(handshake, "the server has no export named 'disk1' (no such file)");
    check_order(" 11 8 10 7 2");
    end(handshake);
}

static void refused_for_good_at_each_option(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(options); i++) {
        begin_at(options[i]);
        put_error(NBD_REP_ERR_SHUTDOWN, "bye");
        handshake = run_session(NBD_EXTENDED, "disk1", script.length);
        assert_int_equal(handshake->failure, NBD_HANDSHAKE_SHUTDOWN);
        assert_int_equal(handshake->reply_type, NBD_REP_ERR_SHUTDOWN);
        check_words(handshake, "the server is shutting down (bye)");
        check_abort_sent();
        end(handshake);
        begin_at(options[i]);
        put_error(NBD_REP_ERR_TLS_REQD, "");
        handshake = run_session(NBD_EXTENDED, "disk1", script.length);
        assert_int_equal(handshake->failure, NBD_HANDSHAKE_TLS_REQUIRED);
        check_words(handshake, "the server requires TLS for the export 'disk1', and this client does not speak TLS");
        check_abort_sent();
        end(handshake);
    }
}

/* ---- EXPORT_NAME ---- */

static void terms_outlive_the_fallback_to_export_name(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    begin_at(NBD_OPT_SET_META_CONTEXT);
    put_context(7, NBD_CONTEXT_ALLOCATION);
    put_ack();
    answer(NBD_OPT_GO);
    put_info_export(1, 0);
    put_error(NBD_REP_ERR_UNSUP, "what?");
    put_number(1 << 20, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    handshake = run_session(NBD_EXTENDED, "disk1", script.length);
    check_terms(handshake, NBD_STRUCTURED, true, 7);
    check_order(" 11 8 10 7 1");
    end(handshake);
}

static void server_that_is_not_fixed_is_asked_nothing(void **state)
{
    struct nbd_handshake *handshake;

    (void)state;
    put_greeting(NBD_FLAG_NO_ZEROES);
    put_number(1 << 20, 8);
    put_number(NBD_FLAG_HAS_FLAGS, 2);
    handshake = run_session(NBD_EXTENDED, "disk1", script.length);
    check_terms(handshake, NBD_SIMPLE, false, 0);
    check_order(" 1");
    end(handshake);
}

/* ---- Servers that break the protocol ---- */

static void ack_with_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(options); i++) {
        begin_at(options[i]);
        put_reply_header(NBD_REP_ACK, 1);
        check_broken("it sent data with NBD_REP_ACK");
    }
}

static void reply_to_another_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(options); i++) {
        for (uint32_t other = 0; other <= NBD_OPT_EXTENDED_HEADERS; other++) {
            begin_at(options[i]);
            answer(other);
            put_ack();
            if (other != options[i]) {
                check_broken("it replied to an option that was not sent");
            }
        }
    }
}

static void check_types(uint32_t option, uint32_t right, const char *words)
{
    for (uint32_t type = 0; type < 8; type++) {
        if (type != NBD_REP_ACK && type != right) {
            begin_at(option);
            put_reply_header(type, 19);
            check_broken(words);
        }
    }
}

static void reply_of_a_wrong_type(void **state)
{
    (void)state;
    check_types(NBD_OPT_EXTENDED_HEADERS, NBD_REP_ACK,
                "it sent a reply of a type that NBD_OPT_EXTENDED_HEADERS does not have");
    check_types(NBD_OPT_STRUCTURED_REPLY, NBD_REP_ACK,
                "it sent a reply of a type that NBD_OPT_STRUCTURED_REPLY does not have");
    check_types(NBD_OPT_SET_META_CONTEXT, NBD_REP_META_CONTEXT,
                "it sent a reply of a type that NBD_OPT_SET_META_CONTEXT does not have");
}

static void error_text_above_4096_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(options); i++) {
        begin_at(options[i]);
        put_reply_header(NBD_REP_ERR_UNSUP, NBD_STRING_MAX + 1);
        check_broken("it sent an error text of more than 4096 bytes");
    }
}

static void context_that_was_not_asked_for(void **state)
{
    const char *const names[] = {
        "", "b", "base:allocatio", "base:allocation2", "base:allocatioN", "qemu:allocation-depth"};

    (void)state;
    for (size_t i = 0; i < GUARD_COUNT(names); i++) {
        begin_at(NBD_OPT_SET_META_CONTEXT);
        put_context(1, names[i]);
        check_broken("it selected a metadata context that was not asked for");
    }
}

static void context_that_comes_twice(void **state)
{
    (void)state;
    begin_at(NBD_OPT_SET_META_CONTEXT);
    put_context(1, NBD_CONTEXT_ALLOCATION);
    put_context(2, NBD_CONTEXT_ALLOCATION);
    check_broken("it selected a metadata context twice");
}

static void context_with_a_wrong_length(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 4; length++) {
        begin_at(NBD_OPT_SET_META_CONTEXT);
        put_reply_header(NBD_REP_META_CONTEXT, length);
        check_broken("it sent NBD_REP_META_CONTEXT without the context's number");
    }
    begin_at(NBD_OPT_SET_META_CONTEXT);
    put_reply_header(NBD_REP_META_CONTEXT, 4 + NBD_STRING_MAX + 1);
    put_zeroes(NBD_HANDSHAKE_BUFFER); /* the first part is enough to know */
    check_broken("it sent a metadata context's name of more than 4096 bytes");
}

/* Each option has its own count. */
static void replies_are_counted_from_the_option_on(void **state)
{
    (void)state;
    begin_at(NBD_OPT_GO);
    for (int i = 0; i < NBD_REPLIES_MAX - 2; i++) {
        put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    }
    check_session(NBD_EXTENDED, " 11 8 10 7", NBD_STRUCTURED, false, 0);
    begin_at(NBD_OPT_GO);
    for (int i = 0; i < NBD_REPLIES_MAX; i++) {
        put_info_export(4096, NBD_FLAG_HAS_FLAGS);
    }
    put_ack();
    check_broken("it sent more than 64 replies to one option");
}

static void closed_after_every_byte(void **state)
{
    (void)state;
    begin();
    put_acknowledged(NBD_OPT_EXTENDED_HEADERS);
    answer(NBD_OPT_SET_META_CONTEXT);
    put_context(7, NBD_CONTEXT_ALLOCATION);
    put_ack();
    put_go();
    close_after_every_byte(NBD_EXTENDED);
    begin_at(NBD_OPT_SET_META_CONTEXT);
    put_context(7, NBD_CONTEXT_ALLOCATION);
    put_error(NBD_REP_ERR_TOO_BIG, "disregard that");
    put_go();
    close_after_every_byte(NBD_EXTENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_asked_for_unless_told_otherwise),
        cmocka_unit_test(context_is_asked_for_by_the_name_of_the_export),
        cmocka_unit_test(longest_name_fits_into_each_option),
        cmocka_unit_test(forms_above_the_greatest_are_not_asked_for),
        cmocka_unit_test(extended_headers_and_the_context),
        cmocka_unit_test(structured_replies_and_the_context),
        cmocka_unit_test(extended_headers_are_refused),
        cmocka_unit_test(structured_replies_are_refused_too),
        cmocka_unit_test(context_before_an_error_is_disregarded),
        cmocka_unit_test(unknown_export_is_told_by_go),
        cmocka_unit_test(refused_for_good_at_each_option),
        cmocka_unit_test(terms_outlive_the_fallback_to_export_name),
        cmocka_unit_test(server_that_is_not_fixed_is_asked_nothing),
        cmocka_unit_test(ack_with_data),
        cmocka_unit_test(reply_to_another_option),
        cmocka_unit_test(reply_of_a_wrong_type),
        cmocka_unit_test(error_text_above_4096_bytes),
        cmocka_unit_test(context_that_was_not_asked_for),
        cmocka_unit_test(context_that_comes_twice),
        cmocka_unit_test(context_with_a_wrong_length),
        cmocka_unit_test(replies_are_counted_from_the_option_on),
        cmocka_unit_test(closed_after_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
