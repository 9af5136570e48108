/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/spinlock.h"

#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/sanitizer.h"
#include "bed/host/schedule.h"
#include "bed/host/thread.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#include <stdlib.h>

#define CLASSES 256

struct word {
    volatile uint32_t state;
    volatile uint32_t class; /* 0: none yet */
};

/* ---- classes and their order ---- */

static struct bed_lock lock;
static const void *places[CLASSES];            /* guarded by lock; who initialised or first took a lock of the class */
static unsigned char before[CLASSES][CLASSES]; /* [a][b]: b was taken while a was held, at some time */
static unsigned char reported[CLASSES][CLASSES];
static uint32_t class_count = 1;

static struct word *word_of(PKSPIN_LOCK spin)
{
    return (struct word *)spin;
}

/* Locks that are classed by the place that first took them: zero is a free lock for the bed's own static ones. */
static uint32_t class_new(const void *place)
{
    uint32_t class;

    bed_lock_unseen(&lock);
    for (class = 1; class < class_count && places[class] != place;) {
        class ++;
    }
    if (class == class_count && class_count < CLASSES - 1) {
        places[class_count++] = place;
    }
    bed_unlock_unseen(&lock);
    return class;
}

/* Whether b was ever taken, over any number of steps, while a was held. */
static BOOLEAN reaches(uint32_t from, uint32_t to, unsigned char *seen)
{
    if (before[from][to]) {
        return TRUE;
    }
    seen[from] = 1;
    for (uint32_t next = 1; next < class_count; next++) {
        if (before[from][next] && !seen[next] && reaches(next, to, seen)) {
            return TRUE;
        }
    }
    return FALSE;
}

static void report_order(uint32_t held, uint32_t taken)
{
    char one[BED_PLACE_LENGTH];
    char other[BED_PLACE_LENGTH];

    if (!reported[held][taken]) {
        reported[held][taken] = 1;
        bed_unlock_unseen(&lock);
        port_violation("lock-order: the lock of %.90s is taken while that of %.90s is held; the other order was seen",
                       bed_place(places[taken], one), bed_place(places[held], other));
        bed_lock_unseen(&lock);
    }
}

static void check_order(const struct bed_thread *thread, uint32_t class)
{
    for (ULONG i = 0; i < thread->held_count; i++) {
        uint32_t held = word_of(thread->held[i])->class;
        unsigned char seen[CLASSES] = {0};

        if (before[held][class]) {
            continue;
        }
        bed_lock_unseen(&lock);
        if (held == class || reaches(class, held, seen)) {
            report_order(held, class);
        } else {
            before[held][class] = 1;
        }
        bed_unlock_unseen(&lock);
    }
}

void bed_spinlocks_forget(void)
{
    bed_lock_unseen(&lock);
    class_count = 1;
    __builtin_memset(before, 0, sizeof(before));
    __builtin_memset(reported, 0, sizeof(reported));
    bed_unlock_unseen(&lock);
}

void bed_spinlocks_none(const char *routine)
{
    if (bed_thread_self()->held_count != 0) {
        port_violation("lock: %s was called with a spin lock held", routine);
    }
}

/* ---- the lock ---- */

static void hold(struct bed_thread *thread, PKSPIN_LOCK spin)
{
    if (thread->held_count == BED_LOCKS_HELD_MAX) {
        port_violation("lock: more than %u spin locks are held at a time", BED_LOCKS_HELD_MAX);
        abort();
    }
    thread->held[thread->held_count++] = spin;
}

static void check_recursion(const struct bed_thread *thread, PKSPIN_LOCK spin)
{
    for (ULONG i = 0; i < thread->held_count; i++) {
        if (thread->held[i] == spin) {
            port_violation("lock: spin lock %p is taken again by the thread that holds it", (void *)spin);
            abort(); /* it would never come back */
        }
    }
}

static void acquire(PKSPIN_LOCK spin, const void *place)
{
    struct bed_thread *thread = bed_thread_self();
    struct word *word = word_of(spin);

    check_recursion(thread, spin);
    if (word->class == 0) {
        word->class = class_new(place);
    }
    check_order(thread, word->class);
    bed_schedule_point(BED_POINT_LOCK);
    bed_word_lock(&word->state);
    bed_observe(spin);
    hold(thread, spin);
}

static void release(PKSPIN_LOCK spin)
{
    struct bed_thread *thread = bed_thread_self();
    struct word *word = word_of(spin);
    ULONG at = 0;

    while (at < thread->held_count && thread->held[at] != spin) {
        at++;
    }
    if (at == thread->held_count) {
        port_violation("lock: spin lock %p is released by a thread that does not hold it", (void *)spin);
        abort();
    }
    for (thread->held_count--; at < thread->held_count; at++) {
        thread->held[at] = thread->held[at + 1];
    }
    bed_publish(spin);
    bed_word_unlock(&word->state); /* and the lock may be gone */
    bed_schedule_point(BED_POINT_UNLOCK);
}

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    struct word *word = word_of(SpinLock);

    word->state = 0;
    word->class = class_new(__builtin_return_address(0));
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL old;

    bed_irql_at_most(DISPATCH_LEVEL, "KeAcquireSpinLock");
    old = bed_irql_raise(DISPATCH_LEVEL);
    acquire(SpinLock, __builtin_return_address(0));
    return old;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    bed_irql_at_least(DISPATCH_LEVEL, "KeReleaseSpinLock");
    release(SpinLock);
    bed_irql_lower(NewIrql);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    bed_irql_at_least(DISPATCH_LEVEL, "KeAcquireSpinLockAtDpcLevel");
    acquire(SpinLock, __builtin_return_address(0));
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    bed_irql_at_least(DISPATCH_LEVEL, "KeReleaseSpinLockFromDpcLevel");
    release(SpinLock);
}

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    bed_irql_at_most(DISPATCH_LEVEL, "KeAcquireInStackQueuedSpinLock");
    LockHandle->OldIrql = bed_irql_raise(DISPATCH_LEVEL);
    LockHandle->LockQueue.Lock = SpinLock;
    acquire(SpinLock, __builtin_return_address(0));
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    bed_irql_at_least(DISPATCH_LEVEL, "KeReleaseInStackQueuedSpinLock");
    release(LockHandle->LockQueue.Lock);
    bed_irql_lower(LockHandle->OldIrql);
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    bed_irql_at_least(DISPATCH_LEVEL, "KeAcquireInStackQueuedSpinLockAtDpcLevel");
    LockHandle->LockQueue.Lock = SpinLock;
    acquire(SpinLock, __builtin_return_address(0));
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    bed_irql_at_least(DISPATCH_LEVEL, "KeReleaseInStackQueuedSpinLockFromDpcLevel");
    release(LockHandle->LockQueue.Lock);
}
