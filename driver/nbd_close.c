/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection's beginning and end, on the disk's thread. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"
#include "driver/srb.h"

#define ORDERLY_END_MS 1000 /* how long the server has to take NBD_CMD_DISC and close */

void nbd_open(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;

    nbd_reader_init(&nbd->reader);
    nbd->receiving = NULL;
    KeClearEvent(&nbd->lost);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd->open = true;
    nbd->reset = false;
    nbd->outstanding = 1; /* the receiving */
    disk->state = DISK_READY;
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

/* Says goodbye and waits for the server to close, which ends the receiving. */
static void end_orderly(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct wsk_limit limit = wsk_limit_in(ORDERLY_END_MS, NULL);
    LARGE_INTEGER timeout = {.QuadPart = -(LONGLONG)(ORDERLY_END_MS * CLOCK_TICKS_PER_MS)};
    uint8_t *bytes = nbd->handshake->buffer;
    NTSTATUS status;

    nbd_encode_disconnect(bytes);
    status = wsk_send_all(nbd->socket, &nbd->call, nbd->handshake_mdl, (ULONG)(bytes - (uint8_t *)nbd->handshake),
                          NBD_REQUEST_SIZE, &limit);
    if (NT_SUCCESS(status)) {
        status = wsk_shut_down(nbd->socket, &nbd->call, &limit);
    }
    if (!NT_SUCCESS(status) || !wait_settled(disk, true, &timeout)) {
        log_print(LOG_WARNING, "%s: the server did not close within %u ms", disk->properties.InstanceName,
                  ORDERLY_END_MS);
    }
}

/* Takes everything that is left out of the queue. WSK has given every IRP back and the receiving has ended. */
static void drain(struct disk *disk, struct list_link *done, struct list_link *resets)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    struct io_request *request;
    uint32_t position = 0;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    while ((request = queue_next(&nbd->queue, &position)) != NULL) {
        struct record *record = record_of_request(request);

        if (record->holds == 0) {
            list_remove(&record->link); /* from `waiting` */
            stats_aborted_unsubmitted(&disk->stats);
        } else {
            stats_aborted_submitted(&disk->stats);
        }
        queue_take(&nbd->queue, request->cookie);
        nbd_abort_locked(disk, record);
        list_append(done, &record->link);
    }
    list_move_all(resets, &nbd->resets);
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void close_socket(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    wait_settled(disk, false, NULL);
    wsk_close(nbd->socket, &nbd->close_call);
    nbd->socket = NULL;
    wsk_call_recall(&nbd->call);
    wait_settled(disk, true, NULL);
}

void nbd_close(struct disk *disk, bool orderly)
{
    struct list_link done;
    struct list_link resets;
    struct list_link *link;

    list_init(&done);
    list_init(&resets);
    if (disk->nbd.socket != NULL) {
        if (orderly && is_idle(disk)) {
            end_orderly(disk);
        }
        nbd_lost(disk, "it was closed here");
        close_socket(disk);
    }
    drain(disk, &done, &resets);
    nbd_complete(disk, &done);
    while ((link = list_take_first(&resets)) != NULL) {
        srb_complete(disk->adapter, record_of_link(link)->srb, SRB_STATUS_SUCCESS);
    }
}
