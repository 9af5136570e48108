/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The adapter's one thread that is always there. It takes over what cannot be done where it comes up: sending when the
 * stack is nearly used up, receiving when a DPC has done its share, waiting for a disk's thread to end, what wants a
 * system thread.
 */
#ifndef WNBD_DRIVER_WORKER_H
#define WNBD_DRIVER_WORKER_H

#include "driver/ddk.h"

#include "core/base/list.h"

#include <stdbool.h>

/* A piece of work, a member of what it is about, which must live until the routine was called. It can be queued again
 * while it is queued (then it is called once) and from within its routine. */
struct work {
    struct list_link link;
    void (*routine)(struct work *work); /* PASSIVE_LEVEL, no locks */
    bool queued;                        /* guarded by the worker's lock */
};

struct worker {
    PETHREAD thread; /* fixed after start */
    KEVENT wake;
    KSPIN_LOCK lock;
    /* guarded by lock */
    struct list_link works;
    bool ending;
};

/* Starts the thread. PASSIVE_LEVEL. */
NTSTATUS worker_start(struct worker *worker);

/* Does what is queued and ends the thread. Nothing may be queued after that. PASSIVE_LEVEL. */
void worker_stop(struct worker *worker);

/* Prepares `work` before its first use. */
void work_init(struct work *work, void (*routine)(struct work *work));

/* Queues `work`. False: it was queued already and nothing was done. */
bool worker_queue(struct worker *worker, struct work *work);

/* Has the thread call `routine` and waits until it has. PASSIVE_LEVEL, on another thread. */
void worker_call(struct worker *worker, void (*routine)(void *context), void *context);

#endif
