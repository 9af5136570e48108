/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection of an engine (bench/engine.h), which owns it. What the driver does with WSK this does with a socket:
 *
 *   - everything that waits leaves in one send: headers, and payload from the job's own memory;
 *   - many small replies are parsed from one receive, and their payload is copied;
 *   - the rest of a large payload is received straight into the job's memory, and the header that follows it with it.
 */
#ifndef WNBD_BENCH_CONNECTION_H
#define WNBD_BENCH_CONNECTION_H

#include "bench/plan.h"
#include "bench/wire.h"
#include "core/base/list.h"
#include "core/nbd/encode.h"
#include "core/nbd/reader.h"

struct engine;

struct connection {
    struct engine *engine; /* borrows */
    struct wire wire;

    /* the send under way: what is left of it begins at `piece` */
    uint8_t headers[PLAN_DEPTH_MAX][NBD_REQUEST_SIZE_MAX];
    struct iovec pieces[2 * PLAN_DEPTH_MAX];
    struct iovec *piece;
    struct iovec *pieces_end;

    struct nbd_reader reader;
    struct engine_job *receiving; /* whose reply is in hand */
    uint32_t large_out;           /* reads, sent or about to be, whose payload is worth a receive of its own */
    uint8_t *in;
};

/* Connects, as the plan says. */
void connection_open(struct connection *connection, struct engine *engine, const struct plan *plan,
                     struct nbd_export *server_export);

/* Something is left of the last send. */
static inline bool connection_is_sending(const struct connection *connection)
{
    return connection->piece != connection->pieces_end;
}

/* Sends what there is room for: what is left of the last send, or what waits now. Whether nothing is left or waits.
 * Never waits itself: the server may be waiting for us to receive. */
bool connection_send(struct connection *connection);

/* Waits for replies; jobs that are done go to the end of `done`. */
void connection_receive(struct connection *connection, struct list_link *done);

#endif
