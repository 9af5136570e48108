/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request's way through the backend, and how it learns that the connection is gone. */
#include "driver/nbd.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/srb.h"
#include "driver/text.h"

/* ---- Requests ---- */

static void set_sense(struct record *record, uint8_t key, enum scsi_asc asc)
{
    record->result.status = SCSI_STATUS_CHECK_CONDITION;
    record->result.transferred = 0;
    record->result.sense = sense_make(key, asc);
}

/* The record fails because its connection has ended. Whether the server carried the request out is not known: an
 * aborted command, which Windows tries again. */
static void set_ended_locked(struct disk *disk, struct record *record)
{
    if (disk->state == DISK_REMOVING) {
        record->srb_status = SRB_STATUS_NO_DEVICE;
    } else if (disk->nbd.reset) {
        record->srb_status = disk->nbd.reset_status;
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

/* Gives the slot back. */
static void unqueue_locked(struct nbd_backend *nbd, struct record *record)
{
    queue_take(&nbd->queue, record->command.request.cookie);
}

/* The record is out of the queue, if it was ever in it. */
static void to_complete_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    InterlockedIncrement(&disk->nbd.completing);
    list_append(done, &record->link);
}

void nbd_submit(struct disk *disk, struct record *record)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!disk_takes_requests(disk->state)) {
        refuse_locked(disk, record);
        to_complete_locked(disk, record, &done);
    } else if (!queue_locked(disk, record)) {
        record->srb_status = SRB_STATUS_BUSY;
        to_complete_locked(disk, record, &done);
    }
    nbd_pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
}

/* From the pages of one request to those of the next; what a WRITE AND VERIFY reads when it has written, stays here. */
static void change_pages(struct record *record)
{
    record_unmap_pages(record);
    if (record_has_pages(record)) {
        record_map_pages(record);
    } else {
        record_init_compare(record);
    }
}

/* Whether the record has another request, an UNMAP's next range or more of a transfer; it waits to be sent then. */
static bool next_request_locked(struct disk *disk, struct record *record)
{
    bool had_pages = record_has_pages(record);

    if (record->srb_status != 0 || record->result.status != SCSI_STATUS_GOOD) {
        return false;
    }
    switch (storage_next(&record->command, &record->result.sense)) {
    case STORAGE_DONE:
        record_finish(record);
        return false;
    case STORAGE_REFUSED:
        record->result.status = SCSI_STATUS_CHECK_CONDITION;
        record->result.transferred = 0;
        return false;
    case STORAGE_REQUEST:
        break;
    }
    if (had_pages && record_has_data(record)) { /* a flush has none and needs no pages */
        change_pages(record);
    }
    if (!disk_takes_requests(disk->state) || !queue_locked(disk, record)) {
        set_ended_locked(disk, record);
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
    unqueue_locked(&disk->nbd, record);
    if (!next_request_locked(disk, record)) {
        to_complete_locked(disk, record, done);
    }
}

static void complete_one(struct disk *disk, struct record *record)
{
    struct adapter *adapter = disk->adapter;

    if (record_has_pages(record)) {
        record_unmap_pages(record);
    }
    if (record->srb_status != 0) {
        srb_complete(adapter, record->srb, record->srb_status);
    } else {
        srb_complete_result(adapter, record->srb, &record->result);
    }
}

/* A look without the lock, which is not to be taken for each completion. */
static bool seems_to_have_resets(const struct nbd_backend *nbd)
{
    return *(struct list_link *const volatile *)&nbd->resets.next != &nbd->resets;
}

void nbd_complete(struct disk *disk, struct list_link *done)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct list_link *link;
    LONG count = 0;

    while ((link = list_take_first(done)) != NULL) {
        complete_one(disk, record_of_link(link)); /* the record is Storport's now */
        count++;
    }
    /* A reset that found these on their way is on its list by now, or will look at the count after it has got there. */
    if (count != 0 && InterlockedExchangeAdd(&nbd->completing, -count) == count && seems_to_have_resets(nbd)) {
        nbd_complete_resets(disk);
    }
}

void nbd_complete_resets(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link resets;
    struct list_link *link;

    list_init(&resets);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!nbd->reset && nbd->aborting == 0 && nbd->completing == 0) {
        list_move_all(&resets, &nbd->resets);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    while ((link = list_take_first(&resets)) != NULL) {
        srb_complete(disk->adapter, record_of_link(link)->srb, SRB_STATUS_SUCCESS);
    }
}

static void count_aborted_locked(struct disk *disk, const struct record *record)
{
    if (record->holds == 0) {
        stats_aborted_unsubmitted(&disk->stats);
    } else {
        stats_aborted_submitted(&disk->stats);
    }
}

void nbd_mark_aborted_locked(struct disk *disk, struct record *record)
{
    record->srb_status = SRB_STATUS_ABORTED;
    count_aborted_locked(disk, record);
}

void nbd_drain_one_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    if (record->holds == 0) {
        list_remove(&record->link); /* from `waiting` */
    }
    if (record->srb_status == 0) {
        set_ended_locked(disk, record);
        count_aborted_locked(disk, record);
    }
    unqueue_locked(&disk->nbd, record);
    to_complete_locked(disk, record, done);
}

void nbd_drain_locked(struct disk *disk, struct list_link *done)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->nbd.queue, &position)) != NULL) {
        nbd_drain_one_locked(disk, record_of_request(request), done);
    }
}

void nbd_fail_waiting(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->state = DISK_LOST;
    nbd_drain_locked(disk, &done);
    KeReleaseInStackQueuedSpinLock(&handle);
    nbd_complete(disk, &done);
}
