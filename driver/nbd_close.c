/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connections' beginning and end, on the disk's thread. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"

#define ORDERLY_END_MS 1000  /* how long the server has to take NBD_CMD_DISC and close */
#define FENCE_MS       2000  /* the same, when writes are unanswered */
#define REPLAYS_MAX    8     /* of one request */
#define LIVED_MS       10000 /* a connection that lasted so long was good */
#define GOODBYE_MS     500   /* how long telling a server may take that is not wanted */

/* ---- The beginning ---- */

static void reset_connection_locked(struct nbd_connection *connection)
{
    connection->state = NBD_OPEN;
    connection->large_reads = 0;
    connection->answered = false;
    connection->listening = true;
    connection->peer_closed = false;
    connection->aborting = false;
    connection->broken_off = false;
    connection->shutting_down = false;
    connection->opened_at = clock_now();
    connection->outstanding = 1; /* the receiving */
}

/* What happened while the connection was being made may be a reason to make it anew. */
static void check_new_locked(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;

    if (connection->restarts != disk->adapter->restarts) {
        nbd_break_off_locked(connection, "the adapter was restarted");
    } else if (disk->nbd.reset) {
        nbd_break_off_locked(connection, "the disk was reset");
    }
}

void nbd_open(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;
    KLOCK_QUEUE_HANDLE handle;

    nbd_reader_init(&connection->reader, &connection->terms);
    connection->receiving = NULL;
    connection->was_large = false;
    connection->risky = false;
    connection->taking_leave = false;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    reset_connection_locked(connection);
    disk->nbd.was_of_use &= disk->nbd.open != 0;
    disk->nbd.form = connection->terms.form;
    disk->nbd.open++;
    disk->nbd.present++;
    disk->state = DISK_READY;
    check_new_locked(connection);
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_receive(connection);
}

/* ---- Waiting ---- */

static bool wait_for_settled(struct nbd_connection *connection, const struct wsk_limit *limit)
{
    LARGE_INTEGER timeout;

    if (limit == NULL) {
        KeWaitForSingleObject(&connection->settled, Executive, KernelMode, FALSE, NULL);
        return true;
    }
    timeout.QuadPart = -(LONGLONG)(wsk_limit_left_ms(limit) * CLOCK_TICKS_PER_MS);
    return KeWaitForSingleObject(&connection->settled, Executive, KernelMode, FALSE, &timeout) == STATUS_SUCCESS &&
           wsk_limit_left_ms(limit) != 0;
}

/* Waits until nobody is inside a call, and until nothing is out if `outstanding_too`; not longer than the limit (NULL:
 * WSK has promised to give everything back). */
static bool wait_settled(struct nbd_connection *connection, bool outstanding_too, const struct wsk_limit *limit)
{
    struct disk *disk = connection->disk;
    KLOCK_QUEUE_HANDLE handle;
    bool settled;

    do {

        KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
        settled = connection->calls == 0 && (!outstanding_too || connection->outstanding == 0);
        KeClearEvent(&connection->settled);
        KeReleaseInStackQueuedSpinLock(&handle);
    } while (!settled && wait_for_settled(connection, limit));
    return settled;
}

static bool has_peer_closed(struct nbd_connection *connection)
{
    KLOCK_QUEUE_HANDLE handle;
    bool closed;

    KeAcquireInStackQueuedSpinLock(&connection->disk->lock, &handle);
    closed = connection->peer_closed;
    KeReleaseInStackQueuedSpinLock(&handle);
    return closed;
}

/* ---- Leave ---- */

/* Says goodbye, and that nothing more will be sent. */
static NTSTATUS send_disconnect(struct nbd_connection *connection, const struct wsk_limit *limit)
{
    uint8_t *bytes = connection->handshake->buffer;
    ULONG offset = (ULONG)(bytes - (uint8_t *)connection->handshake);
    uint32_t size = nbd_encode_disconnect(bytes, connection->terms.form);
    NTSTATUS status =
        wsk_send_all(connection->socket, &connection->call, connection->handshake_mdl, offset, size, limit);

    return NT_SUCCESS(status) ? wsk_shut_down(connection->socket, &connection->call, limit) : status;
}

