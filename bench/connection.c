/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/engine.h"

#include <string.h>

static struct engine_job *job_of_request(struct io_request *request)
{
    return list_member(request, struct engine_job, command.request);
}

void connection_open(struct connection *connection, struct engine *engine, const struct plan *plan,
                     struct nbd_export *server_export)
{
    connection->engine = engine;
    wire_open(&connection->wire, plan->address, plan->form, server_export);
    nbd_reader_init(&connection->reader, &connection->wire.terms);
    connection->piece = connection->pieces;
    connection->pieces_end = connection->pieces;
    connection->in = allocate(ENGINE_RECEIVE_MAX);
}

/* ---- Sending ---- */

static void add_piece(struct connection *connection, uint8_t *bytes, size_t length)
{
    struct iovec *last = connection->pieces_end - 1;

    if (connection->pieces_end != connection->pieces && (uint8_t *)last->iov_base + last->iov_len == bytes) {
        last->iov_len += length;
    } else {
        *connection->pieces_end++ = (struct iovec){.iov_base = bytes, .iov_len = length};
    }
}

static bool is_large(const struct io_request *request)
{
    return request->operation == IO_READ && request->length >= ENGINE_DIRECT_MIN;
}

/* Makes a send of what waits. */
static void gather(struct connection *connection)
{
    struct list_link *waiting = &connection->engine->waiting;
    uint8_t *header = connection->headers[0];
    size_t payload_length = 0;

    connection->piece = connection->pieces;
    connection->pieces_end = connection->pieces;
    for (unsigned i = 0; i < ENGINE_BATCH_MAX && payload_length < ENGINE_SEND_MAX && !list_is_empty(waiting); i++) {
        struct engine_job *job = list_member(list_take_first(waiting), struct engine_job, link);
        const struct io_request *request = &job->command.request;
        uint32_t size = nbd_encode_request(header, request, connection->wire.terms.form);

        nbd_progress_init(&job->progress);
        add_piece(connection, header, size);
        header += size;
        if (request->operation == IO_WRITE) {
            add_piece(connection, job->data + job->command.data_offset, request->length);
            payload_length += request->length;
        }
        connection->large_out += is_large(request);
    }
}

static void sent(struct connection *connection, size_t count)
{
    while (connection->piece != connection->pieces_end && count >= connection->piece->iov_len) {
        count -= connection->piece->iov_len;
        connection->piece++;
    }
    if (count != 0) {
        connection->piece->iov_base = (uint8_t *)connection->piece->iov_base + count;
        connection->piece->iov_len -= count;
    }
}

bool connection_send(struct connection *connection)
{
    if (!connection_is_sending(connection)) {
        if (list_is_empty(&connection->engine->waiting)) {
            return true;
        }
        gather(connection);
    }
    sent(connection,
         wire_send(&connection->wire, connection->piece, (size_t)(connection->pieces_end - connection->piece), false));
    return !connection_is_sending(connection) && list_is_empty(&connection->engine->waiting);
}

/* ---- Receiving ---- */

/* A request has been carried out: the job's next one waits, or the job is done. */
static void carried_out(struct connection *connection, struct engine_job *job, struct list_link *done)
{
    struct io_request *request = &job->command.request;
    struct scsi_sense sense;

    connection->large_out -= is_large(request);
    if (!job->failed && storage_next(&job->command, &sense) == STORAGE_REQUEST) {
        list_append(&connection->engine->waiting, &job->link);
        return;
    }
    if (queue_take(&connection->engine->queue, request->cookie) == NULL) {
        fail("a request ended twice");
    }
    list_append(done, &job->link);
}

static void reply(struct connection *connection)
{
    struct io_request *request = queue_find(&connection->engine->queue, connection->reader.cookie);
    struct engine_job *job;

    if (request == NULL) {
        fail("the server answered a request that is not out");
    }
    job = job_of_request(request);
    connection->receiving = job;
    nbd_reader_expect(&connection->reader, request, &job->progress);
}

static uint8_t *receiving_data(const struct connection *connection)
{
    return connection->receiving->data + connection->receiving->command.data_offset;
}

static void end(struct connection *connection, struct list_link *done)
{
    struct engine_job *job = connection->receiving;

    job->failed = job->progress.error != 0;
    carried_out(connection, job, done);
}

static void parse(struct connection *connection, size_t length, struct list_link *done)
{
    const uint8_t *bytes = connection->in;
    enum nbd_reader_step step;
    struct nbd_part part;

    while ((step = nbd_reader_step(&connection->reader, &bytes, &length, &part)) != NBD_READER_MORE) {
        switch (step) {
        case NBD_READER_MORE:
        case NBD_READER_EXTENT: /* nobody asks for them */
            break;
        case NBD_READER_REPLY:
            reply(connection);
            break;
        case NBD_READER_DATA:
            memcpy(receiving_data(connection) + part.offset, part.bytes, part.length);
            break;
        case NBD_READER_HOLE:
            memset(receiving_data(connection) + part.offset, 0, part.length);
            break;
        case NBD_READER_DONE:
            end(connection, done);
            break;
        case NBD_READER_BAD:
            fail(connection->reader.broken);
        }
    }
}

/* While one connection is received from the others keep the server busy, so that there is nothing to be gained from
 * short receives, and each costs a poll. */
static uint32_t direct_max(const struct connection *connection)
{
    return connection->engine->count == 1 ? ENGINE_RECEIVE_MAX : PLAN_SIZE_MAX;
}

/* More of a large payload into the job's memory and, behind its end, the next reply's header if it is there. Answers
 * how many bytes came, `*full` whether all that was asked for. */
static size_t receive_direct(struct connection *connection, bool wait, bool *full, struct list_link *done)
{
    uint32_t left = nbd_reader_payload(&connection->reader);
    uint32_t limit = direct_max(connection);
    uint32_t room = left < limit ? left : limit;
    uint32_t behind = nbd_data_head_size(connection->wire.terms.form);
    struct iovec pieces[] = {
        {.iov_base = receiving_data(connection) + connection->reader.payload_offset, .iov_len = room},
        {.iov_base = connection->in, .iov_len = behind},
    };
    bool last = room == left;
    size_t count = wire_receive(&connection->wire, pieces, last ? 2 : 1, wait);
    uint32_t direct = count < room ? (uint32_t)count : room;

    *full = count == room + (last ? behind : 0);
    nbd_reader_received(&connection->reader, direct);
    parse(connection, count - direct, done);
    return count;
}

static size_t receive_buffered(struct connection *connection, bool wait, bool *full, struct list_link *done)
{
    struct iovec piece = {
        .iov_base = connection->in,
        .iov_len = connection->large_out != 0 ? ENGINE_MIXED_MAX : ENGINE_RECEIVE_MAX,
    };
    size_t room = piece.iov_len;
    size_t count = wire_receive(&connection->wire, &piece, 1, wait);

    *full = count == room;
    parse(connection, count, done);
    return count;
}

/* After large payload goes on with what is there already, so that several requests can leave in the next send. */
void connection_receive(struct connection *connection, struct list_link *done)
{
    size_t received = 0;
    bool full;

    do {
        bool wait = received == 0;

        received += nbd_reader_payload(&connection->reader) >= ENGINE_DIRECT_MIN
                        ? receive_direct(connection, wait, &full, done)
                        : receive_buffered(connection, wait, &full, done);
    } while (full && nbd_reader_payload(&connection->reader) >= ENGINE_DIRECT_MIN && received < ENGINE_RECEIVE_MAX);
}
