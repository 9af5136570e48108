/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a channel's requests end otherwise than by an answer. A request that is with the program ends at once; what stays
 * is its slot, retired, and its area, until the program answers. One whose data is being copied ends when that is over.
 */
#include "driver/channel.h"

#include "driver/clock.h"
#include "driver/disk.h"

void channel_free_area_locked(struct disk *disk, uint64_t cookie)
{
    struct channel_slot *slot = &disk->channel.slots[queue_slot(cookie)];

    if (slot->has_area) {
        arena_give(&disk->channel.arena, slot->area);
        slot->has_area = false;
    }
}

/* A reset or abort waits for it. */
static void await_copy_locked(struct disk *disk, struct record *record)
{
    if (!record->awaited) {
        record->awaited = true;
        disk->requests.aborting++;
    }
}

void channel_abort_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    if ((record->holds & RECORD_ANSWERING) != 0) { /* the program may still write to its area, and may answer */
        queue_retire(&disk->requests.queue, &record->command.request);
    }
    if ((record->holds & RECORD_COPYING) != 0) {
        record->holds = RECORD_COPYING;
        await_copy_locked(disk, record);
    } else {
        requests_drain_one_locked(disk, record, done);
    }
}

static void reset_one_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    if (record->holds == 0) {
        requests_drain_one_locked(disk, record, done);
        return;
    }
    if (record->srb_status == 0) {
        requests_mark_ended_locked(disk, record);
    }
    channel_abort_locked(disk, record, done);
}

/* The age, in milliseconds, of the oldest request that has no answer, whether the program has come for it or not. One
 * that was completed without its answer counts since it was given. 0: there is none. */
static uint64_t oldest_ms_locked(struct disk *disk, uint64_t now)
{
    const struct io_queue *queue = &disk->requests.queue;
    uint64_t oldest = now;

    for (uint32_t i = 0; i < queue->depth; i++) {
        const struct io_slot *slot = &queue->slots[i];

        if (slot->retired) {
            oldest = min(oldest, disk->channel.slots[i].given_at);
        } else if (slot->request != NULL) {
            oldest = min(oldest, record_of_request(slot->request)->received_at);
        }
    }
    return (now - oldest) / CLOCK_TICKS_PER_MS;
}

/* A program that has answered once and does so no more is taken for dead, though its handle is open: the disk goes. */
static void end_stale_locked(struct disk *disk)
{
    uint64_t now = clock_now();
    uint64_t silent_ms = (now - disk->stats.last_replied) / CLOCK_TICKS_PER_MS;

    if (driver_options.remove_stale_connections != 0 && disk->stats.last_replied != 0 &&
        silent_ms >= (uint64_t)driver_options.stale_conn_timeout_ms &&
        oldest_ms_locked(disk, now) >= (uint64_t)driver_options.stale_req_timeout_ms) {
        disk->channel.stale = true;
        disk_stop(disk, DISK_DESERTED);
    }
}

/* Windows has waited for too long for a request, or has reset the disk for another reason. */
void channel_reset_locked(struct disk *disk, struct list_link *done)
{
    if (disk->state == DISK_READY) {
        end_stale_locked(disk);
    }
    channel_end_all_locked(disk, done);
}

void channel_end_all_locked(struct disk *disk, struct list_link *done)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->requests.queue, &position)) != NULL) {
        reset_one_locked(disk, record_of_request(request), done);
    }
    disk->requests.reset = false;
}

/* Its handle is the old program's: it gets another, and may be given again. */
static void wait_again_locked(struct disk *disk, struct record *record)
{
    struct requests *requests = &disk->requests;

    channel_free_area_locked(disk, record->command.request.cookie);
    queue_take(&requests->queue, record->command.request.cookie);
    if (!queue_add(&requests->queue, &record->command.request)) {
        NT_ASSERT(FALSE); /* its slot has just become free */
    }
    record->holds = 0;
    record_restart(record);
    list_append(&requests->waiting, &record->link);
    stats_withdrawn(&disk->stats);
}

void channel_fail_waiting_locked(struct disk *disk, struct list_link *done)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->requests.queue, &position)) != NULL) {
        if (record_of_request(request)->holds == 0) {
            requests_drain_one_locked(disk, record_of_request(request), done);
        }
    }
}

/* The program went while it was being given the record's request, and perhaps too long ago. */
static void take_back_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    wait_again_locked(disk, record);
    if (!disk_takes_requests(disk->state)) {
        requests_drain_one_locked(disk, record, done);
    }
}

/* The program's last hold on the record, but for what it may still write to. */
static void let_go_locked(struct disk *disk, struct record *record, bool withdrawn, struct list_link *done)
{
    bool awaited = record->awaited;

    record->awaited = false;
    requests_drop_hold_locked(disk, record, RECORD_COPYING, done);
    if (withdrawn && record->command.request.cookie != 0) { /* there is more of it, as at channel_withdraw_locked */
        record_restart(record);
    }
    if (awaited) {
        disk->requests.aborting--;
    }
}

void channel_copied_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    bool withdrawn = record->withdrawn;

    record->withdrawn = false;
    if (withdrawn && (record->holds & RECORD_ANSWERING) != 0) {
        take_back_locked(disk, record, done);
    } else {
        let_go_locked(disk, record, withdrawn, done);
    }
}

/* Slots that wait for an answer that the old program cannot give any more. */
static void release_retired_locked(struct disk *disk)
{
    struct io_queue *queue = &disk->requests.queue;
    uint32_t position = 0;
    uint64_t cookie;

    while ((cookie = queue_next_retired(queue, &position)) != 0) {
        channel_free_area_locked(disk, cookie);
        queue_release(queue, cookie);
    }
}

void channel_withdraw_locked(struct disk *disk)
{
    struct io_request *request;
    uint32_t position = 0;

    while ((request = queue_next(&disk->requests.queue, &position)) != NULL) {
        struct record *record = record_of_request(request);

        if (record->holds == RECORD_ANSWERING) {
            wait_again_locked(disk, record);
        } else if (record->holds != 0) {
            record->withdrawn = true; /* until its data has been copied */
        } else {                      /* the flush behind a write, say: the program's cache may have gone with it */
            record_restart(record);
        }
    }
    release_retired_locked(disk);
}
