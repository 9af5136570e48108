/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests as they come: whether a client may send them, and in which order they are answered. */
#include "tests/host/server_internal.h"

#include "core/base/bytes.h"

#define MAGIC_REQUEST          0x25609513u
#define MAGIC_EXTENDED_REQUEST 0x21e41c71u

/* ---- What a client may not do ---- */

/* "Transmission flags": what was not offered is not to be sent. */
static bool is_offered(const struct connection *connection, uint16_t command)
{
    uint16_t flags = connection->options.flags;

    switch ((enum server_command)command) {
    case SERVER_READ:
    case SERVER_WRITE:
    case SERVER_DISC:
        return true;
    case SERVER_FLUSH:
        return (flags & 1 << 2) != 0;
    case SERVER_TRIM:
        return (flags & 1 << 5) != 0;
    case SERVER_CACHE:
        return (flags & SERVER_FLAG_CACHE) != 0;
    case SERVER_WRITE_ZEROES:
        return (flags & SERVER_FLAG_WRITE_ZEROES) != 0;
    case SERVER_BLOCK_STATUS:
        return connection->context;
    case SERVER_COMMANDS:
        break;
    }
    return false;
}

/* "Command flags", each of its commands and no other. */
static uint16_t allowed_flags(const struct connection *connection, uint16_t command)
{
    uint16_t fua = (connection->options.flags & SERVER_FLAG_FUA) != 0 ? FLAG_FUA : 0;

    switch ((enum server_command)command) {
    case SERVER_WRITE:
        return connection->form == SERVER_EXTENDED ? fua | FLAG_PAYLOAD_LEN : fua;
    case SERVER_TRIM:
        return fua;
    case SERVER_WRITE_ZEROES:
        return fua | FLAG_NO_HOLE;
    case SERVER_BLOCK_STATUS:
        return FLAG_REQ_ONE;
    case SERVER_READ:
    case SERVER_DISC:
    case SERVER_FLUSH:
    case SERVER_CACHE:
    case SERVER_COMMANDS:
        break;
    }
    return 0;
}

/* Whether the payload is announced as it must be. */
static bool has_payload_flag(const struct connection *connection, const struct request *request)
{
    bool needed = connection->form == SERVER_EXTENDED && request->type == SERVER_WRITE;

    return ((request->flags & FLAG_PAYLOAD_LEN) != 0) == needed;
}

/* What the block sizes forbid. */
static const char *wrong_size(const struct connection *connection, const struct request *request)
{
    const struct server_options *options = &connection->options;
    uint32_t minimum = options->minimum != 0 ? options->minimum : 1;
    bool is_short = request->type != SERVER_TRIM && request->type != SERVER_BLOCK_STATUS;

    if (request->offset % minimum != 0 || request->length % minimum != 0) {
        return "a request is not made of whole blocks";
    }
    if (options->maximum != 0 && is_short && request->length > options->maximum) {
        return "a request is longer than the maximum";
    }
    return request->length == 0 ? "a request has no length" : NULL;
}

static const char *wrong_with(const struct connection *connection, const struct request *request)
{
    if (!is_offered(connection, request->type)) {
        return "a request was not offered";
    }
    if (!has_payload_flag(connection, request)) {
        return "a payload is announced wrongly";
    }
    if ((request->flags & ~allowed_flags(connection, request->type)) != 0) {
        return "a request has flags that it may not have";
    }
    if (request->type == SERVER_FLUSH || request->type == SERVER_DISC) {
        return request->offset != 0 || request->length != 0 ? "a FLUSH or DISC has an offset or a length" : NULL;
    }
    return wrong_size(connection, request);
}

/* ---- One request ---- */

static bool receive_header(struct connection *connection, struct request *request)
{
    bool extended = connection->form == SERVER_EXTENDED;
    uint8_t bytes[32];

    if (!wire_receive(connection, bytes, extended ? 32 : 28)) {
        return false;
    }
    if (load_be32(bytes) != (extended ? MAGIC_EXTENDED_REQUEST : MAGIC_REQUEST)) {
        server_complain(connection->server, "a request has a wrong magic number");
        return false;
    }
    request->flags = load_be16(bytes + 4);
    request->type = load_be16(bytes + 6);
    request->cookie = load_be64(bytes + 8);
    request->offset = load_be64(bytes + 16);
    request->length = extended ? load_be64(bytes + 24) : load_be32(bytes + 24);
    return true;
}

