/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to the wire. One thread at a time takes what waits, as much as one send may hold, and hands it to WSK over a
 * connection; who comes meanwhile takes another connection, or leaves its request on the list. So a completion that WSK
 * runs inside WskSend, or a StartIo that Storport runs inside a completion, goes no deeper than there are connections,
 * and only as long as there is stack.
 */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"

#define STACK_MIN   (10 << 10) /* WskSend and everything below it, down to the network driver */
#define BATCHES_MAX 64         /* by one thread at a time; the worker goes on then */

static uint32_t wire_bytes(const struct nbd_connection *connection, const struct io_request *request)
{
    return nbd_request_size(connection->terms.form) + (request->operation == IO_WRITE ? request->length : 0);
}

/* The MDL of the request's header, made when the header has another size than the last one in this slot: the first
 * time, or because the server has another form of them. */
static PMDL encode(struct nbd_connection *connection, const struct io_request *request)
{
    struct nbd_backend *nbd = &connection->disk->nbd;
    uint32_t slot = queue_slot(request->cookie);
    PMDL mdl = &nbd->headers[slot].mdl;
    uint32_t size = nbd_encode_request(nbd->header_bytes[slot], request, connection->terms.form);

    if (MmGetMdlByteCount(mdl) != size) {
        MmInitializeMdl(mdl, nbd->header_bytes[slot], size);
        MmBuildMdlForNonPagedPool(mdl);
    }
    return mdl;
}

/* Chains a record's header, and its data if it has any, behind `tail`; answers the new tail. */
static PMDL *chain(struct nbd_connection *connection, struct record *record, PMDL *tail)
{
    PMDL header = encode(connection, &record->command.request);

    *tail = header;
    header->Next = NULL;
    if (record->command.request.operation != IO_WRITE) {
        return &header->Next;
    }
    header->Next = &record->mdl;
    record->mdl.Next = NULL;
    return &record->mdl.Next;
}

static bool fits(const struct nbd_send *send, const struct record *record)
{
    const struct nbd_connection *connection = send->connection;

    return send->bytes == 0 ||
           connection->bytes_out + send->bytes + wire_bytes(connection, &record->command.request) <= NBD_SEND_BYTES_MAX;
}

/* The record leaves over the connection. */
static void submit_locked(struct nbd_connection *connection, struct record *record)
{
    record->holds = RECORD_SENDING | RECORD_ANSWERING;
    record->connection = connection;
    nbd_progress_init(&record->progress);
    connection->large_reads += nbd_is_large_read(&record->command.request);
}

/* Moves what waits into `send`, and describes it in `buffer`. */
static void fill_locked(struct nbd_send *send, WSK_BUF *buffer)
{
    struct nbd_connection *connection = send->connection;
    struct disk *disk = connection->disk;
    PMDL *tail = &buffer->Mdl;
    uint64_t now = clock_now();

    send->bytes = 0;
    for (size_t i = 0; i < NBD_BATCH_MAX && !list_is_empty(&disk->requests.waiting); i++) {
        struct record *record = record_of_link(disk->requests.waiting.next);

        if (!fits(send, record)) {
            break;
        }
        list_remove(&record->link);
        list_append(&send->records, &record->link);
        submit_locked(connection, record);
        tail = chain(connection, record, tail);
        send->bytes += wire_bytes(connection, &record->command.request);
        stats_submitted(&disk->stats, now);
    }
    connection->bytes_out += send->bytes;
    buffer->Offset = 0;
    buffer->Length = send->bytes;
}

static bool can_send(const struct nbd_connection *connection)
{
    return connection->state == NBD_OPEN && !connection->pumping && !list_is_empty(&connection->free_sends) &&
           connection->bytes_out < NBD_SEND_BYTES_MAX;
}

/* The connection whose turn it is, or the next one that is free; NULL. A search, but usually of one step, and of
 * NBD_CONNECTIONS_MAX at most. */
static struct nbd_connection *choose_locked(struct nbd_backend *nbd)
{
    for (uint32_t i = 0; i < nbd->count; i++) {
        struct nbd_connection *connection = nbd->connections[nbd->next];

        nbd->next = nbd->next + 1 < nbd->count ? nbd->next + 1 : 0;
        if (can_send(connection)) {
            return connection;
        }
    }
    return NULL;
}

/* The next send, with its connection entered; NULL when there is none to be made now. */
static struct nbd_send *take_batch_locked(struct disk *disk, WSK_BUF *buffer)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct nbd_connection *connection = list_is_empty(&disk->requests.waiting) ? NULL : choose_locked(nbd);
    struct nbd_send *send;

    if (connection == NULL) {
        return NULL;
    }
    nbd_enter_locked(connection);
    connection->pumping = true;
    connection->outstanding++;
    COUNT(nbd->counters, sends);
    send = list_member(list_take_first(&connection->free_sends), struct nbd_send, link);
    fill_locked(send, buffer);
    return send;
}

/* What the send carried was acknowledged or has failed; either way WSK does not read it any more. */
static void give_back_locked(struct nbd_send *send, struct list_link *done)
{
    struct nbd_connection *connection = send->connection;
    struct list_link *link;

    while ((link = list_take_first(&send->records)) != NULL) {
        requests_drop_hold_locked(connection->disk, record_of_link(link), RECORD_SENDING, done);
    }
    connection->bytes_out -= send->bytes;
    list_append(&connection->free_sends, &send->link);
}

static NTSTATUS NTAPI send_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct nbd_send *send = context;
    struct nbd_connection *connection = send->connection;
    struct disk *disk = connection->disk;
    NTSTATUS status = irp->IoStatus.Status;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;
    bool nothing_done;

    UNREFERENCED_PARAMETER(device);
    list_init(&done);
    if (!NT_SUCCESS(status) || irp->IoStatus.Information != send->bytes) {
        nbd_lost(connection, "sending failed with status 0x%08lx", status);
    }
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    give_back_locked(send, &done);
    nbd_pump_locked(disk, &handle);
    nothing_done = list_is_empty(&done);
    if (nothing_done) { /* the usual case: the answers come later */
        nbd_settle_locked(connection);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (!nothing_done) {
        requests_complete(disk, &done);
        nbd_settle(connection);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void issue(struct nbd_send *send, WSK_BUF *buffer)
{
    PWSK_SOCKET socket = send->connection->socket;
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

/* One send. The connection stays while it is entered; of the send nothing is known any more once WSK has it. */
static void send_batch(struct disk *disk, struct nbd_send *send, WSK_BUF *buffer, KLOCK_QUEUE_HANDLE *handle)
{
    struct nbd_connection *connection = send->connection;

    KeReleaseInStackQueuedSpinLock(handle);
    issue(send, buffer);
    KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
    connection->pumping = false;
    nbd_leave_locked(connection);
}

void nbd_pump_locked(struct disk *disk, KLOCK_QUEUE_HANDLE *handle)
{
    struct nbd_send *send = NULL;
    unsigned batches = 0;
    WSK_BUF buffer;

    if (list_is_empty(&disk->requests.waiting) || disk->nbd.open == 0) {
        return;
    }
    if (IoGetRemainingStackSize() < STACK_MIN) {
        hand_over(disk);
        return;
    }
    while (batches++ < BATCHES_MAX && (send = take_batch_locked(disk, &buffer)) != NULL) {
        send_batch(disk, send, &buffer, handle);
    }
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
