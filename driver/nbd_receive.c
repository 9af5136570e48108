/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies from the wire. On each connection one receive is out at any time, into the connection's buffer or, for the
 * rest of a large payload, into the SRB's own pages. Whoever sees it complete processes it and makes the next one: the
 * thread that made the call when WSK completed the IRP before the call returned, WSK's completion otherwise. So there
 * is one receiver at a time and no recursion.
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

static struct scsi_sense sense_of(const struct disk *disk, const struct record *record)
{
    const struct nbd_progress *progress = &record->progress;
    const struct io_request *request = &record->command.request;

    return progress->has_error_offset
               ? nbd_error_sense_at(progress->error, request, progress->error_offset, disk->device.block_size)
               : nbd_error_sense(progress->error, request);
}

static void fail_locked(const struct disk *disk, struct record *record)
{
    struct scsi_sense sense;

    if (storage_error_matters(&record->command)) {
        sense = sense_of(disk, record);
        requests_set_sense(record, &sense);
    }
}

/* Whose reply it is. False: nobody waits for it, and the connection is given up. */
static bool reply_locked(struct nbd_connection *connection)
{
    struct io_request *request = queue_find(&connection->disk->requests.queue, connection->reader.cookie);
    struct record *record = request != NULL ? record_of_request(request) : NULL;

    if (record == NULL || (record->holds & RECORD_ANSWERING) == 0 || record->connection != connection) {
        nbd_ended_locked(connection, "the server answered a request that is not out");
        return false;
    }
    connection->was_large = nbd_is_large_read(request);
    connection->receiving = record;
    nbd_reader_expect(&connection->reader, request, &record->progress);
    return true;
}

/* "Terminating the transmission phase": who is told so leaves. The request goes to another connection. */
static bool is_shutdown_locked(struct nbd_connection *connection, const struct record *record)
{
    if (record->progress.error != NBD_ESHUTDOWN || record->srb_status != 0) {
        return false;
    }
    connection->shutting_down = true;
    nbd_lost_locked(connection, "the server is shutting down");
    return true;
}

/* A whole answer is in. */
static void answered_locked(struct nbd_connection *connection, struct list_link *done)
{
    struct disk *disk = connection->disk;
    struct record *record = connection->receiving;

    if (is_shutdown_locked(connection, record)) {
        return;
    }
    connection->answered = true;
    connection->large_reads -= nbd_is_large_read(&record->command.request);
    if (record->srb_status == SRB_STATUS_ABORTED) {
        stats_late_reply(&disk->stats);
    } else {
        requests_count_answer_locked(disk, record, record->progress.error != 0, clock_precise());
    }
    if (record->progress.error != 0) {
        fail_locked(disk, record);
    }
    requests_drop_hold_locked(disk, record, RECORD_ANSWERING, done);
}

/* ---- What a receive brought ---- */

static uint8_t *data_at(const struct record *record, uint32_t offset)
{
    return record->data + record->command.data_offset + offset;
}

/* The lock is let go for it: the record that is being received stays until it has been answered. */
static void copy(struct nbd_connection *connection, const struct nbd_part *part, KLOCK_QUEUE_HANDLE *handle)
{
    struct disk *disk = connection->disk;

    KeReleaseInStackQueuedSpinLock(handle);
    COUNT(disk->nbd.counters, copies);
    COUNT_MANY(disk->nbd.counters, copied, part->length);
    RtlCopyMemory(data_at(connection->receiving, part->offset), part->bytes, part->length);
    KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
}

static void fill(struct nbd_connection *connection, const struct nbd_part *part, KLOCK_QUEUE_HANDLE *handle)
{
    KeReleaseInStackQueuedSpinLock(handle);
    RtlZeroMemory(data_at(connection->receiving, part->offset), part->length);
    KeAcquireInStackQueuedSpinLock(&connection->disk->lock, handle);
}

/* All replies in `length` bytes of the buffer. */
static void parse_locked(struct nbd_connection *connection, size_t length, KLOCK_QUEUE_HANDLE *handle,
                         struct list_link *done)
{
    const uint8_t *bytes = connection->receive_buffer;
    enum nbd_reader_step step;
    struct nbd_part part;

    while ((step = nbd_reader_step(&connection->reader, &bytes, &length, &part)) != NBD_READER_MORE) {
        switch (step) {
        case NBD_READER_MORE:
            break;
        case NBD_READER_EXTENT:
            storage_extent(&connection->receiving->command, part.extent_length,
                           (part.extent_flags & NBD_STATE_HOLE) == 0);
            break;
        case NBD_READER_REPLY:
            if (!reply_locked(connection)) {
                return;
            }
            break;
        case NBD_READER_DATA:
            copy(connection, &part, handle);
            break;
        case NBD_READER_HOLE:
            fill(connection, &part, handle);
            break;
        case NBD_READER_DONE:
            answered_locked(connection, done);
            break;
        case NBD_READER_BAD:
            nbd_ended_locked(connection, connection->reader.broken);
            return;
        }
    }
}