void nbd_say_goodbye(struct nbd_connection *connection)
{
    struct wsk_limit limit = wsk_limit_in(GOODBYE_MS, NULL);

    if (!NT_SUCCESS(send_disconnect(connection, &limit))) {
        log_print(LOG_WARNING, "%s: the server could not be told that it is given up",
                  connection->disk->properties.InstanceName);
    }
}

/* After goodbye: whether the server has ended its side, too. The receiving goes on until the stream ends or breaks. */
static bool await_end(struct nbd_connection *connection, const struct wsk_limit *limit)
{
    ULONG offset = (ULONG)(connection->handshake->buffer - (uint8_t *)connection->handshake);
    NTSTATUS status = STATUS_SUCCESS;

    if (!wait_settled(connection, true, limit)) {
        return false;
    }
    /* What comes behind a reply that was none; a server that does not stop is not listened to for longer. */
    while (!has_peer_closed(connection) && NT_SUCCESS(status) && wsk_limit_left_ms(limit) != 0) {
        status = wsk_receive_all(connection->socket, &connection->call, connection->handshake_mdl, offset,
                                 sizeof connection->handshake->buffer, limit);
    }
    return has_peer_closed(connection) || status == STATUS_CONNECTION_DISCONNECTED;
}

/* Connections to be ended in the same way and the same time. */
struct farewell {
    struct nbd_connection *connections[NBD_CONNECTIONS_MAX];
    uint32_t count;
};

/* How many connections with unanswered writes did the server not close within that time of being told goodbye? All are
 * told before the first is waited for; one that does not take it has its share of half of the time. */
static uint32_t take_leave(const struct farewell *farewell, ULONG timeout_ms)
{
    struct wsk_limit limit = wsk_limit_in(timeout_ms, NULL);
    uint32_t unfenced = 0;

    for (uint32_t i = 0; i < farewell->count; i++) {
        struct nbd_connection *connection = farewell->connections[i];
        struct wsk_limit share = wsk_limit_in(wsk_limit_left_ms(&limit) / (2 * (farewell->count - i)), NULL);

        connection->taking_leave = !has_peer_closed(connection) && NT_SUCCESS(send_disconnect(connection, &share));
    }
    for (uint32_t i = 0; i < farewell->count; i++) {
        struct nbd_connection *connection = farewell->connections[i];

        if (!has_peer_closed(connection) && !(connection->taking_leave && await_end(connection, &limit))) {
            log_print(LOG_WARNING, "%s: the server did not close within %lu ms",
                      connection->disk->properties.InstanceName, timeout_ms);
            unfenced += connection->risky;
        }
    }
    return unfenced;
}

static void close_socket(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_ended_locked(connection, "it was closed here");
    KeReleaseInStackQueuedSpinLock(&handle);
    wait_settled(connection, false, NULL);
    wsk_close(connection->socket, &connection->close_call);
    connection->socket = NULL;
    wsk_call_recall(&connection->call);
    wait_settled(connection, true, NULL);
}

/* One that was made and broke at once, again and again, brings nobody further. One that lasted was good, even if nobody
 * asked for anything. */
static bool was_of_use_locked(const struct nbd_connection *connection)
{
    return connection->answered || connection->broken_off ||
           connection->lost_at - connection->opened_at >= LIVED_MS * CLOCK_TICKS_PER_MS;
}

