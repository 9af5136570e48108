/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"
#include "bed/wine/spinlock.h"
#include "bed/port/violation.h"

#define SPINS         100
#define TEB_THREAD_ID 0x48

enum { FREE = 0, HELD = 1, WANTED = 2 }; /* the lock's lower half */

struct halves {
    volatile LONG state;
    volatile LONG owner; /* thread id; only the owner changes it */
};

static LONG thread_id(void)
{
    return (LONG)__readgsqword(TEB_THREAD_ID);
}

static bool spin(volatile LONG *state)
{
    for (unsigned i = 0; i < SPINS; i++) {
        if (*state == FREE && InterlockedCompareExchange(state, HELD, FREE) == FREE) {
            return true;
        }
        YieldProcessor();
    }
    return false;
}

void bed_spin_acquire(PKSPIN_LOCK lock, const char *routine)
{
    struct halves *halves = (struct halves *)(void *)lock;

    if (halves->owner == thread_id() && halves->state != FREE) {
        port_violation("deadlock: %s of %p by the thread that has it", routine, (void *)lock);
    }
    if (!spin(&halves->state)) {
        while (InterlockedExchange(&halves->state, WANTED) != FREE) {
            bed_wait_word(&halves->state, WANTED, WAIT_INFINITE);
        }
    }
    halves->owner = thread_id();
}

BOOLEAN bed_spin_try(PKSPIN_LOCK lock)
{
    struct halves *halves = (struct halves *)(void *)lock;

    if (InterlockedCompareExchange(&halves->state, HELD, FREE) != FREE) {
        return FALSE;
    }
    halves->owner = thread_id();
    return TRUE;
}

void bed_spin_release(PKSPIN_LOCK lock, const char *routine)
{
    struct halves *halves = (struct halves *)(void *)lock;

    if (halves->owner != thread_id() || halves->state == FREE) {
        port_violation("lock: %s of %p by a thread that does not have it", routine, (void *)lock);
    }
    halves->owner = 0;
    if (InterlockedExchange(&halves->state, FREE) == WANTED) {
        RtlWakeAddressSingle((const void *)(ULONG_PTR)&halves->state);
    }
}

/* For storport.sys itself, which says by bed_irql_raise what it wants its IRQL to be taken for. */
static KIRQL NTAPI own_acquire(PKSPIN_LOCK lock)
{
    bed_spin_acquire(lock, "the port's acquire");
    return PASSIVE_LEVEL;
}

static VOID NTAPI own_release(PKSPIN_LOCK lock, KIRQL irql)
{
    (void)irql;
    bed_spin_release(lock, "the port's release");
}

static VOID NTAPI own_acquire_queued(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle)
{
    handle->LockQueue.Lock = lock;
    bed_spin_acquire(lock, "the port's acquire");
}

static VOID NTAPI own_release_queued(PKLOCK_QUEUE_HANDLE handle)
{
    bed_spin_release((PKSPIN_LOCK)(ULONG_PTR)handle->LockQueue.Lock, "the port's release");
}

const struct shim bed_spinlock_shims[] = {
    {"KeAcquireSpinLockRaiseToDpc", (void *)own_acquire, SHIM_SELF},
    {"KeReleaseSpinLock", (void *)own_release, SHIM_SELF},
    {"KeAcquireSpinLockAtDpcLevel", (void *)own_acquire, SHIM_SELF},
    {"KeReleaseSpinLockFromDpcLevel", (void *)own_release, SHIM_SELF},
    {"KeAcquireInStackQueuedSpinLock", (void *)own_acquire_queued, SHIM_SELF},
    {"KeReleaseInStackQueuedSpinLock", (void *)own_release_queued, SHIM_SELF},
    {"KeAcquireInStackQueuedSpinLockAtDpcLevel", (void *)own_acquire_queued, SHIM_SELF},
    {"KeReleaseInStackQueuedSpinLockFromDpcLevel", (void *)own_release_queued, SHIM_SELF},
    SHIM_END,
};
