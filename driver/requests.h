/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests of a disk, whoever carries them out: from requests_submit until the SRB is completed.
 *
 *   waiting ---(the backend takes it: holds)---> out ---(the last hold is dropped)---> next request, or SRB completed
 *      |                                          |
 *      +-------------- drained, to fail ----------+
 *
 * The queue holds a request from the beginning to the end, so that its slot, and what the backend keeps for it by the
 * slot, is its own as long as the backend may touch it.
 */
#ifndef WNBD_DRIVER_REQUESTS_H
#define WNBD_DRIVER_REQUESTS_H

#include "driver/record.h"

#include "core/io/queue.h"

struct disk;

/* Part of struct disk. */
struct requests {
    struct io_slot *slots; /* fixed while the disk exists */

    /* guarded by disk->lock */
    struct io_queue queue;
    struct list_link waiting; /* struct record: to be taken by the backend */
    struct list_link resets;  /* struct record: reset and abort SRBs, to complete after what they are about */
    volatile LONG completing; /* records out of the queue whose SRB is not completed yet; goes down without the lock */
    uint32_t aborting;        /* what resets and aborts wait for before they complete, besides those */
    bool reset;               /* everything is being ended because of a reset */
    UCHAR reset_status;       /* what requests end with then */
};

/* Room for `depth` requests. STATUS_INSUFFICIENT_RESOURCES: requests_free is still to be called. */
NTSTATUS requests_allocate(struct disk *disk, uint32_t depth);
void requests_free(struct disk *disk);

/* Takes a record whose command has a request and has it carried out; the SRB is completed at some time, perhaps before
 * this returns. The disk is pinned. */
void requests_submit(struct disk *disk, struct record *record);

/*
 * One of the record's holds is gone. If it was the last: its next request waits to be taken, or the record goes from
 * the queue to `done`. disk->lock is held.
 */
void requests_drop_hold_locked(struct disk *disk, struct record *record, uint32_t hold, struct list_link *done);

/* The record's request, for which somebody waits, has been answered at `now`, by clock_precise. disk->lock is held. */
void requests_count_answer_locked(struct disk *disk, const struct record *record, bool failed, uint64_t now);

/* The record's SRB is to be aborted: whatever becomes of its request, it ends as that. disk->lock is held. */
void requests_mark_aborted_locked(struct disk *disk, struct record *record);

/* The same for the status of a reset that is under way, or of a removal. */
void requests_mark_ended_locked(struct disk *disk, struct record *record);

/* Takes a record out of the queue, to fail; the backend does not touch it any more. disk->lock is held. */
void requests_drain_one_locked(struct disk *disk, struct record *record, struct list_link *done);

/* Takes everything out of the queue, to fail; the backend does not touch any of it. disk->lock is held. */
void requests_drain_locked(struct disk *disk, struct list_link *done);

/* The record of an SRB that is in the queue; NULL. disk->lock is held. */
struct record *requests_find_locked(struct disk *disk, PSCSI_REQUEST_BLOCK srb);

/* Completes the SRBs of a list of records, and resets and aborts that waited for that. No locks. */
void requests_complete(struct disk *disk, struct list_link *done);

/* Completes the reset and abort SRBs, unless SRBs that they are about are still to be completed. No locks. */
void requests_complete_resets(struct disk *disk);

/* Requests have waited for too long for a backend that is away: those in the queue fail, and the disk is DISK_LOST.
 * None of them is with the backend. */
void requests_fail_waiting(struct disk *disk);

/* Makes a record's command fail. */
static inline void requests_set_sense(struct record *record, const struct scsi_sense *sense)
{
    record->result.status = SCSI_STATUS_CHECK_CONDITION;
    record->result.transferred = 0;
    record->result.sense = *sense;
}

#endif
