/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the client sends in the handshake: its flags and the options, one after the other. None is sent before the last
 * reply to the one before has come, and that decides which it is ("Option haggling").
 *
 *   session   EXTENDED_HEADERS --refused--> STRUCTURED_REPLY --refused--+
 *                    |                             |                    |
 *                    +--------> SET_META_CONTEXT <-+                    |
 *                                      +--------------------------------+--> GO --unsupported--> EXPORT_NAME
 *   query     STRUCTURED_REPLY --> LIST_META_CONTEXT --> INFO
 *                    +----------refused------------------^
 *   list      LIST
 */
#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/nbd/handshake_internal.h"
#include "core/nbd/wire.h"

#define ALLOCATION_LENGTH ((uint32_t)sizeof NBD_CONTEXT_ALLOCATION - 1)

/* ---- Which one ---- */

/* In the order in which they are sent, those that are wanted. The last one for each purpose always is. */
static const struct nbd_option options[] = {
    {.number = NBD_OPT_EXTENDED_HEADERS,
     .reply_type = NBD_REP_ACK,
     .optional = true,
     .wrong_type = "it sent a reply of a type that NBD_OPT_EXTENDED_HEADERS does not have"},
    {.number = NBD_OPT_STRUCTURED_REPLY,
     .reply_type = NBD_REP_ACK,
     .optional = true,
     .wrong_type = "it sent a reply of a type that NBD_OPT_STRUCTURED_REPLY does not have"},
    {.number = NBD_OPT_SET_META_CONTEXT,
     .reply_type = NBD_REP_META_CONTEXT,
     .optional = true,
     .wrong_type = "it sent a reply of a type that NBD_OPT_SET_META_CONTEXT does not have"},
    {.number = NBD_OPT_LIST_META_CONTEXT,
     .reply_type = NBD_REP_META_CONTEXT,
     .optional = true,
     .lists = true,
     .wrong_type = "it sent a reply of a type that NBD_OPT_LIST_META_CONTEXT does not have"},
    {.number = NBD_OPT_GO,
     .reply_type = NBD_REP_INFO,
     .wrong_type = "it sent a reply of a type that NBD_OPT_GO does not have"},
    {.number = NBD_OPT_INFO,
     .reply_type = NBD_REP_INFO,
     .wrong_type = "it sent a reply of a type that NBD_OPT_INFO does not have"},
    {.number = NBD_OPT_LIST,
     .reply_type = NBD_REP_SERVER,
     .lists = true,
     .wrong_type = "it sent a reply of a type that NBD_OPT_LIST does not have"},
};

static bool is_wanted(const struct nbd_handshake *handshake, uint32_t option)
{
    bool simple = handshake->terms.form == NBD_SIMPLE;

    switch (option) {
    case NBD_OPT_EXTENDED_HEADERS:
        return handshake->purpose == NBD_FOR_SESSION && handshake->form_max >= NBD_EXTENDED;
    case NBD_OPT_STRUCTURED_REPLY:
        return handshake->purpose != NBD_FOR_LIST && handshake->form_max >= NBD_STRUCTURED && simple;
    case NBD_OPT_SET_META_CONTEXT: /* not before simple replies are over: they cannot carry a block status */
        return handshake->purpose == NBD_FOR_SESSION && !simple;
    case NBD_OPT_LIST_META_CONTEXT:
        return handshake->purpose == NBD_FOR_QUERY && !simple;
    case NBD_OPT_GO:
        return handshake->purpose == NBD_FOR_SESSION;
    case NBD_OPT_INFO:
        return handshake->purpose == NBD_FOR_QUERY;
    }
    return handshake->purpose == NBD_FOR_LIST;
}

static const struct nbd_option *next_option(const struct nbd_handshake *handshake)
{
    const struct nbd_option *next = handshake->asked == NULL ? options : handshake->asked + 1;

    while (!is_wanted(handshake, next->number)) {
        next++;
    }
    return next;
}

/* ---- Its bytes ---- */

static void put_bytes(struct nbd_handshake *handshake, const void *bytes, uint32_t length)
{
    memcpy(handshake->buffer + handshake->length, bytes, length);
    handshake->length += length;
}

static void put_be16(struct nbd_handshake *handshake, uint16_t value)
{
    store_be16(handshake->buffer + handshake->length, value);
    handshake->length += 2;
}

