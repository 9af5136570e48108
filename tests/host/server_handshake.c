/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that a client may send, and what this server agrees to. */
#include "tests/host/server_internal.h"

#include "core/base/bytes.h"

#include <string.h>

#define MAGIC_SERVER 0x4e42444d41474943ull
#define MAGIC_OPTION 0x49484156454F5054ull
#define MAGIC_ANSWER 0x3e889045565a9ull

#define ALLOCATION "base:allocation"

enum { ABORT = 2, INFO = 6, GO = 7, STRUCTURED_REPLY = 8, SET_META_CONTEXT = 10, EXTENDED_HEADERS = 11 };
enum { ANSWER_ACK = 1, ANSWER_INFO = 3, ANSWER_CONTEXT = 4 };

#define ANSWER_UNSUPPORTED 0x80000001u
#define ANSWER_INVALID     0x80000003u

static bool answer(struct connection *connection, uint32_t option, uint32_t type, const void *data, uint32_t length)
{
    uint8_t bytes[20 + 64];

    store_be64(bytes, MAGIC_ANSWER);
    store_be32(bytes + 8, option);
    store_be32(bytes + 12, type);
    store_be32(bytes + 16, length);
    memcpy(bytes + 20, data != NULL ? data : "", length);
    return wire_transmit(connection, bytes, 20 + length);
}

/* Before the client knows: from the last answer on somebody may ask what was agreed to. */
static void note_form(struct connection *connection)
{
    pthread_mutex_lock(&connection->server->lock);
    connection->server->agreed = connection->form;
    pthread_mutex_unlock(&connection->server->lock);
}

static bool answer_go(struct connection *connection, uint32_t option)
{
    const struct server_options *options = &connection->options;
    uint8_t export[12];
    uint8_t blocks[14];

    note_form(connection);
    store_be16(export, 0);
    store_be64(export + 2, options->claimed != 0 ? options->claimed : options->size);
    store_be16(export + 10, options->flags);
    if (!answer(connection, option, ANSWER_INFO, export, sizeof(export))) {
        return false;
    }
    if (options->maximum != 0) {
        store_be16(blocks, 3);
        store_be32(blocks + 2, options->minimum != 0 ? options->minimum : 1);
        store_be32(blocks + 6, options->minimum > 4096 ? options->minimum : 4096);
        store_be32(blocks + 10, options->maximum);
        if (!answer(connection, option, ANSWER_INFO, blocks, sizeof(blocks))) {
            return false;
        }
    }
    return answer(connection, option, ANSWER_ACK, NULL, 0);
}

/* "NBD_OPT_STRUCTURED_REPLY", "NBD_OPT_EXTENDED_HEADERS": neither has data, and the second makes the first needless. */
static bool answer_form(struct connection *connection, uint32_t option, enum server_form form, uint32_t length)
{
    if (length != 0 || connection->form != SERVER_SIMPLE) {
        server_complain(connection->server, "an option for a form of replies has data, or comes too late");
        return answer(connection, option, ANSWER_INVALID, NULL, 0);
    }
    if (connection->options.form < form) {
        return answer(connection, option, ANSWER_UNSUPPORTED, NULL, 0);
    }
    connection->form = form;
    return answer(connection, option, ANSWER_ACK, NULL, 0);
}

/* An export's name, and one query. */
static bool asks_for_allocation(const uint8_t *data, uint32_t length)
{
    static const char name[] = ALLOCATION;
    uint32_t queries = 4 + (length >= 4 ? load_be32(data) : 0);
    uint32_t query = (uint32_t)strlen(name);

    return length >= 4 && queries <= length && length - queries == 8 + query && load_be32(data + queries) == 1 &&
           load_be32(data + queries + 4) == query && memcmp(data + queries + 8, name, query) == 0;
}

static bool answer_context(struct connection *connection, uint32_t option, uint32_t length)
{
    uint8_t context[4 + sizeof(ALLOCATION) - 1];

    if (connection->form == SERVER_SIMPLE || !asks_for_allocation(connection->payload, length)) {
        server_complain(connection->server, "a metadata context is asked for too early, or wrongly");
        return answer(connection, option, ANSWER_INVALID, NULL, 0);
    }
    connection->context = !connection->options.no_context;
    store_be32(context, SERVER_CONTEXT);
    memcpy(context + 4, ALLOCATION, sizeof(context) - 4);
    if (connection->context && !answer(connection, option, ANSWER_CONTEXT, context, sizeof(context))) {
        return false;
    }
    return answer(connection, option, ANSWER_ACK, NULL, 0);
}

/* False: the connection is to end. */
static bool answer_option(struct connection *connection, uint32_t option, uint32_t length)
{
    switch (option) {
    case GO:
        return answer_go(connection, option);
    case STRUCTURED_REPLY:
        return answer_form(connection, option, SERVER_STRUCTURED, length);
    case EXTENDED_HEADERS:
        return answer_form(connection, option, SERVER_EXTENDED, length);
    case SET_META_CONTEXT:
        return answer_context(connection, option, length);
    case ABORT:
        return false;
    }
    return answer(connection, option, ANSWER_UNSUPPORTED, NULL, 0);
}

static bool greet(struct connection *connection)
{
    uint8_t bytes[18];
    uint32_t client_flags;

    store_be64(bytes, MAGIC_SERVER);
    store_be64(bytes + 8, MAGIC_OPTION);
    store_be16(bytes + 16, 3); /* fixed newstyle, no zeroes */
    return wire_transmit(connection, bytes, 18) && wire_receive(connection, &client_flags, 4);
}

bool handshake(struct connection *connection)
{
    uint8_t bytes[16];
    uint32_t option = 0;
    bool going = greet(connection);

    while (going && option != GO) {
        uint32_t length;

        if (!wire_receive(connection, bytes, 16)) {
            return false;
        }
        option = load_be32(bytes + 8);
        length = load_be32(bytes + 12);
        going = length <= REQUEST_MAX && wire_receive(connection, connection->payload, length) &&
                answer_option(connection, option, length);
    }
    return going;
}
