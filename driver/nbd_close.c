/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection's beginning and end, on the disk's thread. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"

#define ORDERLY_END_MS 1000 /* how long the server has to take NBD_CMD_DISC and close */
#define FENCE_MS       2000 /* the same, when writes are unanswered */
#define REPLAYS_MAX    8    /* of one request */
#define GOODBYE_MS     500  /* how long telling a server may take that is not wanted */

void nbd_open(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;

    nbd_reader_init(&nbd->reader);
    nbd->receiving = NULL;
    KeClearEvent(&nbd->lost);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd->open = true;
    nbd->answered = false;
    nbd->opened_at = clock_now();
    nbd->listening = true;
    nbd->peer_closed = false;
    nbd->suspended = false;
    nbd->reset = false;
    nbd->aborting = false;
    nbd->broken_off = false;
    nbd->outstanding = 1; /* the receiving */
    disk->state = DISK_READY;
    if (nbd->restarts != disk->adapter->restarts) {
        nbd_break_off_locked(disk, "the adapter was restarted");
    }
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_receive(disk);
}

/* Waits until nobody is inside a call, and until nothing is out if `outstanding_too`; not longer than the timeout
 * (NULL: WSK has promised to give everything back). */
static bool wait_settled(struct disk *disk, bool outstanding_too, LARGE_INTEGER *timeout)
{
    struct nbd_backend *nbd = &disk->nbd;
    NTSTATUS status = STATUS_SUCCESS;

    while (status == STATUS_SUCCESS) {
        KLOCK_QUEUE_HANDLE handle;
        bool settled;

        KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
        settled = nbd->calls == 0 && (!outstanding_too || nbd->outstanding == 0);
        KeClearEvent(&nbd->settled);
        KeReleaseInStackQueuedSpinLock(&handle);
        if (settled) {
            return true;
        }
        status = KeWaitForSingleObject(&nbd->settled, Executive, KernelMode, FALSE, timeout);
    }
    return false;
}

/* Whether the connection is there and nothing is out. Nothing new comes: the disk is being removed. */
static bool is_idle(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    bool idle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    idle = disk->nbd.open && disk->nbd.queue.used == 0;
    KeReleaseInStackQueuedSpinLock(&handle);
    return idle;
}

/* Says goodbye, and that nothing more will be sent. */
static NTSTATUS send_disconnect(struct nbd_backend *nbd, const struct wsk_limit *limit)
{
    uint8_t *bytes = nbd->handshake->buffer;
    NTSTATUS status;

    nbd_encode_disconnect(bytes);
    status = wsk_send_all(nbd->socket, &nbd->call, nbd->handshake_mdl, (ULONG)(bytes - (uint8_t *)nbd->handshake),
                          NBD_REQUEST_SIZE, limit);
    return NT_SUCCESS(status) ? wsk_shut_down(nbd->socket, &nbd->call, limit) : status;
}

static bool has_peer_closed(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    bool closed;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    closed = disk->nbd.peer_closed;
    KeReleaseInStackQueuedSpinLock(&handle);
    return closed;
}

/* After goodbye: whether the server has ended its side, too. The receiving goes on until the stream ends or breaks. */
static bool await_end(struct disk *disk, const struct wsk_limit *limit)
{
    struct nbd_backend *nbd = &disk->nbd;
    ULONG offset = (ULONG)(nbd->handshake->buffer - (uint8_t *)nbd->handshake);
    LARGE_INTEGER timeout = {.QuadPart = -(LONGLONG)(wsk_limit_left_ms(limit) * CLOCK_TICKS_PER_MS)};
    NTSTATUS status = STATUS_SUCCESS;

    if (!wait_settled(disk, true, &timeout)) {
        return false;
    }
    while (!has_peer_closed(disk) && NT_SUCCESS(status)) { /* what comes behind a reply that was none */
        status =
            wsk_receive_all(nbd->socket, &nbd->call, nbd->handshake_mdl, offset, sizeof nbd->handshake->buffer, limit);
    }
    return has_peer_closed(disk) || status == STATUS_CONNECTION_DISCONNECTED;
}