static void put_be32(struct nbd_handshake *handshake, uint32_t value)
{
    store_be32(handshake->buffer + handshake->length, value);
    handshake->length += 4;
}

static void put_string(struct nbd_handshake *handshake, const void *bytes, uint32_t length)
{
    put_be32(handshake, length);
    put_bytes(handshake, bytes, length);
}

/* "Client flags": none may be set that the server did not set. They leave together with the first option, which saves a
 * packet: no answer comes between. */
static void put_client_flags(struct nbd_handshake *handshake)
{
    uint32_t flags = handshake->server_flags & NBD_FLAG_FIXED_NEWSTYLE ? NBD_FLAG_C_FIXED_NEWSTYLE : 0;

    if (handshake->server_flags & NBD_FLAG_NO_ZEROES) {
        flags |= NBD_FLAG_C_NO_ZEROES;
    }
    put_be32(handshake, flags);
}

static void begin_send(struct nbd_handshake *handshake, enum nbd_handshake_state state)
{
    handshake->state = state;
    handshake->length = 0;
    if (handshake->option == 0) {
        put_client_flags(handshake);
    }
}

static void put_option(struct nbd_handshake *handshake, uint32_t option, uint32_t length)
{
    store_be64(handshake->buffer + handshake->length, NBD_OPTION_MAGIC);
    handshake->length += 8;
    put_be32(handshake, option);
    put_be32(handshake, length);
    handshake->option = option;
    handshake->replies = 0;
}

/* NBD_OPT_GO or NBD_OPT_INFO, which are asked in the same way. */
static void put_go(struct nbd_handshake *handshake, uint32_t option)
{
    static const uint16_t kinds[] = {NBD_INFO_EXPORT, NBD_INFO_BLOCK_SIZE, NBD_INFO_NAME, NBD_INFO_DESCRIPTION};
    uint16_t count = option == NBD_OPT_INFO ? 4 : 2; /* a session has no use for words */

    put_option(handshake, option, 4 + handshake->name_length + 2 + 2u * count);
    put_string(handshake, handshake->name, handshake->name_length);
    put_be16(handshake, count);
    for (uint16_t i = 0; i < count; i++) {
        put_be16(handshake, kinds[i]);
    }
}

/* NBD_OPT_SET_META_CONTEXT or NBD_OPT_LIST_META_CONTEXT, where no query asks for all there are. */
static void put_meta_context(struct nbd_handshake *handshake, uint32_t option)
{
    uint32_t count = option == NBD_OPT_SET_META_CONTEXT ? 1 : 0;

    put_option(handshake, option, 4 + handshake->name_length + 4 + count * (4 + ALLOCATION_LENGTH));
    put_string(handshake, handshake->name, handshake->name_length);
    put_be32(handshake, count);
    if (count != 0) {
        put_string(handshake, NBD_CONTEXT_ALLOCATION, ALLOCATION_LENGTH);
    }
}

void handshake_send_option(struct nbd_handshake *handshake)
{
    uint32_t option;

    begin_send(handshake, NBD_SEND_OPTION);
    handshake->asked = next_option(handshake);
    option = handshake->asked->number;
    if (option == NBD_OPT_GO || option == NBD_OPT_INFO) {
        put_go(handshake, option);
    } else if (handshake->asked->reply_type == NBD_REP_META_CONTEXT) {
        put_meta_context(handshake, option);
    } else {
        put_option(handshake, option, 0);
    }
}

void handshake_send_export_name(struct nbd_handshake *handshake)
{
    begin_send(handshake, NBD_SEND_EXPORT_NAME);
    put_option(handshake, NBD_OPT_EXPORT_NAME, handshake->name_length);
    put_bytes(handshake, handshake->name, handshake->name_length);
}

/* "Termination of the session during option haggling": a client that is within the protocol may leave only this way.
 * The answer is not waited for, which the document allows ("Option types", NBD_OPT_ABORT). */
void handshake_send_abort(struct nbd_handshake *handshake, enum nbd_handshake_failure failure)
{
    handshake->failure = failure;
    begin_send(handshake, NBD_SEND_ABORT);
    put_option(handshake, NBD_OPT_ABORT, 0);
}
