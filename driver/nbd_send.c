/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to the wire. One thread at a time takes what waits, as much as one send may hold, and hands it to WSK; who
 * comes meanwhile leaves its request on the list. So a completion that WSK runs inside WskSend, or a StartIo that
 * Storport runs inside a completion, never goes deeper.
 */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"

#define STACK_MIN   (10 << 10) /* WskSend and everything below it, down to the network driver */
#define BATCHES_MAX 64         /* by one thread at a time; the worker goes on then */

static uint32_t wire_bytes(const struct io_request *request)
{
    return NBD_REQUEST_SIZE + (request->operation == IO_WRITE ? request->length : 0);
}

/* Chains a record's header, and its data if it has any, behind `tail`; answers the new tail. */
static PMDL *chain(struct nbd_backend *nbd, struct record *record, PMDL *tail)
{
    const struct io_request *request = &record->command.request;
    uint32_t slot = queue_slot(request->cookie);
    PMDL header = &nbd->headers[slot].mdl;

    nbd_encode_request(nbd->header_bytes[slot], request, NBD_SIMPLE);
    nbd_progress_init(&record->progress);
    *tail = header;
    header->Next = NULL;
    if (request->operation != IO_WRITE) {
        return &header->Next;
    }
    header->Next = &record->mdl;
    record->mdl.Next = NULL;
    return &record->mdl.Next;
}

static bool fits(const struct nbd_backend *nbd, const struct nbd_send *send, const struct record *record)
{
    return send->bytes == 0 ||
           nbd->bytes_out + send->bytes + wire_bytes(&record->command.request) <= NBD_SEND_BYTES_MAX;
}

/* Moves what waits into `send`, and describes it in `buffer`. */
static void fill_locked(struct disk *disk, struct nbd_send *send, WSK_BUF *buffer)
{
    struct nbd_backend *nbd = &disk->nbd;
    PMDL *tail = &buffer->Mdl;
    uint64_t now = clock_now();

    send->bytes = 0;
    for (size_t i = 0; i < NBD_BATCH_MAX && !list_is_empty(&nbd->waiting); i++) {
        struct record *record = record_of_link(nbd->waiting.next);

        if (!fits(nbd, send, record)) {
            break;
        }
        list_remove(&record->link);
        list_append(&send->records, &record->link);
        record->holds = RECORD_SENDING | RECORD_ANSWERING;
        tail = chain(nbd, record, tail);
        send->bytes += wire_bytes(&record->command.request);
        stats_submitted(&disk->stats, now);
    }
    nbd->bytes_out += send->bytes;
    buffer->Offset = 0;
    buffer->Length = send->bytes;
}

/* The next send, with the connection entered; NULL when there is none to be made now. */
static struct nbd_send *take_batch_locked(struct disk *disk, WSK_BUF *buffer)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct nbd_send *send;

    if (!nbd->open || list_is_empty(&nbd->waiting) || list_is_empty(&nbd->free_sends) ||
        nbd->bytes_out >= NBD_SEND_BYTES_MAX) {
        return NULL;
    }
    nbd_enter_locked(nbd);
    nbd->outstanding++;
    COUNT(nbd->counters, sends);
    send = list_member(list_take_first(&nbd->free_sends), struct nbd_send, link);
    fill_locked(disk, send, buffer);
    return send;
}

/* What the send carried was acknowledged or has failed; either way WSK does not read it any more. */
static void give_back_locked(struct disk *disk, struct nbd_send *send, struct list_link *done)
{
    struct list_link *link;

    while ((link = list_take_first(&send->records)) != NULL) {
        nbd_drop_hold_locked(disk, record_of_link(link), RECORD_SENDING, done);
    }
    disk->nbd.bytes_out -= send->bytes;
    list_append(&disk->nbd.free_sends, &send->link);
}

static NTSTATUS NTAPI send_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct nbd_send *send = context;
    struct disk *disk = send->disk;
    NTSTATUS status = irp->IoStatus.Status;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;
    bool nothing_done;

    UNREFERENCED_PARAMETER(device);
    list_init(&done);
    if (!NT_SUCCESS(status) || irp->IoStatus.Information != send->bytes) {
        nbd_lost(disk, "sending failed with status 0x%08lx", status);
    }
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    give_back_locked(disk, send, &done);
    nbd_pump_locked(disk, &handle);
    nothing_done = list_is_empty(&done);
    if (nothing_done) { /* the usual case: the answers come later */
        nbd_settle_locked(&disk->nbd);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (!nothing_done) {
        nbd_complete(disk, &done);
        nbd_settle(disk);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void issue(struct nbd_send *send, WSK_BUF *buffer)
{
    PWSK_SOCKET socket = send->disk->nbd.socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;

    IoReuseIrp(send->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(send->irp, send_completed, send, TRUE, TRUE, TRUE);
    /* The answer does not matter: WSK completes the IRP in any case. */
    dispatch->WskSend(socket, buffer, WSK_FLAG_NODELAY, send->irp);
}

/* Lets the worker go on, with a reference of its own. */
static void hand_over(struct disk *disk)
{
    disk_reference(disk);
    COUNT(disk->nbd.counters, handovers);
    if (!worker_queue(&disk->adapter->worker, &disk->nbd.send_work)) {
        disk_release(disk);
    }
}

void nbd_pump_locked(struct disk *disk, KLOCK_QUEUE_HANDLE *handle)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct nbd_send *send = NULL;
    unsigned batches = 0;
    WSK_BUF buffer;

    if (nbd->pumping || list_is_empty(&nbd->waiting)) {
        return;
    }
    if (IoGetRemainingStackSize() < STACK_MIN) {
        hand_over(disk);
        return;
    }
    nbd->pumping = true;
    while (batches++ < BATCHES_MAX && (send = take_batch_locked(disk, &buffer)) != NULL) {
        KeReleaseInStackQueuedSpinLock(handle);
        issue(send, &buffer);
        KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
        nbd_leave_locked(nbd);
    }
    nbd->pumping = false;
    if (send != NULL) { /* the limit ended the loop: there may be more */
        hand_over(disk);
    }
}

void nbd_send_work(struct work *work)
{
    struct disk *disk = list_member(work, struct disk, nbd.send_work);
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    disk_release(disk);
}
