/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk that a program serves: requests wait until the program takes them with one of its commands, and end when it
 * answers. Nothing here runs by itself but the copying of data, in the thread of the program's command.
 *
 *   waiting --(given: copied out)--> with the program --(answered: copied in)--> finished, SRB completed
 *                                          |
 *                                          +--(aborted, reset)--> SRB completed; slot and area retired until the answer
 *
 * Data goes through the arena (channel_arena.h), an area for each request, or straight to and from a buffer of the
 * program that is locked for it. What a program still may write to is not given to another request: the area of an
 * aborted one stays its own until the answer comes.
 *
 * The disk belongs to a file object (owner.h). When it has lost it, it goes, or waits for another (channel_keep.c).
 */
#ifndef WNBD_DRIVER_CHANNEL_H
#define WNBD_DRIVER_CHANNEL_H

#include "driver/channel_arena.h"
#include "driver/owner.h"
#include "driver/record.h"

#include "core/io/arena.h"

#define CHANNEL_COPY_NOW   (32 << 10)  /* bytes copied in StartIo, where a thread waits; else it comes and does it */
#define CHANNEL_COPY_BATCH (128 << 10) /* bytes copied out by one command, unless its first request has more */
#define CHANNEL_SMALL      (32 << 10)  /* bytes in the arena, at most: these may pass one that has no room there */
#define CHANNEL_PASSES     256         /* but so many of them only, that it gets its turn */
#define CHANNEL_LOOKS      64          /* how far behind it they are looked for */
#define CHANNEL_RESERVE    16          /* one part in so many of the arena is for small ones */

struct disk;

/* Of each slot of the queue. Guarded by disk->lock, while a request is in it or it is retired. */
struct channel_slot {
    uint64_t given_at; /* interrupt time */
    uint32_t area;     /* in the arena */
    bool has_area;
};

enum channel_arena_state {
    ARENA_NONE,
    ARENA_CHANGING, /* somebody is making it, or taking it down */
    ARENA_READY,
};

/* Part of struct disk. */
struct channel {
    /* fixed while the disk exists */
    struct channel_slot *slots; /* as many as the queue has */
    struct ownership ownership; /* its links are owner.c's */
    KEVENT wake;                /* the disk's thread is to look */

    EX_RUNDOWN_REF arena_users; /* whoever copies: can be acquired while it is ARENA_READY */
    struct arena_memory memory; /* fixed while it can */

    volatile LONG fetching; /* FETCH_REQs with a locked buffer: as many as the queue has slots, at most */

    /* guarded by disk->lock */
    enum channel_arena_state arena_state;
    struct io_arena arena;
    struct arena_unit *units;
    LIST_ENTRY enters;  /* IRPs of ENTER that wait */
    LIST_ENTRY fetches; /* IRPs of FETCH_REQ that wait */
    LIST_ENTRY owns;    /* that of OWN: one at most */
    uint64_t lost_at;   /* interrupt time: when there was no owner any more */
    bool stale;         /* the disk goes because its program does not answer */
    LIST_ENTRY ends;    /* of ENTER and FETCH_REQ that came too late, and wait for the disk's end alone */
    bool gone;          /* nothing waits here any more */
    uint32_t passed;    /* requests that were given before the first of those that wait, for which there was no room */
    uint64_t orphaned_at; /* time awake when the owner was lost, while it is DISK_RECONNECTING */

    bool held_back; /* the thread's: Storport was asked to pause the disk */
};

/* ---- What the program's commands do: PASSIVE_LEVEL. The disk is pinned and belongs to the caller. ---- */

/* Answers each of `count` requests. How many were refused: there is no such request with the program. With `takes` the
 * same command takes requests afterwards, so that nobody else need be woken for them. */
uint32_t channel_answer(struct disk *disk, const WNBD_ANSWER *answers, uint32_t count, bool takes);

/* The same for one, whose data is `length` bytes at `data`. STATUS_NOT_FOUND. */
NTSTATUS channel_answer_from(struct disk *disk, const WNBD_ANSWER *answer, const uint8_t *data);

/* Makes it the answer to a request whose data could not be moved. */
void channel_make_failure(WNBD_ANSWER *answer);

/* Whether there is an arena, now. */
static inline bool channel_has_arena(const struct channel *channel)
{
    return *(const volatile enum channel_arena_state *)&channel->arena_state == ARENA_READY;
}

/* Completes an ENTER: with requests, or without if it is not to wait, or lets it wait. Its answers have been taken, and
 * `refused` of them were. The IRP is not the caller's any more. */
void channel_enter(struct disk *disk, PIRP irp, uint32_t refused);