static void process(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;
    NTSTATUS status = connection->receive_irp->IoStatus.Status;
    size_t length = connection->receive_irp->IoStatus.Information;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    if (!NT_SUCCESS(status)) {
        nbd_lost(connection, "receiving failed with status 0x%08lx", status);
    }
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!NT_SUCCESS(status)) {
        connection->listening = false;
    } else if (length == 0) {
        connection->peer_closed = true;
        nbd_ended_locked(connection, "the server closed the connection");
    } else if (connection->direct) {
        COUNT(disk->nbd.counters, direct);
        nbd_reader_received(&connection->reader, (uint32_t)length);
        parse_locked(connection, 0, &handle, &done);
    } else {
        parse_locked(connection, length, &handle, &done);
    }
    nbd_pump_locked(disk, &handle); /* more of a transfer, or an UNMAP's next range, may wait */
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
}

/* ---- The receive ---- */

/* Whether large payload may come: at depth 1 the receive is called before the request it will answer is known, which is
 * then taken for one like the last. */
static bool large_may_come_locked(const struct nbd_connection *connection)
{
    return connection->large_reads != 0 || connection->was_large;
}

/* Where the next bytes go. While large payload may come, little more than the next header: the rest of it is to be
 * received where it belongs, not copied there. Small replies beside it cost a receive each then. */
static void choose_locked(struct nbd_connection *connection, WSK_BUF *buffer, ULONG *flags)
{
    uint32_t payload = nbd_reader_payload(&connection->reader);

    C_ASSERT(NBD_LARGE_MIN <= NBD_RECEIVE_BUFFER);
    C_ASSERT(STORAGE_COMPARE_MAX < NBD_DIRECT_MIN); /* such a read has no pages */
    connection->direct = payload >= NBD_DIRECT_MIN;
    if (connection->direct) {
        buffer->Mdl = &connection->receiving->mdl;
        buffer->Offset = connection->reader.payload_offset;
        buffer->Length = payload;
        *flags = WSK_FLAG_WAITALL;
    } else {
        buffer->Mdl = connection->receive_mdl;
        buffer->Offset = 0;
        buffer->Length = large_may_come_locked(connection) ? payload + NBD_MIXED_MAX : NBD_RECEIVE_BUFFER;
        *flags = 0;
    }
}

static NTSTATUS NTAPI receive_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct nbd_connection *connection = context;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    if (InterlockedExchange(&connection->receive_phase, RECEIVE_COMPLETED) == RECEIVE_RETURNED) {
        process(connection);
        nbd_receive(connection);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static enum receive_outcome call(struct nbd_connection *connection, WSK_BUF *buffer, ULONG flags)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = connection->socket->Dispatch;

    COUNT(connection->disk->nbd.counters, receives);
    IoReuseIrp(connection->receive_irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(connection->receive_irp, receive_completed, connection, TRUE, TRUE, TRUE);
    InterlockedExchange(&connection->receive_phase, RECEIVE_CALLED);
    dispatch->WskReceive(connection->socket, buffer, flags, connection->receive_irp);
    return InterlockedExchange(&connection->receive_phase, RECEIVE_RETURNED) == RECEIVE_COMPLETED ? RECEIVE_DONE
                                                                                                  : RECEIVE_PENDING;
}

static enum receive_outcome receive_once(struct nbd_connection *connection)
{
    struct disk *disk = connection->disk;
    KLOCK_QUEUE_HANDLE handle;
    enum receive_outcome outcome;
    WSK_BUF buffer;
    ULONG flags;
    bool entered;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    entered = connection->listening;
    if (entered) {
        nbd_enter_locked(connection);
        choose_locked(connection, &buffer, &flags);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (!entered) {
        return RECEIVE_CLOSED;
    }
    outcome = call(connection, &buffer, flags);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_leave_locked(connection);
    KeReleaseInStackQueuedSpinLock(&handle);
    return outcome;
}

void nbd_receive(struct nbd_connection *connection)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        switch (receive_once(connection)) {
        case RECEIVE_PENDING:
            return; /* the completion goes on; the disk may be gone by now */
        case RECEIVE_CLOSED:
            nbd_settle(connection);
            return;
        case RECEIVE_DONE:
            process(connection);
            break;
        }
    }
    COUNT(connection->disk->nbd.counters, handovers);
    worker_queue(&connection->disk->adapter->worker, &connection->receive_work);
}

void nbd_receive_work(struct work *work)
{
    nbd_receive(list_member(work, struct nbd_connection, receive_work));
}