/* Answers its number, from 1 on. */
static unsigned note(struct connection *connection, const struct request *request)
{
    const char *wrong = wrong_with(connection, request);
    struct server *server = connection->server;
    unsigned number;

    if (wrong != NULL) {
        server_complain(server, wrong);
    }
    pthread_mutex_lock(&server->lock);
    number = server->requests + 1;
    if (request->type != SERVER_DISC) {
        server->requests = number;
        connection->slot->requests++;
    }
    if (request->type < SERVER_COMMANDS) {
        server->commands[request->type]++;
    }
    pthread_mutex_unlock(&server->lock);
    return number;
}

/* The next request, with its payload; 0: there is none. */
static unsigned take(struct connection *connection, struct request *request)
{
    if (!receive_header(connection, request)) {
        return 0;
    }
    if (request->type == SERVER_WRITE &&
        (request->length > REQUEST_MAX || !wire_receive(connection, connection->payload, request->length))) {
        return 0;
    }
    return note(connection, request);
}

/* "NBD_CMD_DISC": nothing may follow. */
static bool is_goodbye(struct connection *connection, const struct request *request)
{
    if (request->type == SERVER_DISC && wire_is_readable(connection->fd)) {
        server_complain(connection->server, "something follows a goodbye");
    }
    return request->type == SERVER_DISC;
}

/* ---- Requests together ---- */

/* Reads that are at hand, and one request of another kind behind them. */
struct batch {
    struct request requests[TOGETHER_MAX];
    unsigned count;
};

/* Whether another request may be taken before what there is has been answered: its payload has the only place. */
static bool goes_on(const struct connection *connection, const struct batch *batch)
{
    return batch->count < TOGETHER_MAX && batch->requests[batch->count - 1].type == SERVER_READ &&
           wire_is_readable(connection->fd);
}

static bool gather(struct connection *connection, struct batch *batch)
{
    while (goes_on(connection, batch)) {
        if (take(connection, &batch->requests[batch->count]) == 0) {
            return false;
        }
        batch->count++;
    }
    return true;
}

static bool answer_last(struct connection *connection, struct batch *batch)
{
    const struct request *last = &batch->requests[--batch->count];

    return !is_goodbye(connection, last) && reply(connection, last);
}

static bool reply_backwards(struct connection *connection, struct batch *batch)
{
    bool going = gather(connection, batch);

    while (going && batch->count != 0) {
        going = answer_last(connection, batch);
    }
    return going;
}

/* What comes behind the reads goes first: its payload is there. */
static bool reply_mixed(struct connection *connection, struct batch *batch)
{
    if (!gather(connection, batch)) {
        return false;
    }
    if (batch->requests[batch->count - 1].type != SERVER_READ && !answer_last(connection, batch)) {
        return false;
    }
    return batch->count == 0 || chunk_reply_reads(connection, batch->requests, batch->count);
}

static bool answer(struct connection *connection, const struct request *request)
{
    struct batch batch = {.requests = {*request}, .count = 1};

    if (connection->options.backwards) {
        return reply_backwards(connection, &batch);
    }
    if (connection->options.interleaved && connection->form != SERVER_SIMPLE) {
        return reply_mixed(connection, &batch);
    }
    return answer_last(connection, &batch);
}

void transmission(struct connection *connection)
{
    const struct server_options *options = &connection->options;
    bool surprises = options->fault == SERVER_UNASKED && connection->is_first;
    bool going = !surprises || wire_transmit(connection, "Surprise", 8);
    struct request request;
    unsigned number;

    while (going && (number = take(connection, &request)) != 0) {
        bool leaves = request.type == SERVER_DISC;

        if (!leaves && options->drop_at != 0 && number >= options->drop_at) {
            server_reset(connection->fd);
            return;
        }
        if (!leaves && options->stall_at != 0 && number >= options->stall_at) {
            continue;
        }
        going = answer(connection, &request);
    }
}
