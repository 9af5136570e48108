/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/engine.h"

#include <string.h>

static struct engine_job *job_of_link(struct list_link *link)
{
    return list_member(link, struct engine_job, link);
}

static struct engine_job *job_of_request(struct io_request *request)
{
    return list_member(request, struct engine_job, command.request);
}

void engine_open(struct engine *engine, const char *address)
{
    struct nbd_export server_export;
    struct nbd_geometry geometry;
    enum nbd_geometry_problem problem;

    memset(engine, 0, sizeof *engine);
    wire_open(&engine->wire, address, &server_export);
    problem = nbd_export_geometry(&server_export, 512, &geometry);
    if (problem != NBD_GEOMETRY_OK) {
        fail(nbd_geometry_problem_text(problem));
    }
    engine->device.block_count = geometry.block_count;
    engine->device.block_size = geometry.block_size;
    engine->device.read_only = (server_export.flags & NBD_FLAG_READ_ONLY) != 0;
    engine->device.max_transfer_blocks = (2u << 20) / geometry.block_size;
    engine->device.max_request_blocks = geometry.maximum_length / geometry.block_size;
    queue_init(&engine->queue, engine->slots, PLAN_DEPTH_MAX);
    nbd_reader_init(&engine->reader, &engine->wire.terms);
    list_init(&engine->waiting);
    engine->piece = engine->pieces;
    engine->pieces_end = engine->pieces;
    engine->in = allocate(ENGINE_RECEIVE_MAX);
}

void engine_submit(struct engine *engine, struct engine_job *job, const uint8_t *cdb, size_t length)
{
    struct scsi_command command;
    struct scsi_sense sense;
    uint32_t data_length = engine->device.max_transfer_blocks * engine->device.block_size;

    if (!cdb_decode(cdb, length, &command, &sense) || !command_needs_storage(&command) ||
        storage_begin(&job->command, &engine->device, &command, NULL, data_length, &sense) != STORAGE_REQUEST ||
        !queue_add(&engine->queue, &job->command.request)) {
        fail("a command was refused");
    }
    job->failed = false;
    list_append(&engine->waiting, &job->link);
}

/* ---- Sending ---- */

static void add_piece(struct engine *engine, uint8_t *bytes, size_t length)
{
    struct iovec *last = engine->pieces_end - 1;

    if (engine->pieces_end != engine->pieces && (uint8_t *)last->iov_base + last->iov_len == bytes) {
        last->iov_len += length;
    } else {
        *engine->pieces_end++ = (struct iovec){.iov_base = bytes, .iov_len = length};
    }
}

static bool is_large(const struct io_request *request)
{
    return request->operation == IO_READ && request->length >= ENGINE_DIRECT_MIN;
}

/* Makes a send of what waits. */
static void gather(struct engine *engine)
{
    uint8_t *header = engine->headers[0];
    size_t payload_length = 0;

    engine->piece = engine->pieces;
    engine->pieces_end = engine->pieces;
    while (payload_length < ENGINE_SEND_MAX && !list_is_empty(&engine->waiting)) {
        struct engine_job *job = job_of_link(list_take_first(&engine->waiting));
        const struct io_request *request = &job->command.request;

        uint32_t size = nbd_encode_request(header, request, engine->wire.terms.form);

        nbd_progress_init(&job->progress);
        add_piece(engine, header, size);
        header += size;
        if (request->operation == IO_WRITE) {
            add_piece(engine, job->data + job->command.data_offset, request->length);
            payload_length += request->length;
        }
        engine->large_out += is_large(request);
    }
}

static void sent(struct engine *engine, size_t count)
{
    while (engine->piece != engine->pieces_end && count >= engine->piece->iov_len) {
        count -= engine->piece->iov_len;
        engine->piece++;
    }
    if (count != 0) {
        engine->piece->iov_base = (uint8_t *)engine->piece->iov_base + count;
        engine->piece->iov_len -= count;
    }
}

/* Sends what there is room for; whether nothing is left to be sent. Never waits: the server may be waiting for us to
 * receive. */
static bool send_gathered(struct engine *engine)
{
    if (engine->piece == engine->pieces_end) {
        if (list_is_empty(&engine->waiting)) {
            return true;
        }
        gather(engine);
    }
    sent(engine, wire_send(&engine->wire, engine->piece, (size_t)(engine->pieces_end - engine->piece), false));
    return engine->piece == engine->pieces_end && list_is_empty(&engine->waiting);
}

/* ---- Receiving ---- */

