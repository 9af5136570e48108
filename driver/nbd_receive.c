/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies from the wire. One receive is out at any time, into the backend's buffer or, for the rest of a large payload,
 * into the SRB's own pages. Whoever sees it complete processes it and makes the next one: the thread that made the call
 * when WSK completed the IRP before the call returned, WSK's completion otherwise. So there is one receiver at a time
 * and no recursion.
 */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"

#define ROUNDS_MAX 16 /* receives in a row by one thread; the worker goes on then */

enum receive_phase {
    RECEIVE_CALLED,    /* the call has not returned and the IRP is not back */
    RECEIVE_RETURNED,  /* the call came first: the completion processes */
    RECEIVE_COMPLETED, /* the IRP came first: the caller processes */
};

enum receive_outcome {
    RECEIVE_PENDING,
    RECEIVE_DONE,
    RECEIVE_CLOSED, /* the stream has ended: nothing was called */
};

/* ---- Replies ---- */

static void reply_failed_locked(struct nbd_backend *nbd, struct record *record)
{
    if (!storage_error_matters(&record->command)) {
        return;
    }
    record->result.status = SCSI_STATUS_CHECK_CONDITION;
    record->result.transferred = 0;
    record->result.sense = nbd_error_sense(nbd->reader.error, &record->command.request);
}

/* A whole answer is in. */
static void answered_locked(struct disk *disk, const struct record *record)
{
    disk->nbd.answered = true;
    if (record->srb_status == SRB_STATUS_ABORTED) {
        stats_late_reply(&disk->stats);
    } else {
        stats_replied(&disk->stats, clock_now());
    }
}

/* False: nobody waits for it, and the connection is given up. */
static bool reply_locked(struct disk *disk, struct list_link *done)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct io_request *request = queue_find(&nbd->queue, nbd->reader.cookie);
    struct record *record = request != NULL ? record_of_request(request) : NULL;

    if (record == NULL || (record->holds & RECORD_ANSWERING) == 0) {
        nbd_ended_locked(disk, "the server answered a request that is not out");
        return false;
    }
    if (nbd->reader.error == 0 && request->operation == IO_READ) {
        record->holds |= RECORD_RECEIVING;
        nbd->was_large = request->length >= NBD_LARGE_MIN;
        nbd->receiving = record;
        nbd_reader_expect(&nbd->reader, request->length);
    } else {
        answered_locked(disk, record);
    }
    if (nbd->reader.error != 0) {
        reply_failed_locked(nbd, record);
    }
    nbd_drop_hold_locked(disk, record, RECORD_ANSWERING, done);
    return true;
}

/* After some payload has arrived. */
static void payload_locked(struct disk *disk, struct list_link *done)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct record *record = nbd->receiving;

    if (nbd->reader.payload_left == 0) {
        nbd->receiving = NULL;
        answered_locked(disk, record);
        nbd_drop_hold_locked(disk, record, RECORD_RECEIVING, done);
    }
}

/* ---- What a receive brought ---- */

/* The record that is being received is ours until RECORD_RECEIVING is dropped. */
static void copy(const struct nbd_backend *nbd, const struct nbd_chunk *chunk)
{
    const struct record *record = nbd->receiving;

    RtlCopyMemory(record->data + record->command.data_offset + chunk->offset, chunk->bytes, chunk->length);
}

/* All replies in the buffer: the lock is let go only to copy payload. */
static void parse_locked(struct disk *disk, size_t length, KLOCK_QUEUE_HANDLE *handle, struct list_link *done)
{
    struct nbd_backend *nbd = &disk->nbd;
    const uint8_t *bytes = nbd->receive_buffer;
    struct nbd_chunk chunk;

    while (length != 0) {
        switch (nbd_reader_step(&nbd->reader, &bytes, &length, &chunk)) {
        case NBD_READER_MORE:
            break;
        case NBD_READER_REPLY:
            if (!reply_locked(disk, done)) {
                return;
            }
            break;
        case NBD_READER_DATA:
            KeReleaseInStackQueuedSpinLock(handle);
            COUNT(nbd->counters, copies);
            COUNT_MANY(nbd->counters, copied, chunk.length);
            copy(nbd, &chunk);
            KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
            payload_locked(disk, done);
            break;
        case NBD_READER_BAD:
            nbd_ended_locked(disk, nbd->reader.broken);
            return;
        }
    }
}

