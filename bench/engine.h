/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's portable path over a native socket, one thread: CDB, command, request, queue, wire and back. What the
 * driver does with WSK this does with a socket:
 *
 *   - everything that waits leaves in one send: headers, and payload from the job's own memory;
 *   - many small replies are parsed from one receive, and their payload is copied;
 *   - the rest of a large payload is received straight into the job's memory, and the header that follows it with it.
 *
 *     engine_submit(&engine, job, cdb, length);    any number of times
 *     engine_step(&engine, &done);                 sends what waits, receives once
 */
#ifndef WNBD_BENCH_ENGINE_H
#define WNBD_BENCH_ENGINE_H

#include "bench/plan.h"
#include "bench/wire.h"
#include "core/base/list.h"
#include "core/io/queue.h"
#include "core/nbd/encode.h"
#include "core/nbd/reader.h"
#include "core/scsi/storage.h"

#define ENGINE_RECEIVE_MAX (128u << 10) /* by one receive; a longer one lets a TCP server wait for room */
#define ENGINE_DIRECT_MIN  (16u << 10)  /* payload that is worth a receive of its own */
#define ENGINE_MIXED_MAX   (4u << 10)   /* received at once while such payload may come: what of it has to be copied */
#define ENGINE_SEND_MAX    (1u << 20)   /* payload that is gathered for one send; one request may exceed it */

/* A command under way: what the driver keeps in an SRB's extension. The caller's memory; kept until it is done. */
struct engine_job {
    struct list_link link;
    struct storage_command command;
    struct nbd_progress progress;
    uint8_t *data; /* the caller's: as much as the command transfers */
    bool failed;
};

struct engine {
    struct wire wire;
    struct scsi_device device;
    struct io_queue queue;
    struct io_slot slots[PLAN_DEPTH_MAX];

    struct list_link waiting; /* struct engine_job */

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

/* Connects. What goes wrong now and later ends the program. */
void engine_open(struct engine *engine, const char *address);

/* Begins a READ or WRITE, which must need storage. At most PLAN_DEPTH_MAX jobs are under way. */
void engine_submit(struct engine *engine, struct engine_job *job, const uint8_t *cdb, size_t length);

/* Sends what waits and waits for replies; jobs that are done go to the end of `done`. At least one job is under way. */
void engine_step(struct engine *engine, struct list_link *done);

void engine_close(struct engine *engine);

#endif