/* A request has been carried out: the job's next one waits, or the job is done. */
static void carried_out(struct engine *engine, struct engine_job *job, struct list_link *done)
{
    struct io_request *request = &job->command.request;
    struct scsi_sense sense;

    engine->large_out -= is_large(request);
    if (!job->failed && storage_next(&job->command, &sense) == STORAGE_REQUEST) {
        list_append(&engine->waiting, &job->link);
        return;
    }
    if (queue_take(&engine->queue, request->cookie) == NULL) {
        fail("a request ended twice");
    }
    list_append(done, &job->link);
}

static void reply(struct engine *engine)
{
    struct io_request *request = queue_find(&engine->queue, engine->reader.cookie);
    struct engine_job *job;

    if (request == NULL) {
        fail("the server answered a request that is not out");
    }
    job = job_of_request(request);
    engine->receiving = job;
    nbd_reader_expect(&engine->reader, request, &job->progress);
}

static uint8_t *receiving_data(const struct engine *engine)
{
    return engine->receiving->data + engine->receiving->command.data_offset;
}

static void end(struct engine *engine, struct list_link *done)
{
    struct engine_job *job = engine->receiving;

    job->failed = job->progress.error != 0;
    carried_out(engine, job, done);
}

static void parse(struct engine *engine, size_t length, struct list_link *done)
{
    const uint8_t *bytes = engine->in;
    enum nbd_reader_step step;
    struct nbd_part part;

    while ((step = nbd_reader_step(&engine->reader, &bytes, &length, &part)) != NBD_READER_MORE) {
        switch (step) {
        case NBD_READER_MORE:
        case NBD_READER_EXTENT: /* nobody asks for them */
            break;
        case NBD_READER_REPLY:
            reply(engine);
            break;
        case NBD_READER_DATA:
            memcpy(receiving_data(engine) + part.offset, part.bytes, part.length);
            break;
        case NBD_READER_HOLE:
            memset(receiving_data(engine) + part.offset, 0, part.length);
            break;
        case NBD_READER_DONE:
            end(engine, done);
            break;
        case NBD_READER_BAD:
            fail(engine->reader.broken);
        }
    }
}

/* More of a large payload into the job's memory and, behind its end, the next reply's header if it is there. Answers
 * how many bytes came, `*full` whether all that was asked for. */
static size_t receive_direct(struct engine *engine, bool wait, bool *full, struct list_link *done)
{
    uint32_t left = nbd_reader_payload(&engine->reader);
    uint32_t room = left < ENGINE_RECEIVE_MAX ? left : ENGINE_RECEIVE_MAX;
    uint32_t behind = nbd_data_head_size(engine->wire.terms.form);
    struct iovec pieces[] = {
        {.iov_base = receiving_data(engine) + engine->reader.payload_offset, .iov_len = room},
        {.iov_base = engine->in, .iov_len = behind},
    };
    bool last = room == left;
    size_t count = wire_receive(&engine->wire, pieces, last ? 2 : 1, wait);
    uint32_t direct = count < room ? (uint32_t)count : room;

    *full = count == room + (last ? behind : 0);
    nbd_reader_received(&engine->reader, direct);
    parse(engine, count - direct, done);
    return count;
}

static size_t receive_buffered(struct engine *engine, bool wait, bool *full, struct list_link *done)
{
    struct iovec piece = {
        .iov_base = engine->in,
        .iov_len = engine->large_out != 0 ? ENGINE_MIXED_MAX : ENGINE_RECEIVE_MAX,
    };
    size_t room = piece.iov_len;
    size_t count = wire_receive(&engine->wire, &piece, 1, wait);

    *full = count == room;
    parse(engine, count, done);
    return count;
}

/* Waits for replies. After large payload goes on with what is there already, so that several requests can leave in the
 * next send. */
static void receive(struct engine *engine, struct list_link *done)
{
    size_t received = 0;
    bool full;

    do {
        bool wait = received == 0;

        received += nbd_reader_payload(&engine->reader) >= ENGINE_DIRECT_MIN
                        ? receive_direct(engine, wait, &full, done)
                        : receive_buffered(engine, wait, &full, done);
    } while (full && nbd_reader_payload(&engine->reader) >= ENGINE_DIRECT_MIN && received < ENGINE_RECEIVE_MAX);
}

void engine_step(struct engine *engine, struct list_link *done)
{
    if (send_gathered(engine) || wire_wait(&engine->wire)) {
        receive(engine, done);
    }
}

void engine_close(struct engine *engine)
{
    wire_close(&engine->wire);
}