static void process(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    NTSTATUS status = nbd->receive_irp->IoStatus.Status;
    size_t length = nbd->receive_irp->IoStatus.Information;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    if (!NT_SUCCESS(status)) {
        nbd_lost(disk, "receiving failed with status 0x%08lx", status);
    }
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!NT_SUCCESS(status)) {
        nbd->listening = false;
    } else if (length == 0) {
        nbd->peer_closed = true;
        nbd_ended_locked(disk, "the server closed the connection");
    } else if (nbd->direct) {
        COUNT(nbd->counters, direct);
        nbd_reader_received(&nbd->reader, (uint32_t)length);
        payload_locked(disk, &done);
    } else {
        parse_locked(disk, length, &handle, &done);
    }
    nbd_pump_locked(disk, &handle); /* more of a transfer, or an UNMAP's next range, may wait */
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
}

/* ---- The receive ---- */

/* Whether large payload may come: at depth 1 the receive is called before the request it will answer is known, which is
 * then taken for one like the last. */
static bool large_may_come_locked(const struct nbd_backend *nbd)
{
    return nbd->large_reads != 0 || nbd->was_large;
}

/* Where the next bytes go. While large payload may come, little more than the next header: the rest of it is to be
 * received where it belongs, not copied there. Small replies beside it cost a receive each then. */
static void choose_locked(struct nbd_backend *nbd, WSK_BUF *buffer, ULONG *flags)
{
    C_ASSERT(NBD_LARGE_MIN <= NBD_RECEIVE_BUFFER);
    nbd->direct = nbd->reader.payload_left >= NBD_DIRECT_MIN;
    if (nbd->direct) {
        buffer->Mdl = &nbd->receiving->mdl;
        buffer->Offset = nbd->reader.payload_offset;
        buffer->Length = nbd->reader.payload_left;
        *flags = WSK_FLAG_WAITALL;
    } else {
        buffer->Mdl = nbd->receive_mdl;
        buffer->Offset = 0;
        buffer->Length = large_may_come_locked(nbd) ? nbd->reader.payload_left + NBD_MIXED_MAX : NBD_RECEIVE_BUFFER;
        *flags = 0;
    }
}

static NTSTATUS NTAPI receive_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct disk *disk = context;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    if (InterlockedExchange(&disk->nbd.receive_phase, RECEIVE_COMPLETED) == RECEIVE_RETURNED) {
        process(disk);
        nbd_receive(disk);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static enum receive_outcome call(struct disk *disk, WSK_BUF *buffer, ULONG flags)
{
    struct nbd_backend *nbd = &disk->nbd;
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = nbd->socket->Dispatch;

    COUNT(nbd->counters, receives);
    IoReuseIrp(nbd->receive_irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(nbd->receive_irp, receive_completed, disk, TRUE, TRUE, TRUE);
    InterlockedExchange(&nbd->receive_phase, RECEIVE_CALLED);
    dispatch->WskReceive(nbd->socket, buffer, flags, nbd->receive_irp);
    return InterlockedExchange(&nbd->receive_phase, RECEIVE_RETURNED) == RECEIVE_COMPLETED ? RECEIVE_DONE
                                                                                           : RECEIVE_PENDING;
}

static enum receive_outcome receive_once(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    enum receive_outcome outcome;
    WSK_BUF buffer;
    ULONG flags;
    bool entered;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    entered = disk->nbd.listening;
    if (entered) {
        nbd_enter_locked(&disk->nbd);
        choose_locked(&disk->nbd, &buffer, &flags);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (!entered) {
        return RECEIVE_CLOSED;
    }
    outcome = call(disk, &buffer, flags);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_leave_locked(&disk->nbd);
    KeReleaseInStackQueuedSpinLock(&handle);
    return outcome;
}

void nbd_receive(struct disk *disk)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        switch (receive_once(disk)) {
        case RECEIVE_PENDING:
            return; /* the completion goes on; the disk may be gone by now */
        case RECEIVE_CLOSED:
            nbd_settle(disk);
            return;
        case RECEIVE_DONE:
            process(disk);
            break;
        }
    }
    COUNT(disk->nbd.counters, handovers);
    worker_queue(&disk->adapter->worker, &disk->nbd.receive_work);
}

void nbd_receive_work(struct work *work)
{
    nbd_receive(list_member(work, struct disk, nbd.receive_work));
}
