/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program's answers. What it says was copied before it is looked at; its data may still change while it is read. */
#include "driver/channel.h"

#include "driver/clock.h"
#include "driver/disk.h"

static bool has_answer_data(const struct record *record)
{
    enum io_operation operation = record->command.request.operation;

    return operation == IO_READ || operation == IO_RESERVE_IN;
}

/* A request that was given by FETCH_REQ has no area: an answer of ENTER has no data for it. */
static void set_result(const struct disk *disk, struct record *record, const WNBD_ANSWER *answer, bool from_arena)
{
    const struct channel_slot *slot = &disk->channel.slots[queue_slot(record->command.request.cookie)];
    struct scsi_sense sense = {
        .key = answer->SenseKey,
        .asc = answer->ASC,
        .ascq = answer->ASCQ,
        .information_valid = answer->InformationValid != 0,
        .information = answer->Information,
    };

    record->answer_length = from_arena && !slot->has_area ? 0 : answer->DataLength;
    if (answer->ScsiStatus != SCSI_STATUS_GOOD) {
        requests_set_sense(record, &sense);
        record->result.status = answer->ScsiStatus;
    }
}

/* An answer that nobody waits for any more, or never did. */
static void take_late_locked(struct disk *disk, uint64_t cookie)
{
    if (queue_release(&disk->requests.queue, cookie)) {
        channel_free_area_locked(disk, cookie);
        stats_late_reply(&disk->stats);
    }
}

/* The record that is answered: it is held for copying. NULL: there is no such request with the program. */
static struct record *take_locked(struct disk *disk, const WNBD_ANSWER *answer, bool from_arena, uint64_t now)
{
    struct io_request *request = queue_find(&disk->requests.queue, answer->RequestHandle);
    struct record *record = request != NULL ? record_of_request(request) : NULL;

    if (record == NULL) {
        take_late_locked(disk, answer->RequestHandle);
        return NULL;
    }
    if (record->holds != RECORD_ANSWERING) { /* it waits, or its data is on the way: the program cannot know it */
        return NULL;
    }
    record->holds = RECORD_COPYING;
    requests_count_answer_locked(disk, record, answer->ScsiStatus != SCSI_STATUS_GOOD, now);
    set_result(disk, record, answer, from_arena);
    return record;
}

/* What the answer lacks reads as zeroes. */
static void copy_in(struct record *record, const uint8_t *from)
{
    uint32_t length = record->command.request.length;
    uint32_t given = min(record->answer_length, length);

    if (!has_answer_data(record) || record->result.status != SCSI_STATUS_GOOD) {
        return;
    }
    if (given != 0) {
        RtlCopyMemory(channel_data(record), from, given);
    }
    RtlZeroMemory(channel_data(record) + given, length - given);
}

static void copy_all_in(struct disk *disk, const struct list_link *answered)
{
    const uint8_t *arena = disk->channel.memory.address;

    for (struct list_link *link = answered->next; link != answered; link = link->next) {
        struct record *record = record_of_link(link);

        copy_in(record, record->answer_length != 0 ? arena + record->area : NULL);
    }
}

/* The records have been answered, and their data is in. */
static void finish(struct disk *disk, struct list_link *answered, bool pumps)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link *link;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    while ((link = list_take_first(answered)) != NULL) {
        struct record *record = record_of_link(link);

        channel_free_area_locked(disk, record->command.request.cookie);
        channel_copied_locked(disk, record, &done);
    }
    if (pumps) { /* areas have become free, and next requests may wait */
        channel_pump_locked(disk, &handle);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
}

/* What has been answered: those whose data takes long to copy apart, so that the others need not wait for it. */
struct answered {
    struct list_link small; /* struct record */
    struct list_link large;
};

static bool is_large(const struct record *record)
{
    return has_answer_data(record) && record->command.request.length > CHANNEL_COPY_NOW;
}

static uint32_t take(struct disk *disk, const WNBD_ANSWER *answers, uint32_t count, bool from_arena,
                     struct answered *answered)
{
    uint64_t now = clock_precise(); /* they have come together */
    KLOCK_QUEUE_HANDLE handle;
    uint32_t refused = 0;

    list_init(&answered->small);
    list_init(&answered->large);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < count; i++) {
        struct record *record = take_locked(disk, &answers[i], from_arena, now);

        if (record != NULL) {
            list_append(is_large(record) ? &answered->large : &answered->small, &record->link);
        } else {
            refused++;
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return refused;
}

static void copy_and_finish(struct disk *disk, struct list_link *answered, bool pumps)
{
    copy_all_in(disk, answered);
    finish(disk, answered, pumps);
}

uint32_t channel_answer(struct disk *disk, const WNBD_ANSWER *answers, uint32_t count, bool takes)
{
    bool has_arena = ExAcquireRundownProtection(&disk->channel.arena_users); /* until its areas are given back, too */
    struct answered answered;
    uint32_t refused = take(disk, answers, count, true, &answered);
    struct list_link *link;

    copy_and_finish(disk, &answered.small, !takes); /* also when there are none: a late answer has given an area back */
    while ((link = list_take_first(&answered.large)) != NULL) {
        struct list_link one;

        list_init(&one);
        list_append(&one, link);
        copy_and_finish(disk, &one, !takes);
    }
    if (has_arena) {
        ExReleaseRundownProtection(&disk->channel.arena_users);
    }
    return refused;
}

static NTSTATUS answer_from(struct disk *disk, const WNBD_ANSWER *answer, const uint8_t *data)
{
    struct answered answered;
    struct list_link *list;

    if (take(disk, answer, 1, false, &answered) != 0) {
        return STATUS_NOT_FOUND;
    }
    list = list_is_empty(&answered.small) ? &answered.large : &answered.small;
    copy_in(record_of_link(list->next), data);
    finish(disk, list, true);
    return STATUS_SUCCESS;
}

/* What was given by ENTER has an area, which goes back to the arena that it is of, and not to the next owner's. */
NTSTATUS channel_answer_from(struct disk *disk, const WNBD_ANSWER *answer, const uint8_t *data)
{
    bool has_arena = ExAcquireRundownProtection(&disk->channel.arena_users);
    NTSTATUS status = answer_from(disk, answer, data);

    if (has_arena) {
        ExReleaseRundownProtection(&disk->channel.arena_users);
    }
    return status;
}

void channel_make_failure(WNBD_ANSWER *answer)
{
    answer->DataLength = 0;
    answer->ScsiStatus = SCSI_STATUS_CHECK_CONDITION;
    answer->SenseKey = SENSE_KEY_HARDWARE_ERROR;
    answer->ASC = ASC_INTERNAL_TARGET_FAILURE >> 8;
    answer->ASCQ = ASC_INTERNAL_TARGET_FAILURE & 0xFF;
    answer->InformationValid = 0;
}
