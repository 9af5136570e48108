/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/engine.h"

#include <poll.h>
#include <string.h>

/* What the first connection's server says holds for all. */
static void describe(struct scsi_device *device, const struct nbd_export *server_export)
{
    struct nbd_geometry geometry;
    enum nbd_geometry_problem problem = nbd_export_geometry(server_export, 512, &geometry);

    if (problem != NBD_GEOMETRY_OK) {
        fail(nbd_geometry_problem_text(problem));
    }
    device->block_count = geometry.block_count;
    device->block_size = geometry.block_size;
    device->read_only = (server_export->flags & NBD_FLAG_READ_ONLY) != 0;
    device->max_transfer_blocks = (2u << 20) / geometry.block_size;
    device->max_request_blocks = geometry.maximum_length / geometry.block_size;
}

void engine_open(struct engine *engine, const struct plan *plan)
{
    struct nbd_export server_export;

    memset(engine, 0, sizeof *engine);
    engine->count = plan->connections;
    for (uint32_t i = 0; i < engine->count; i++) {
        connection_open(&engine->connections[i], engine, plan, &server_export);
    }
    if (engine->count > 1 && (server_export.flags & NBD_FLAG_CAN_MULTI_CONN) == 0) {
        fail("the server does not promise that several connections see the same");
    }
    describe(&engine->device, &server_export);
    queue_init(&engine->queue, engine->slots, PLAN_DEPTH_MAX);
    list_init(&engine->waiting);
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

/* The connection whose turn it is takes what waits, as much as one send may hold, then the next one that is free.
 * Whether nothing is left to be sent. */
static bool send_waiting(struct engine *engine)
{
    bool all = true;

    for (uint32_t i = 0; i < engine->count; i++) {
        struct connection *connection = &engine->connections[engine->next];

        engine->next = engine->next + 1 < engine->count ? engine->next + 1 : 0;
        all &= connection_send(connection);
    }
    return all;
}

/* Waits until one of the connections has bytes to be received, or room for what is left to be sent: of its own, or of
 * what waits for any. */
static void wait(struct engine *engine, struct pollfd *poll_on)
{
    bool waiting = !list_is_empty(&engine->waiting);

    for (uint32_t i = 0; i < engine->count; i++) {
        const struct connection *connection = &engine->connections[i];

        poll_on[i].fd = connection->wire.socket;
        poll_on[i].events = waiting || connection_is_sending(connection) ? POLLIN | POLLOUT : POLLIN;
    }
    engine->waits++;
    if (poll(poll_on, engine->count, -1) < 1) {
        fail("waiting failed");
    }
}

void engine_step(struct engine *engine, struct list_link *done)
{
    struct pollfd poll_on[PLAN_CONNECTIONS_MAX];
    bool all_sent = send_waiting(engine);

    if (all_sent && engine->count == 1) {
        connection_receive(&engine->connections[0], done); /* waits by itself */
        return;
    }
    wait(engine, poll_on);
    for (uint32_t i = 0; i < engine->count; i++) {
        if ((poll_on[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            connection_receive(&engine->connections[i], done);
        }
    }
}

uint64_t engine_calls(const struct engine *engine)
{
    uint64_t calls = engine->waits;

    for (uint32_t i = 0; i < engine->count; i++) {
        calls += engine->connections[i].wire.calls;
    }
    return calls;
}

void engine_close(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->count; i++) {
        wire_close(&engine->connections[i].wire);
    }
}
