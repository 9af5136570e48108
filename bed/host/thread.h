/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads as the bed sees them: those PsCreateSystemThread makes, the bed's own, and the test's. */
#ifndef BED_HOST_THREAD_H
#define BED_HOST_THREAD_H

#include "driver/ddk.h"

#include <stdbool.h>

#define BED_LOCKS_HELD_MAX 16

struct bed_thread {
    ULONG number; /* in the order in which they first came here */
    KIRQL irql;
    ULONGLONG random; /* schedule.c */
    const UCHAR *stack_base;
    const UCHAR *driver_entered; /* stack.c: where the driver was entered, NULL outside */
    ULONG held_count;            /* spinlock.c, by the time of acquiring */
    PKSPIN_LOCK held[BED_LOCKS_HELD_MAX];
    ULONG critical_regions;
    ULONG requests;          /* user.c: requests it is just sending; 0: it is a system thread to the driver */
    struct _KTHREAD *object; /* NULL: not of PsCreateSystemThread */
};

/* The calling thread's own. */
struct bed_thread *bed_thread_self(void);

/* Starts a thread that nobody waits for. False: there is none. */
bool bed_thread_run(void (*routine)(void *argument), void *argument);

#endif
