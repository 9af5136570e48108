/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fast mutexes and rundown protection. */
#include "bed/host/irql.h"
#include "bed/host/sanitizer.h"
#include "bed/host/thread.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

/* ---- fast mutexes: an event that one waiter at a time gets ---- */

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    RtlZeroMemory(FastMutex, sizeof(*FastMutex));
    FastMutex->Count = 1;
    KeInitializeEvent(&FastMutex->Event, SynchronizationEvent, TRUE);
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    bed_irql_at_most(APC_LEVEL, "ExAcquireFastMutex");
    if (__atomic_load_n(&FastMutex->Owner, __ATOMIC_RELAXED) == bed_thread_self()) {
        port_violation("lock: fast mutex %p is taken again by its owner", (void *)FastMutex);
    }
    KeWaitForSingleObject(&FastMutex->Event, Executive, KernelMode, FALSE, NULL);
    __atomic_store_n(&FastMutex->Owner, bed_thread_self(), __ATOMIC_RELAXED);
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    if (FastMutex->Owner != bed_thread_self()) {
        port_violation("lock: fast mutex %p is released by a thread that does not own it", (void *)FastMutex);
    }
    __atomic_store_n(&FastMutex->Owner, NULL, __ATOMIC_RELAXED);
    KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    unsigned char old = bed_irql_raise(APC_LEVEL);

    ExAcquireFastMutexUnsafe(FastMutex);
    FastMutex->OldIrql = old;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    ULONG old = FastMutex->OldIrql;

    ExReleaseFastMutexUnsafe(FastMutex);
    bed_irql_lower((unsigned char)old);
}

/* ---- rundown protection: twice the number of users, and 1 when rundown has begun ---- */

#define RUNDOWN_ACTIVE 1u
#define RUNDOWN_USER   2u

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    RunRef->Count = 0;
}

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR count = __atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST);

    bed_irql_at_most(DISPATCH_LEVEL, "ExAcquireRundownProtection");
    do {
        if ((count & RUNDOWN_ACTIVE) != 0) {
            return FALSE;
        }
    } while (!__atomic_compare_exchange_n(&RunRef->Count, &count, count + RUNDOWN_USER, 0, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    bed_observe(RunRef);
    return TRUE;
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    bed_irql_at_most(DISPATCH_LEVEL, "ExReleaseRundownProtection");
    bed_publish(RunRef);
    if (__atomic_fetch_sub(&RunRef->Count, RUNDOWN_USER, __ATOMIC_SEQ_CST) < RUNDOWN_USER) {
        port_violation("rundown: %p is released more often than acquired", (void *)RunRef);
    }
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    LARGE_INTEGER pause = {.QuadPart = -10000};

    bed_irql_at_most(APC_LEVEL, "ExWaitForRundownProtectionRelease");
    if ((__atomic_fetch_or(&RunRef->Count, RUNDOWN_ACTIVE, __ATOMIC_SEQ_CST) & RUNDOWN_ACTIVE) != 0) {
        port_violation("rundown: %p is run down a second time", (void *)RunRef);
    }
    while (__atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST) != RUNDOWN_ACTIVE) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    bed_observe(RunRef);
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR expected = RUNDOWN_ACTIVE;

    bed_irql_at_most(APC_LEVEL, "ExReInitializeRundownProtection");
    bed_publish(RunRef);
    if (!__atomic_compare_exchange_n(&RunRef->Count, &expected, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        port_violation("rundown: %p is initialised again before it has run down", (void *)RunRef);
    }
}
