/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/requests.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/memory.h"
#include "driver/srb.h"

NTSTATUS requests_allocate(struct disk *disk, uint32_t depth)
{
    struct requests *requests = &disk->requests;

    list_init(&requests->waiting);
    list_init(&requests->resets);
    requests->slots = memory_allocate(depth * sizeof *requests->slots, TAG_BACKEND);
    if (requests->slots == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    queue_init(&requests->queue, requests->slots, depth);
    return STATUS_SUCCESS;
}

void requests_free(struct disk *disk)
{
    memory_free(disk->requests.slots, TAG_BACKEND);
}

/* ---- In ---- */

static void set_sense(struct record *record, uint8_t key, enum scsi_asc asc)
{
    struct scsi_sense sense = sense_make(key, asc);

    requests_set_sense(record, &sense);
}

/* The record fails because its connection has ended. Whether the server carried the request out is not known: an
 * aborted command, which Windows tries again. */
static void set_ended_locked(struct disk *disk, struct record *record)
{
    if (disk->state == DISK_REMOVING) {
        record->srb_status = SRB_STATUS_NO_DEVICE;
    } else if (disk->requests.reset) {
        record->srb_status = disk->requests.reset_status;
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
    struct requests *requests = &disk->requests;

    if (!queue_add(&requests->queue, &record->command.request)) {
        return false;
    }
    record->received_at = clock_precise();
    stats_received(&disk->stats, record->received_at);
    list_append(&requests->waiting, &record->link);
    return true;
}

/* Gives the slot back. */
static void unqueue_locked(struct disk *disk, struct record *record)
{
    queue_take(&disk->requests.queue, record->command.request.cookie);
}

/* The record is out of the queue, if it was ever in it. */
static void to_complete_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    InterlockedIncrement(&disk->requests.completing);
    list_append(done, &record->link);
}

void requests_submit(struct disk *disk, struct record *record)
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
    disk->backend->pump_locked(disk, &handle);
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
}

/* From the data of one request to that of the next; what a WRITE AND VERIFY reads when it has written, stays here. */
static void change_data(struct record *record, bool had_pages)
{
    if (had_pages) {
        record_unmap_pages(record);
    }
    if (storage_compares(&record->command)) {
        record_init_compare(record);
    } else if (record_has_pages(record)) {
        record_map_pages(record);
    }
}

static void bound_count(struct record *record)
{
    if (clock_now() - record->begun_at > RECORD_COUNT_MAX_MS * CLOCK_TICKS_PER_MS) {
        storage_give_up(&record->command);
    }
}

/* Whether the record has another request, an UNMAP's next range or more of a transfer; it waits to be sent then. */
static bool next_request_locked(struct disk *disk, struct record *record)
{
    bool had_pages = record_has_pages(record);
    struct scsi_sense sense;

    if (record->srb_status != 0 || record->result.status != SCSI_STATUS_GOOD) {
        return false;
    }
    if (storage_counts(&record->command)) {
        bound_count(record);
    }
    switch (storage_next(&record->command, &sense)) {
    case STORAGE_DONE:
        record_finish(record);
        return false;
    case STORAGE_REFUSED:
        requests_set_sense(record, &sense);
        return false;
    case STORAGE_REQUEST:
        break;
    }
    if (record_has_data(record)) { /* a flush has none and needs no pages */
        change_data(record, had_pages);
    }
    if (!disk_takes_requests(disk->state) || !queue_locked(disk, record)) {
        set_ended_locked(disk, record);
        return false;
    }
    return true;
}

void requests_drop_hold_locked(struct disk *disk, struct record *record, uint32_t hold, struct list_link *done)
{
    record->holds &= ~hold;
    if (record->holds != 0) {
        return;
    }
    unqueue_locked(disk, record);
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
    if (storage_writes_pattern(&record->command)) {
        pattern_give(disk);
    }
    if (record->srb_status != 0) {
        srb_complete(adapter, record->srb, record->srb_status);
    } else {
        srb_complete_result(adapter, record->srb, &record->result);
    }
}

/* A look without the lock, which is not to be taken for each completion. */
static bool seems_to_have_resets(const struct requests *requests)
{
    return *(struct list_link *const volatile *)&requests->resets.next != &requests->resets;
}

void requests_complete(struct disk *disk, struct list_link *done)
{
    struct requests *requests = &disk->requests;
    struct list_link *link;
    LONG count = 0;

    while ((link = list_take_first(done)) != NULL) {
        complete_one(disk, record_of_link(link)); /* the record is Storport's now */
        count++;
    }
    /* A reset that found these on their way is on its list by now, or will look at the count after it has got there. */
    if (count != 0 && InterlockedExchangeAdd(&requests->completing, -count) == count &&
        seems_to_have_resets(requests)) {
        requests_complete_resets(disk);
    }
}

void requests_complete_resets(struct disk *disk)
{
    struct requests *requests = &disk->requests;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link resets;
    struct list_link *link;

    list_init(&resets);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!requests->reset && requests->aborting == 0 && requests->completing == 0) {
        list_move_all(&resets, &requests->resets);
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

void requests_count_answer_locked(struct disk *disk, const struct record *record, bool failed, uint64_t now)
{
    stats_replied(&disk->stats, clock_now());
    stats_measured(&disk->stats, &record->command.request, failed, record->received_at, now);
}

void requests_mark_aborted_locked(struct disk *disk, struct record *record)
{
    record->srb_status = SRB_STATUS_ABORTED;
    count_aborted_locked(disk, record);
}

void requests_mark_ended_locked(struct disk *disk, struct record *record)
{
    set_ended_locked(disk, record);
    if ((record->holds & RECORD_ANSWERING) != 0) { /* else it has been answered, and counts as that */
        count_aborted_locked(disk, record);
    }
}

void requests_drain_one_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    if (record->holds == 0) {
        list_remove(&record->link); /* from `waiting` */
    }
    if (record->srb_status == 0) {
        bool answered =
            record->holds != 0 && (record->holds & RECORD_ANSWERING) == 0; /* and has been counted as that */

        set_ended_locked(disk, record);
        if (!answered) {
            count_aborted_locked(disk, record);
        }
    }
    unqueue_locked(disk, record);
    to_complete_locked(disk, record, done);
}

void requests_drain_locked(struct disk *disk, struct list_link *done)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->requests.queue, &position)) != NULL) {
        requests_drain_one_locked(disk, record_of_request(request), done);
    }
}

void requests_fail_waiting(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->state = DISK_LOST;
    requests_drain_locked(disk, &done);
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
}

/* There is no shorter way: Storport names the SRB alone. */
struct record *requests_find_locked(struct disk *disk, PSCSI_REQUEST_BLOCK srb)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->requests.queue, &position)) != NULL) {
        if (record_of_request(request)->srb == srb) {
            return record_of_request(request);
        }
    }
    return NULL;
}
