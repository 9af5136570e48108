/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's portable path over native sockets: CDB, command, request, queue, wire and back.
 *
 *     engine_submit(&engine, job, cdb, length);    any number of times
 *     engine_step(&engine, &done);                 sends what waits, receives once
 *
 * One thread, however many connections there are. As in the driver (driver/nbd_send.c) requests wait in one list, and
 * any connection that is free takes what waits; the driver, too, does that under one lock for a disk. What the driver
 * has beside it, completions of receives on several processors at once, would need a machine with more of them than
 * one for the client.
 */
#ifndef WNBD_BENCH_ENGINE_H
#define WNBD_BENCH_ENGINE_H

#include "bench/connection.h"
#include "bench/plan.h"
#include "core/base/list.h"
#include "core/io/queue.h"
#include "core/nbd/progress.h"
#include "core/scsi/storage.h"

#define ENGINE_RECEIVE_MAX (128u << 10) /* by one receive; a longer one lets a TCP server wait for room */
#define ENGINE_DIRECT_MIN  (16u << 10)  /* payload that is worth a receive of its own */
#define ENGINE_MIXED_MAX   (4u << 10)   /* received at once while such payload may come: what of it has to be copied */
#define ENGINE_BATCH_MAX   64           /* requests in one send */
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
    struct scsi_device device;
    struct io_queue queue;
    struct io_slot slots[PLAN_DEPTH_MAX];
    struct list_link waiting; /* struct engine_job */
    struct connection connections[PLAN_CONNECTIONS_MAX];
    uint32_t count; /* of connections */
    uint32_t next;  /* whose turn it is to send */
    uint64_t waits; /* system calls */
};

/* Connects, as often as the plan says. What goes wrong now and later ends the program. */
void engine_open(struct engine *engine, const struct plan *plan);

/* Begins a READ or WRITE, which must need storage. At most PLAN_DEPTH_MAX jobs are under way. */
void engine_submit(struct engine *engine, struct engine_job *job, const uint8_t *cdb, size_t length);

/* Sends what waits and waits for replies; jobs that are done go to the end of `done`. At least one job is under way. */
void engine_step(struct engine *engine, struct list_link *done);

/* System calls made so far. */
uint64_t engine_calls(const struct engine *engine);

void engine_close(struct engine *engine);

#endif
