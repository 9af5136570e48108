/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What requests do, and replies of the simple form. */
#include "tests/host/server_internal.h"

#include "core/base/bytes.h"

#include <string.h>
#include <unistd.h>

bool is_first_reply(const struct connection *connection)
{
    return connection->is_first && connection->replies == 1;
}

/* ---- What is done ---- */

static bool is_inside(const struct server *server, const struct request *request)
{
    return request->length <= server->size && request->offset <= server->size - request->length;
}

static bool has_bad_byte(const struct connection *connection, const struct request *request)
{
    uint64_t bad_at = connection->options.bad_at;

    return bad_at != 0 && request->type != SERVER_TRIM && request->offset <= bad_at &&
           bad_at - request->offset < request->length;
}

bool is_bad_there(const struct connection *connection, const struct request *request, uint32_t error)
{
    return error == ERROR_EIO && has_bad_byte(connection, request);
}

/* Whether this is one of those that fail; which ones is left to chance if there is a seed. */
static bool is_to_fail(struct connection *connection)
{
    unsigned one_in = connection->options.error_one_in;

    if (connection->options.error == 0) {
        return false;
    }
    if (one_in < 2) {
        return true;
    }
    return connection->options.seed != 0 ? wire_random(connection, one_in) == 0 : connection->replies % one_in == 0;
}

static uint32_t error_of(struct connection *connection, const struct request *request)
{
    if (is_to_fail(connection)) {
        return connection->options.error;
    }
    if (has_bad_byte(connection, request)) {
        return ERROR_EIO;
    }
    return is_inside(connection->server, request) && request->type < SERVER_COMMANDS ? 0 : ERROR_EINVAL;
}

uint32_t carry_out(struct connection *connection, const struct request *request)
{
    struct server *server = connection->server;
    uint32_t error = error_of(connection, request);

    pthread_mutex_lock(&server->lock);
    if (error != 0) {
        server->errors[request->type < SERVER_COMMANDS ? request->type : 0]++;
    } else if (request->type == SERVER_WRITE) {
        memcpy(server->data + request->offset, connection->payload, request->length);
    } else if (request->type == SERVER_TRIM || request->type == SERVER_WRITE_ZEROES) {
        memset(server->data + request->offset, 0, request->length);
    }
    pthread_mutex_unlock(&server->lock);
    return error;
}

/* ---- Simple replies ---- */

static unsigned delay_of(struct server *server)
{
    unsigned delay_us;

    pthread_mutex_lock(&server->lock);
    delay_us = server->options.delay_us;
    pthread_mutex_unlock(&server->lock);
    return delay_us;
}

/* Whether the delay comes with the payload. */
static bool halts(const struct connection *connection, const struct request *request)
{
    return connection->options.halting && request->type == SERVER_READ;
}

bool reply_payload(struct connection *connection, const struct request *request, const uint8_t *data, size_t length)
{
    size_t first = halts(connection, request) ? length / 2 : 0;

    if (first != 0) {
        if (!wire_transmit(connection, data, first)) {
            return false;
        }
        usleep(delay_of(connection->server));
    }
    return wire_transmit(connection, data + first, length - first);
}

static bool simple_header(struct connection *connection, uint32_t error, uint64_t cookie)
{
    enum server_fault fault = is_first_reply(connection) ? connection->options.fault : SERVER_RIGHT;
    uint8_t bytes[20] = {0};

    store_be32(bytes, fault == SERVER_WRONG_MAGIC ? MAGIC_REPLY + 1 : MAGIC_REPLY);
    store_be32(bytes + 4, error);
    store_be64(bytes + 8, fault == SERVER_UNKNOWN_COOKIE ? cookie + (1ull << 32) : cookie);
    if (fault == SERVER_OTHER_FORM) {
        store_be32(bytes, MAGIC_STRUCTURED);
        store_be32(bytes + 4, CHUNK_DONE << 16 | CHUNK_NONE);
        return wire_transmit(connection, bytes, 20);
    }
    return wire_transmit(connection, bytes, 16);
}

static bool simple_reply(struct connection *connection, const struct request *request, uint32_t error)
{
    if (!simple_header(connection, error, request->cookie)) {
        return false;
    }
    if (error != 0 || request->type != SERVER_READ) {
        return true;
    }
    server_read(connection->server, request->offset, connection->data, request->length);
    if (connection->options.cut_payload) {
        wire_transmit(connection, connection->data, request->length / 2);
        return false;
    }
    return reply_payload(connection, request, connection->data, request->length);
}

/* ---- Either form ---- */

/* "Structured replies": what has no payload may be answered with a simple one, unless headers are extended. */
static bool is_to_be_simple(struct connection *connection, const struct request *request, uint32_t error)
{
    bool has_payload = request->type == SERVER_READ || request->type == SERVER_BLOCK_STATUS;
    bool may_be = !has_payload && !is_bad_there(connection, request, error);
    bool must_not = is_first_reply(connection) && connection->options.fault == SERVER_SIMPLE_REPLY;

    return connection->form == SERVER_SIMPLE || must_not ||
           (connection->form == SERVER_STRUCTURED && may_be && wire_random(connection, 2) != 0);
}

static bool reply_once(struct connection *connection, const struct request *request, uint32_t error)
{
    return is_to_be_simple(connection, request, error) ? simple_reply(connection, request, error)
                                                       : chunk_reply(connection, request, error);
}

bool reply(struct connection *connection, const struct request *request)
{
    uint32_t error;

    connection->replies++;
    if (!halts(connection, request)) {
        usleep(delay_of(connection->server));
    }
    error = carry_out(connection, request);
    return reply_once(connection, request, error) &&
           (!is_first_reply(connection) || connection->options.fault != SERVER_REPLY_TWICE ||
            reply_once(connection, request, error));
}
