/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's commands that may wait: on a list of the channel, with a reference to the disk, and cancellable.
 *
 * A command is completed by whoever takes it from its list: somebody who has a request for it, or its cancel routine.
 * Who finds that the routine has been called already leaves it to that.
 */
#ifndef WNBD_DRIVER_CHANNEL_WAIT_H
#define WNBD_DRIVER_CHANNEL_WAIT_H

#include "driver/channel.h"

enum waiter_kind {
    WAITER_ENTER,
    WAITER_FETCH,
    WAITER_OWN,
};

/* What the IRP of such a command remembers. */
struct waiter {
    struct disk *disk; /* referenced */
    enum waiter_kind kind;
    uint32_t refused; /* WAITER_ENTER */
    PMDL mdl;         /* WAITER_FETCH: of the buffer, locked; NULL: none */
};

static inline struct waiter *waiter_of(PIRP irp)
{
    C_ASSERT(sizeof(struct waiter) <= sizeof irp->Tail.Overlay.DriverContext);

    return (struct waiter *)irp->Tail.Overlay.DriverContext;
}

static inline PFILE_OBJECT waiter_file(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->FileObject;
}

/* Makes an IRP such a command. */
struct waiter *waiter_begin(struct disk *disk, PIRP irp, enum waiter_kind kind);

/* Completes one that is on no list and has no cancel routine. No locks, as the two below. */
void waiter_end(PIRP irp, NTSTATUS status, ULONG_PTR information);

/* The same for an ENTER with so many requests in its output. */
void waiter_end_enter(PIRP irp, uint32_t count, bool disconnected);

/* The same for a FETCH_REQ whose request is in the command. */
void waiter_end_fetch(PIRP irp);

/* Whether the disk is served, by the handle that has sent the IRP. disk->lock is held. */
bool waiter_is_served_locked(struct disk *disk, PIRP irp);

enum wait_outcome {
    WAIT_NEEDLESS,  /* there is something for it at once */
    WAIT_BEGUN,     /* or the cancel routine has been called, and ends it */
    WAIT_CANCELLED, /* before it could wait: the IRP is still the caller's */
    WAIT_GONE,      /* the disk is: the same */
    WAIT_REFUSED,   /* the handle is not the owner any more: the same */
    WAIT_DOUBLED,   /* another of its kind waits: the same */
};

/* Lets it wait on `list`. disk->lock is held. */
enum wait_outcome waiter_wait_locked(struct disk *disk, PIRP irp, LIST_ENTRY *list);

/* What is to be done after that, without locks. */
void waiter_after_wait(PIRP irp, enum wait_outcome outcome);

/* The first of the list that has not been cancelled, NULL; up to `count` of them, to another list. disk->lock is held.
 */
PIRP waiter_take_locked(LIST_ENTRY *list);
void waiter_take_some_locked(LIST_ENTRY *list, uint32_t count, LIST_ENTRY *taken);

/* One of those. NULL: that was all. */
PIRP waiter_next_taken(LIST_ENTRY *taken);

#endif
