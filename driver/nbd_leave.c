/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How connections end, on the disk's thread: in good order if there is time, and in any case. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"

#define ORDERLY_END_MS 1000 /* how long the server has to take NBD_CMD_DISC and close */
#define GOODBYE_MS     500  /* how long telling a server may take that is not wanted */

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
        log_disk(SERVER_NOT_TOLD, connection->disk);
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

uint32_t nbd_take_leave(const struct nbd_farewell *farewell, ULONG timeout_ms)
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
            log_disk(SERVER_DID_NOT_CLOSE, connection->disk, timeout_ms);
            unfenced += connection->risky;
        }
    }
    return unfenced;
}

void nbd_close_socket(struct nbd_connection *connection)
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

/* ---- The disk goes ---- */

/* The connections, if nothing is out. Nothing new comes: the disk is being removed. */
static void find_idle(struct disk *disk, struct nbd_farewell *idle)
{
    KLOCK_QUEUE_HANDLE handle;

    idle->count = 0;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < disk->nbd.count && disk->requests.queue.used == 0; i++) {
        if (disk->nbd.connections[i]->state == NBD_OPEN) {
            idle->connections[idle->count++] = disk->nbd.connections[i];
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
}

void nbd_close(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct nbd_farewell idle;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    find_idle(disk, &idle);
    nbd_take_leave(&idle, ORDERLY_END_MS);
    for (uint32_t i = 0; i < nbd->count; i++) {
        if (nbd->connections[i]->socket != NULL) {
            nbd_close_socket(nbd->connections[i]);
        }
    }
    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    requests_drain_locked(disk, &done);
    disk->requests.reset = false;
    disk->requests.aborting = 0;
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    requests_complete_resets(disk);
}
