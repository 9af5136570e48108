/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk of this process: WNBD_DISK, which programs see, and what the library keeps behind it.
 *
 * Lock order: there is one lock a disk, held for a few instructions; no callback, no copying and no command to the
 * driver is under it.
 */
#ifndef LIBWNBD_SERVED_H
#define LIBWNBD_SERVED_H

#include "libwnbd/crew.h"
#include "libwnbd/enter.h"
#include "libwnbd/requests.h"

/* The thread that owns the disk, see keeper.h. */
struct keeper {
    /* Fixed after keeper_start. */
    HANDLE thread; /* NULL: not started */
    HANDLE owned;  /* signalled when `error` is known */
    HANDLE gone;   /* of the OWN command: signalled when that has ended */
    HANDLE work;   /* signalled when there is something to look after again */
    HANDLE close;
    OVERLAPPED overlapped;
    struct enter enter;
    DWORD error;
    /* Its thread's alone. */
    UINT64 queued_before; /* request_list.added at the last tick */
    UINT64 answered_before;
    UINT64 returned_before; /* crew.returned */
    UINT32 quiet_ticks;
    /* Guarded by served.lock. */
    BOOL asleep;
};

/* One who sends an answer from a thread that is none of ours. */
struct sender {
    struct sender *next;
    struct enter enter;
};

/* A dispatcher thread. */
struct worker {
    /* Guarded by served.lock. */
    struct crew_seat seat; /* first: whoever is called is found by it */
    /* Fixed after its start. */
    HANDLE called; /* an event, of the kernel: who waits for one may be killed without harm to others */
    struct served *served;
    DWORD thread_id;
    /* Its thread's alone. */
    UINT64 running;    /* handle of the request whose callback was called last; 0: it is accounted for */
    UINT64 started_ns; /* when that was */
    BOOL fetches_much; /* its last command has waited, and ended for data that its next one is to copy */
    struct enter enter;
};

struct served {
    WNBD_DISK disk; /* first: programs have a pointer to it */
    /* Fixed after the dispatcher has started. */
    WNBD_ARENA arena;
    struct worker *workers; /* disk.DispatcherThreadsCount */
    /* NULL, or called by a dispatcher thread that has called the callbacks of all it had. Without a lock. */
    void (*no_more)(struct served *served);
    struct keeper keeper;
    SRWLOCK lock;
    /* Guarded by lock, together with disk.Stopping, Stopped, Started and Stats. */
    struct requests requests;
    WNBD_LATENCY latency;
    struct crew crew;
    struct sender *senders;
    BOOL closing;
    DWORD failure; /* why it cannot be served any more, if the disk goes for that */
    /* Output of commands with an OVERLAPPED of the program's, by slot. Nobody reads it after the call. */
    WNBD_ENTER_OUTPUT outputs[REQUEST_SLOTS];
};

static_assert(offsetof(struct served, disk) == 0, "a WNBD_DISK is the start of it");
static_assert(offsetof(struct worker, seat) == 0, "a seat is the start of its worker");

static inline struct served *served_of(PWNBD_DISK disk)
{
    return (struct served *)disk;
}

/* Where the data of a request is, or that of its answer goes. */
static inline BYTE *served_data(const struct served *served, const WNBD_ARENA_REQUEST *request)
{
    return (BYTE *)(ULONG_PTR)served->arena.Address + request->DataOffset;
}

/* Ours alone, and not NBD disks, have a keeper. */
static inline BOOL served_is_ours(const struct served *served)
{
    return served->keeper.thread != NULL;
}

#endif
