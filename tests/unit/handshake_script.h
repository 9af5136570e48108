/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers for the tests of the handshake: a script of what one sends, put together piece by piece, and the run of a
 * handshake against it.
 */
#ifndef WNBD_TESTS_UNIT_HANDSHAKE_SCRIPT_H
#define WNBD_TESTS_UNIT_HANDSHAKE_SCRIPT_H

#include "core/base/bytes.h"
#include "core/nbd/handshake.h"
#include "core/nbd/wire.h"
#include "tests/unit/guard.h"
#include "tests/unit/handshake_run.h"

#define SCRIPT_MAX 300000
#define TEXT_MAX   512

/* What the server sends. */
static struct {
    size_t length;
    uint8_t bytes[SCRIPT_MAX];
} script;

static struct run run;
static uint32_t script_option = NBD_OPT_GO; /* the one that is answered */

static inline void put(const void *bytes, size_t length)
{
    assert_true(length <= SCRIPT_MAX - script.length);
    if (length != 0) {
        memcpy(script.bytes + script.length, bytes, length);
    }
    script.length += length;
}

static inline void put_number(uint64_t value, size_t size)
{
    uint8_t bytes[8];

    store_be64(bytes, value);
    put(bytes + 8 - size, size);
}

static inline void put_greeting(uint16_t flags)
{
    script.length = 0;
    put_number(NBD_MAGIC, 8);
    put_number(NBD_OPTION_MAGIC, 8);
    put_number(flags, 2);
}

static inline void put_reply_header(uint32_t type, uint32_t length)
{
    put_number(NBD_OPTION_REPLY_MAGIC, 8);
    put_number(script_option, 4);
    put_number(type, 4);
    put_number(length, 4);
}

static inline void put_reply(uint32_t type, const void *data, uint32_t length)
{
    put_reply_header(type, length);
    put(data, length);
}

/* From here on replies are to this option. */
static inline void answer(uint32_t option)
{
    script_option = option;
}

static inline void put_ack(void)
{
    put_reply(NBD_REP_ACK, NULL, 0);
}

static inline void put_context(uint32_t id, const char *name)
{
    put_reply_header(NBD_REP_META_CONTEXT, (uint32_t)(4 + strlen(name)));
    put_number(id, 4);
    put(name, strlen(name));
}

static inline void put_error(uint32_t type, const char *words)
{
    put_reply(type, words, (uint32_t)strlen(words));
}

static inline void put_info_export(uint64_t size, uint16_t flags)
{
    put_reply_header(NBD_REP_INFO, 12);
    put_number(NBD_INFO_EXPORT, 2);
    put_number(size, 8);
    put_number(flags, 2);
}

static inline void put_info_block_size(uint32_t minimum, uint32_t preferred, uint32_t maximum)
{
    put_reply_header(NBD_REP_INFO, 14);
    put_number(NBD_INFO_BLOCK_SIZE, 2);
    put_number(minimum, 4);
    put_number(preferred, 4);
    put_number(maximum, 4);
}

static inline void put_info_of(uint16_t type, size_t length)
{
    put_reply_header(NBD_REP_INFO, (uint32_t)length + 2);
    put_number(type, 2);
    for (size_t i = 0; i < length; i++) {
        put("n", 1);
    }
}

static inline void put_zeroes(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_number(0, 1);
    }
}

/* The first bytes of a usual conversation: what follows the greeting is the test's. */
static inline void begin(void)
{
    put_greeting(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
}

static inline void put_usual_success(void)
{
    begin();
    put_info_export(1 << 20, NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH);
    put_info_block_size(512, 4096, 1 << 25);
    put_reply(NBD_REP_ACK, NULL, 0);
}

/* Memory that ends at a forbidden page; the handshake's buffer is the last in it. */
static inline struct nbd_handshake *make(void)
{
    struct nbd_handshake *handshake;

    return (struct nbd_handshake *)(void *)guard_memory(sizeof *handshake);
}

static inline struct nbd_handshake *run_made(struct nbd_handshake *handshake, size_t length)
{
    assert_true(run_handshake(&run, handshake, script.bytes, length));
    assert_true(run.end == NBD_HANDSHAKE_DONE || handshake->failure != NBD_HANDSHAKE_NO_FAILURE);
    return handshake;
}

/* A handshake for a session that asks for forms up to `form_max`. */
static inline struct nbd_handshake *run_session(enum nbd_form form_max, const char *name, size_t length)
{
    struct nbd_handshake *handshake = make();

    nbd_handshake_init(handshake, name, strlen(name));
    handshake->form_max = form_max;
    return run_made(handshake, length);
}

/* One that begins with NBD_OPT_GO. */
static inline struct nbd_handshake *run_script(const char *name, size_t length)
{
    return run_session(NBD_SIMPLE, name, length);
}

static inline void end(struct nbd_handshake *handshake)
{
    guard_free((uint8_t *)handshake, sizeof *handshake);
}

static inline void check_words(const struct nbd_handshake *handshake, const char *words)
{
    char text[TEXT_MAX];

    nbd_handshake_describe(handshake, text, sizeof text);
    assert_string_equal(text, words);
}

/* The handshake failed because the server broke the protocol, in these words, and asked for nothing after that. */
static inline void check_broken_words(const struct nbd_handshake *handshake, const char *words)
{
    char expected[TEXT_MAX];

    snprintf(expected, sizeof expected, "the server broke the NBD protocol: %s", words);
    assert_int_equal(run.end, NBD_HANDSHAKE_FAILED);
    assert_int_equal(handshake->failure, NBD_HANDSHAKE_BROKEN);
    assert_false(run.asked_for_more);
    check_words(handshake, expected);
}

/* The numbers of the options that were sent, each with a space before it. */
static inline void check_order(const char *expected)
{
    char order[TEXT_MAX] = "";
    size_t at = 4; /* behind the client's flags */

    while (at < run.sent_length) {
        size_t end = strlen(order);

        assert_int_equal(load_be64(run.sent + at), NBD_OPTION_MAGIC);
        snprintf(order + end, sizeof order - end, " %u", load_be32(run.sent + at + 8));
        at += NBD_OPTION_SIZE + load_be32(run.sent + at + 12);
    }
    assert_int_equal(at, run.sent_length);
    assert_string_equal(order, expected);
}

/* Runs the script cut after each byte: an end every time, in words. */
static inline void close_after_every_byte(enum nbd_form form_max)
{
    for (size_t length = 0; length < script.length; length++) {
        struct nbd_handshake *handshake = run_session(form_max, "disk1", length);
        char text[TEXT_MAX];

        assert_int_equal(run.end, NBD_HANDSHAKE_FAILED);
        nbd_handshake_describe(handshake, text, sizeof text);
        assert_true(strlen(text) > 10);
        if (length < 8 + 10) {
            assert_int_equal(handshake->failure, NBD_HANDSHAKE_CLOSED);
            assert_string_equal(text, "the server closed the connection instead of greeting");
        }
        guard_free((uint8_t *)handshake, sizeof *handshake);
    }
}

static inline const uint8_t *sent_from_end(size_t length)
{
    assert_true(run.sent_length >= length);
    return run.sent + run.sent_length - length;
}

static inline void check_abort_sent(void)
{
    static const uint8_t expected[] = {'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 0, 0, 2, 0, 0, 0, 0};

    assert_memory_equal(sent_from_end(sizeof expected), expected, sizeof expected);
}

#endif