void nbd_say_goodbye(struct disk *disk)
{
    struct wsk_limit limit = wsk_limit_in(GOODBYE_MS, NULL);

    if (!NT_SUCCESS(send_disconnect(&disk->nbd, &limit))) {
        log_print(LOG_WARNING, "%s: the server could not be told that it is given up", disk->properties.InstanceName);
    }
}

/* Whether the server closed within that time of being told goodbye. */
static bool end_orderly(struct disk *disk, ULONG timeout_ms)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct wsk_limit limit = wsk_limit_in(timeout_ms, NULL);

    if (!has_peer_closed(disk) && (!NT_SUCCESS(send_disconnect(nbd, &limit)) || !await_end(disk, &limit))) {
        log_print(LOG_WARNING, "%s: the server did not close within %lu ms", disk->properties.InstanceName, timeout_ms);
        return false;
    }
    return true;
}

static void close_socket(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_ended_locked(disk, "it was closed here");
    KeReleaseInStackQueuedSpinLock(&handle);
    wait_settled(disk, false, NULL);
    wsk_close(nbd->socket, &nbd->close_call);
    nbd->socket = NULL;
    wsk_call_recall(&nbd->call);
    wait_settled(disk, true, NULL);
}

/* ---- The disk goes ---- */

void nbd_close(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    if (disk->nbd.socket != NULL) {
        if (is_idle(disk)) {
            end_orderly(disk, ORDERLY_END_MS);
        }
        close_socket(disk);
    }
    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_drain_locked(disk, &done);
    disk->nbd.reset = false;
    disk->nbd.aborting = false;
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
    nbd_complete_resets(disk);
}

/* ---- Another connection is to take its place ---- */

static bool is_unanswered_write(const struct record *record)
{
    enum io_operation operation = record->command.request.operation;
    bool writes = operation == IO_WRITE || operation == IO_TRIM || operation == IO_WRITE_ZEROES;

    return writes && (record->holds & RECORD_ANSWERING) != 0;
}

static bool has_unanswered_writes(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    struct io_request *request;
    uint32_t position = 0;
    bool has = false;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    while (!has && (request = queue_next(&disk->nbd.queue, &position)) != NULL) {
        has = is_unanswered_write(record_of_request(request));
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return has;
}

/* Without the server's FIN the protocol promises nothing of writes it has not answered: it may carry them out later. */
static void fence(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    if (!has_unanswered_writes(disk) || end_orderly(disk, FENCE_MS)) {
        return;
    }
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->nbd.unfenced++;
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* A request that was aborted has ended. One over which one connection after the other ends may be why they do: it
 * fails, and Windows decides whether to send it once more. */
static bool is_given_up_locked(const struct nbd_backend *nbd, struct record *record)
{
    if (record->srb_status != 0) {
        return true;
    }
    return record->holds != 0 && !nbd->broken_off && ++record->replays > REPLAYS_MAX;
}

/* What was sent and not answered waits with the rest to be sent again, whole. */
static void withdraw_locked(struct disk *disk, struct list_link *done)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&nbd->queue, &position)) != NULL) {
        struct record *record = record_of_request(request);

        if (is_given_up_locked(nbd, record)) {
            nbd_drain_one_locked(disk, record, done);
            continue;
        }
        record_restart(record);
        if (record->holds != 0) {
            record->holds = 0;
            list_append(&nbd->waiting, &record->link);
            stats_withdrawn(&disk->stats);
            nbd->replayed++;
        }
    }
}

void nbd_suspend(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    fence(disk);
    close_socket(disk);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (nbd->reset) {
        nbd_drain_locked(disk, &done);
    } else {
        withdraw_locked(disk, &done);
    }
    nbd->reset = false;
    nbd->aborting = false;
    nbd->suspended = true;
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
    nbd_complete_resets(disk);
}