/* The same for a FETCH_REQ, with a buffer that is locked (`mdl`, which is taken; NULL: there is none). */
void channel_fetch(struct disk *disk, PIRP irp, PMDL mdl);

/* Lets an OWN wait until the disk is gone. Pinned or referenced. */
void channel_own(struct disk *disk, PIRP irp);

/* For a disk that is not to be seen any more: the IRP of an ENTER or FETCH_REQ waits until it is gone, and says so. The
 * disk is referenced, not pinned. */
void channel_await_end(struct disk *disk, PIRP irp);

/* Ends up to `count` ENTERs that wait. */
void channel_wake_enters(struct disk *disk, uint32_t count);

/* The handle is the owner from now on. STATUS_SHARING_VIOLATION. The disk is referenced. */
NTSTATUS channel_attach(struct disk *disk, PFILE_OBJECT file);

/* ---- Between the channel's files ---- */

/* Requests that have been taken for a command, until their data is copied. */
struct channel_batch {
    struct list_link copying; /* struct record */
    bool has_arena;
};

/* channel_give.c: requests to the program, at most `room`, into `output`: a large one alone, and not more small ones
 * than `budget` bytes. disk->lock is held. */
uint32_t channel_take_locked(struct disk *disk, struct channel_batch *batch, WNBD_ARENA_REQUEST *output, uint32_t room,
                             uint32_t budget);

/* Copies their data, in any case. disk->lock is held, and let go meanwhile. */
void channel_copy_taken_locked(struct disk *disk, struct channel_batch *batch, KLOCK_QUEUE_HANDLE *handle,
                               struct list_link *done);

/* The request that an ENTER would be given now: one that waits and for which the arena has room. NULL: there is none.
 * disk->lock is held. */
struct record *channel_next_locked(struct disk *disk);

/* Bytes of a waiting request that are copied to the program. */
uint32_t channel_payload(const struct record *record);

/* Describes a request as the program sees it. */
void channel_describe(const struct disk *disk, const struct record *record, WNBD_IO_REQUEST *request);

/* The record's request is with the program from now on. disk->lock is held. */
void channel_given_locked(struct disk *disk, struct record *record, uint32_t holds);

/* The data of a write or a reservation, or where that of a read or reservation goes. */
uint8_t *channel_data(const struct record *record);

/* Writes the data that goes with a request to the program. */
void channel_copy_out(const struct disk *disk, const struct record *record, uint8_t *to);

/* channel_enter.c: what waits goes to commands that wait. disk->lock is held, and let go meanwhile. */
void channel_pump_locked(struct disk *disk, KLOCK_QUEUE_HANDLE *handle);

/* channel_fetch.c: on the disk's thread, gives waiting requests to FETCH_REQs that wait. */
void channel_serve_fetches(struct disk *disk);

/* channel_wait.c: completes all that waits, because the disk is gone; nothing waits after that. */
void channel_end_waiting(struct disk *disk);

/* The owner is not that any more: what waits for it does so no longer, and is completed with an error after the lock
 * has been let go. */
void channel_stop_waiting_locked(struct disk *disk, LIST_ENTRY *refused);
void channel_refuse(LIST_ENTRY *refused);

/* channel_end.c: how requests end otherwise than by an answer. disk->lock is held. */
void channel_reset_locked(struct disk *disk, struct list_link *done);
void channel_end_all_locked(struct disk *disk, struct list_link *done);
void channel_abort_locked(struct disk *disk, struct record *record, struct list_link *done);
/* Those that wait, and are not with the program in any way, fail. */
void channel_fail_waiting_locked(struct disk *disk, struct list_link *done);
/* A copy of the record's data is over. */
void channel_copied_locked(struct disk *disk, struct record *record, struct list_link *done);
/* Its request's area, if it has one, is free. */
void channel_free_area_locked(struct disk *disk, uint64_t cookie);
/* What is with the program waits again. */
void channel_withdraw_locked(struct disk *disk);

/* channel_keep.c. The arena: PASSIVE_LEVEL. STATUS_INVALID_DEVICE_STATE: there is one. */
NTSTATUS channel_make_arena(struct disk *disk, PIRP irp, PVOID *address); /* or STATUS_ACCESS_DENIED */
void channel_take_arena_down(struct disk *disk);

/* The disk, which has KeepDisk, has lost its owner. */
void channel_orphan(struct disk *disk);

/* On the disk's thread, when it looks and before it waits. */
void channel_look_for_owner(struct disk *disk);
bool channel_wait_is_bounded(struct disk *disk, LARGE_INTEGER *timeout);

#endif
