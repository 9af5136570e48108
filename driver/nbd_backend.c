/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend's memory, a request's way through its holds, and the connection's end. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"
#include "driver/memory.h"
#include "driver/srb.h"
#include "driver/text.h"

#define ORDERLY_END_MS 1000 /* how long the server has to take NBD_CMD_DISC and close */

/* ---- Memory ---- */

static NTSTATUS allocate_sends(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    for (size_t i = 0; i < NBD_SENDS; i++) {
        struct nbd_send *send = &nbd->sends[i];

        send->disk = disk;
        list_init(&send->records);
        send->irp = IoAllocateIrp(1, FALSE);
        if (send->irp == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        list_append(&nbd->free_sends, &send->link);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS allocate_headers(struct nbd_backend *nbd)
{
    nbd->slots = memory_allocate(NBD_DEPTH * sizeof *nbd->slots, TAG_BACKEND);
    nbd->header_bytes = memory_allocate(NBD_DEPTH * sizeof *nbd->header_bytes, TAG_BACKEND);
    nbd->headers = memory_allocate(NBD_DEPTH * sizeof *nbd->headers, TAG_BACKEND);
    if (nbd->slots == NULL || nbd->header_bytes == NULL || nbd->headers == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    queue_init(&nbd->queue, nbd->slots, NBD_DEPTH);
    for (size_t i = 0; i < NBD_DEPTH; i++) {
        MmInitializeMdl(&nbd->headers[i].mdl, nbd->header_bytes[i], NBD_REQUEST_SIZE);
        MmBuildMdlForNonPagedPool(&nbd->headers[i].mdl);
    }
    return STATUS_SUCCESS;
}

/* An MDL for memory of ours. */
static PMDL describe(void *memory, ULONG size)
{
    PMDL mdl = memory != NULL ? IoAllocateMdl(memory, size, FALSE, FALSE, NULL) : NULL;

    if (mdl != NULL) {
        MmBuildMdlForNonPagedPool(mdl);
    }
    return mdl;
}

static NTSTATUS allocate_receive(struct nbd_backend *nbd)
{
    nbd->receive_buffer = memory_allocate(NBD_RECEIVE_BUFFER, TAG_BUFFER);
    nbd->receive_mdl = describe(nbd->receive_buffer, NBD_RECEIVE_BUFFER);
    nbd->receive_irp = IoAllocateIrp(1, FALSE);
    return nbd->receive_mdl != NULL && nbd->receive_irp != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS allocate_thread_memory(struct nbd_backend *nbd)
{
    NTSTATUS status;

    nbd->handshake = memory_allocate(sizeof *nbd->handshake, TAG_BACKEND);
    nbd->handshake_mdl = describe(nbd->handshake, sizeof *nbd->handshake);
    nbd->lookup = memory_allocate(sizeof *nbd->lookup, TAG_BACKEND);
    if (nbd->handshake_mdl == NULL || nbd->lookup == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = wsk_call_init(&nbd->call);
    if (NT_SUCCESS(status)) {
        status = wsk_call_init(&nbd->close_call);
    }
    if (NT_SUCCESS(status)) {
        status = wsk_call_init(&nbd->lookup->call);
    }
    return status;
}

NTSTATUS nbd_allocate(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    NTSTATUS status;

    list_init(&nbd->waiting);
    list_init(&nbd->free_sends);
    list_init(&nbd->resets);
    KeInitializeEvent(&nbd->lost, NotificationEvent, FALSE);
    KeInitializeEvent(&nbd->settled, NotificationEvent, FALSE);
    work_init(&nbd->send_work, nbd_send_work);
    work_init(&nbd->receive_work, nbd_receive_work);
    status = allocate_sends(disk);
    if (NT_SUCCESS(status)) {
        status = allocate_headers(nbd);
    }
    if (NT_SUCCESS(status)) {
        status = allocate_receive(nbd);
    }
    if (NT_SUCCESS(status)) {
        status = allocate_thread_memory(nbd);
    }
    return status;
}

static void free_irp(PIRP irp)
{
    if (irp != NULL) {
        IoFreeIrp(irp);
    }
}

static void free_mdl(PMDL mdl)
{
    if (mdl != NULL) {
        IoFreeMdl(mdl);
    }
}

void nbd_free(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    wsk_call_free(&nbd->close_call);
    wsk_call_free(&nbd->call);
    if (nbd->lookup != NULL) {
        wsk_call_free(&nbd->lookup->call);
    }
    memory_free(nbd->lookup, TAG_BACKEND);
    free_mdl(nbd->handshake_mdl);
    memory_free(nbd->handshake, TAG_BACKEND);
    free_irp(nbd->receive_irp);
    free_mdl(nbd->receive_mdl);
    memory_free(nbd->receive_buffer, TAG_BUFFER);
    memory_free(nbd->headers, TAG_BACKEND);
    memory_free(nbd->header_bytes, TAG_BACKEND);
    memory_free(nbd->slots, TAG_BACKEND);
    for (size_t i = 0; i < NBD_SENDS; i++) {
        free_irp(nbd->sends[i].irp);
    }
}

/* ---- Requests ---- */

static void set_sense(struct record *record, uint8_t key, enum scsi_asc asc)
{
    record->result.status = SCSI_STATUS_CHECK_CONDITION;
    record->result.transferred = 0;
    record->result.sense = sense_make(key, asc);
}

/* The record fails because its connection has ended. Whether the server carried the request out is not known: an
 * aborted command, which Windows tries again. */
static void abort_locked(struct disk *disk, struct record *record)
{
    record->aborted = true;
    if (disk->state == DISK_REMOVING) {
        record->srb_status = SRB_STATUS_NO_DEVICE;
    } else if (disk->nbd.reset) {
        record->srb_status = SRB_STATUS_BUS_RESET;
    } else {
        set_sense(record, SENSE_KEY_ABORTED_COMMAND, ASC_NOT_READY_COMMUNICATION_FAILURE);
    }
}

/* A request that comes when there is no connection: nothing was sent, the disk is not ready. */
static void refuse_locked(struct disk *disk, struct record *record)
{
    if (disk->state == DISK_REMOVING) {
        record->srb_status = SRB_STATUS_NO_DEVICE;
    } else {
        set_sense(record, SENSE_KEY_NOT_READY, ASC_NOT_READY_COMMUNICATION_FAILURE);
    }
}

/* Gives the record's request a slot and lets it wait to be sent. */
static bool queue_locked(struct disk *disk, struct record *record)
{
    struct nbd_backend *nbd = &disk->nbd;

    if (!queue_add(&nbd->queue, &record->command.request)) {
        return false;
    }
    stats_received(&disk->stats, clock_now());
    list_append(&nbd->waiting, &record->link);
    return true;
}

void nbd_submit(struct disk *disk, struct record *record)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;
    bool queued = false;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (disk->state != DISK_READY) {
        refuse_locked(disk, record);
    } else {
        queued = queue_locked(disk, record);
        if (!queued) {
            record->srb_status = SRB_STATUS_BUSY;
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (queued) {
        nbd_pump(disk);
    } else {
        list_append(&done, &record->link);
        nbd_complete(disk, &done);
    }
}

/* Whether the record has another request, an UNMAP's next range; it waits to be sent then. */
static bool next_request_locked(struct disk *disk, struct record *record)
{
    if (record->srb_status != 0 || record->result.status != SCSI_STATUS_GOOD) {
        return false;
    }
    switch (storage_next(&record->command, &record->result.sense)) {
    case STORAGE_DONE:
        return false;
    case STORAGE_REFUSED:
        record->result.status = SCSI_STATUS_CHECK_CONDITION;
        record->result.transferred = 0;
        return false;
    case STORAGE_REQUEST:
        break;
    }
    if (!disk->nbd.open || !queue_locked(disk, record)) {
        abort_locked(disk, record);
        return false;
    }
    return true;
}

void nbd_drop_hold_locked(struct disk *disk, struct record *record, uint32_t hold, struct list_link *done)
{
    record->holds &= ~hold;
    if (record->holds != 0) {
        return;
    }
    queue_take(&disk->nbd.queue, record->command.request.cookie);
    if (!next_request_locked(disk, record)) {
        list_append(done, &record->link);
    }
}

static void complete_one(struct disk *disk, struct record *record)
{
    struct adapter *adapter = disk->adapter;
    enum io_operation operation = record->command.request.operation;

    if (operation == IO_READ || operation == IO_WRITE) {
        MmPrepareMdlForReuse(&record->mdl);
    }
    if (record->srb_status != 0) {
        srb_complete(adapter, record->srb, record->srb_status);
    } else {
        srb_complete_result(adapter, record->srb, &record->result);
    }
}

void nbd_complete(struct disk *disk, struct list_link *done)
{
    struct list_link *link;

    while ((link = list_take_first(done)) != NULL) {
        complete_one(disk, record_of_link(link)); /* the record is Storport's now */
        disk_release(disk);                       /* nbd_submit was given this reference */
    }
}

/* ---- The connection ---- */

bool nbd_enter_locked(struct nbd_backend *nbd)
{
    if (!nbd->open) {
        return false;
    }
    nbd->calls++;
    return true;
}

void nbd_leave_locked(struct nbd_backend *nbd)
{
    if (--nbd->calls == 0) {
        KeSetEvent(&nbd->settled, IO_NO_INCREMENT, FALSE);
    }
}

void nbd_settle(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (--disk->nbd.outstanding == 0) {
        KeSetEvent(&disk->nbd.settled, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
}

void nbd_lost_locked(struct disk *disk, const char *reason)
{
    struct nbd_backend *nbd = &disk->nbd;

    if (!nbd->open) {
        return; /* the first reason is the true one */
    }
    nbd->open = false;
    if (disk->state == DISK_READY) {
        disk->state = DISK_LOST;
    }
    text_format(nbd->reason, sizeof nbd->reason, "%s", reason);
    KeSetEvent(&nbd->lost, IO_NO_INCREMENT, FALSE);
}

void nbd_lost(struct disk *disk, const char *format, ...)
{
    KLOCK_QUEUE_HANDLE handle;
    char reason[sizeof disk->nbd.reason];
    va_list arguments;

    va_start(arguments, format);
    text_format_list(reason, sizeof reason, format, arguments);
    va_end(arguments);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_lost_locked(disk, reason);
    KeReleaseInStackQueuedSpinLock(&handle);
}

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
        abort_locked(disk, record);
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
        disk_release(disk);
    }
}
