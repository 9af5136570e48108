/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lost connections end so that others can take their place, on the disk's thread. */
#include "driver/nbd.h"

#include "driver/disk.h"

#define FENCE_MS    2000 /* how long the server has to close when writes are unanswered */
#define REPLAYS_MAX 8    /* of one request */

static bool is_unanswered_write(const struct record *record)
{
    enum io_operation operation = record->command.request.operation;
    bool writes = operation == IO_WRITE || operation == IO_TRIM || operation == IO_WRITE_ZEROES;

    return writes && (record->holds & RECORD_ANSWERING) != 0;
}

static bool has_unanswered_writes_locked(struct nbd_connection *connection)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&connection->disk->requests.queue, &position)) != NULL) {
        const struct record *record = record_of_request(request);

        if (record->connection == connection && is_unanswered_write(record)) {
            return true;
        }
    }
    return false;
}

/* The connections that are lost; those of them that are not to be ended without a word are `fenced`. */
static void find_lost(struct disk *disk, struct nbd_farewell *lost, struct nbd_farewell *fenced)
{
    KLOCK_QUEUE_HANDLE handle;

    lost->count = 0;
    fenced->count = 0;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    KeClearEvent(&disk->nbd.lost);
    for (uint32_t i = 0; i < disk->nbd.count; i++) {
        struct nbd_connection *connection = disk->nbd.connections[i];

        if (connection->state != NBD_LOST) {
            continue;
        }
        lost->connections[lost->count++] = connection;
        connection->risky = has_unanswered_writes_locked(connection);
        if (connection->risky || connection->shutting_down) {
            fenced->connections[fenced->count++] = connection;
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* Without the server's FIN the protocol promises nothing of writes it has not answered: it may carry them out later. */
static void fence(struct disk *disk, const struct nbd_farewell *fenced)
{
    uint32_t unfenced = nbd_take_leave(fenced, FENCE_MS);
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->nbd.unfenced += unfenced;
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* A request that was aborted has ended. One over which one connection after the other ends may be why they do: it
 * fails, and Windows decides whether to send it once more. */
static bool is_given_up_locked(struct record *record)
{
    return record->srb_status != 0 || (!record->connection->broken_off && ++record->replays > REPLAYS_MAX);
}

static void replay_locked(struct disk *disk, struct record *record)
{
    record_restart(record);
    record->holds = 0;
    list_append(&disk->requests.waiting, &record->link);
    stats_withdrawn(&disk->stats);
    disk->nbd.replayed++;
}

/* What was sent over the connection and not answered waits with the rest to be sent again, whole. */
static void withdraw_locked(struct nbd_connection *connection, struct list_link *done)
{
    struct disk *disk = connection->disk;
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->requests.queue, &position)) != NULL) {
        struct record *record = record_of_request(request);

        if (record->holds == 0) { /* the flush behind a write, say: the server may have lost what it had in its cache */
            record_restart(record);
        } else if (record->connection == connection && is_given_up_locked(record)) {
            requests_drain_one_locked(disk, record, done);
        } else if (record->connection == connection) {
            replay_locked(disk, record);
        }
    }
}

/* Takes back what the lost connections had. A reset ends everything, once all connections have ended. */
static void take_back(struct disk *disk, const struct nbd_farewell *lost)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < lost->count; i++) {
        if (!disk->requests.reset) {
            withdraw_locked(lost->connections[i], &done);
        }
        nbd_forget_locked(lost->connections[i]);
    }
    if (disk->requests.reset && nbd->present == 0) {
        requests_drain_locked(disk, &done);
        disk->requests.reset = false;
    }
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    requests_complete_resets(disk);
}

void nbd_suspend(struct disk *disk)
{
    struct nbd_farewell lost;
    struct nbd_farewell fenced;

    for (find_lost(disk, &lost, &fenced); lost.count != 0; find_lost(disk, &lost, &fenced)) {
        fence(disk, &fenced);
        for (uint32_t i = 0; i < lost.count; i++) {
            nbd_close_socket(lost.connections[i]);
        }
        take_back(disk, &lost);
    }
}