bool nbd_was_of_use(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    bool of_use;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    of_use = nbd->was_of_use;
    for (uint32_t i = 0; i < nbd->count; i++) {
        of_use |= nbd->connections[i]->state == NBD_LOST && was_of_use_locked(nbd->connections[i]);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return of_use;
}

static enum nbd_loss loss_of_locked(const struct nbd_connection *connection)
{
    if (connection->state != NBD_LOST) {
        return NBD_LOSS_NONE;
    }
    return was_of_use_locked(connection) ? NBD_LOSS_USEFUL : NBD_LOSS_USELESS;
}

enum nbd_loss nbd_loss(struct disk *disk)
{
    enum nbd_loss worst = NBD_LOSS_NONE;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < disk->nbd.count; i++) {
        worst = max(worst, loss_of_locked(disk->nbd.connections[i]));
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return worst;
}

/* Nothing of the connection is with WSK any more. */
static void forget_locked(struct nbd_connection *connection)
{
    struct nbd_backend *nbd = &connection->disk->nbd;

    connection->state = NBD_ABSENT;
    nbd->was_of_use |= was_of_use_locked(connection);
    nbd->present--;
    nbd->aborting -= connection->aborting;
    connection->aborting = false;
}

/* ---- The disk goes ---- */

/* The connections, if nothing is out. Nothing new comes: the disk is being removed. */
static void find_idle(struct disk *disk, struct farewell *idle)
{
    KLOCK_QUEUE_HANDLE handle;

    idle->count = 0;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < disk->nbd.count && disk->nbd.queue.used == 0; i++) {
        if (disk->nbd.connections[i]->state == NBD_OPEN) {
            idle->connections[idle->count++] = disk->nbd.connections[i];
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
}

void nbd_close(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct farewell idle;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    find_idle(disk, &idle);
    take_leave(&idle, ORDERLY_END_MS);
    for (uint32_t i = 0; i < nbd->count; i++) {
        if (nbd->connections[i]->socket != NULL) {
            close_socket(nbd->connections[i]);
        }
    }
    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_drain_locked(disk, &done);
    nbd->reset = false;
    nbd->aborting = 0;
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
    nbd_complete_resets(disk);
}

/* ---- Others are to take their place ---- */

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

    while ((request = queue_next(&connection->disk->nbd.queue, &position)) != NULL) {
        const struct record *record = record_of_request(request);

        if (record->connection == connection && is_unanswered_write(record)) {
            return true;
        }
    }
    return false;
}

/* The connections that are lost; those of them that are not to be ended without a word are `fenced`. */
static void find_lost(struct disk *disk, struct farewell *lost, struct farewell *fenced)
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
static void fence(struct disk *disk, const struct farewell *fenced)
{
    uint32_t unfenced = take_leave(fenced, FENCE_MS);
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
    list_append(&disk->nbd.waiting, &record->link);
    stats_withdrawn(&disk->stats);
    disk->nbd.replayed++;
}

/* What was sent over the connection and not answered waits with the rest to be sent again, whole. */
static void withdraw_locked(struct nbd_connection *connection, struct list_link *done)
{
    struct disk *disk = connection->disk;
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->nbd.queue, &position)) != NULL) {
        struct record *record = record_of_request(request);

        if (record->holds == 0) { /* the flush behind a write, say: the server may have lost what it had in its cache */
            record_restart(record);
        } else if (record->connection == connection && is_given_up_locked(record)) {
            nbd_drain_one_locked(disk, record, done);
        } else if (record->connection == connection) {
            replay_locked(disk, record);
        }
    }
}

/* Takes back what the lost connections had. A reset ends everything, once all connections have ended. */
static void take_back(struct disk *disk, const struct farewell *lost)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < lost->count; i++) {
        if (!nbd->reset) {
            withdraw_locked(lost->connections[i], &done);
        }
        forget_locked(lost->connections[i]);
    }
    if (nbd->reset && nbd->present == 0) {
        nbd_drain_locked(disk, &done);
        nbd->reset = false;
    }
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
    nbd_complete_resets(disk);
}

void nbd_suspend(struct disk *disk)
{
    struct farewell lost;
    struct farewell fenced;

    for (find_lost(disk, &lost, &fenced); lost.count != 0; find_lost(disk, &lost, &fenced)) {
        fence(disk, &fenced);
        for (uint32_t i = 0; i < lost.count; i++) {
            close_socket(lost.connections[i]);
        }
        take_back(disk, &lost);
    }
}
