/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Run-down protection. Count is twice the number of holders; bit 0 says that the run-down has begun. */
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

#define ACTIVE 1u
#define HOLDER 2u

static volatile LONG *word_of(EX_RUNDOWN_REF *rundown)
{
    return (volatile LONG *)&rundown->Count;
}

static VOID NTAPI shim_ExInitializeRundownProtection(PEX_RUNDOWN_REF rundown)
{
    rundown->Count = 0;
}

static BOOLEAN acquire(PEX_RUNDOWN_REF rundown, ULONG count)
{
    volatile LONG *word = word_of(rundown);
    LONG seen = *word;

    while (!(seen & ACTIVE)) {
        LONG before = InterlockedCompareExchange(word, seen + (LONG)(count * HOLDER), seen);

        if (before == seen) {
            return TRUE;
        }
        seen = before;
    }
    return FALSE;
}

static void release(PEX_RUNDOWN_REF rundown, ULONG count)
{
    LONG before = InterlockedExchangeAdd(word_of(rundown), -(LONG)(count * HOLDER));

    if ((ULONG)before < count * HOLDER) {
        port_violation("rundown: %p was released more often than acquired", (void *)rundown);
    }
    if (before == (LONG)(count * HOLDER + ACTIVE)) {
        bed_wake_word(word_of(rundown));
    }
}

static BOOLEAN NTAPI shim_ExAcquireRundownProtection(PEX_RUNDOWN_REF rundown)
{
    return acquire(rundown, 1);
}

static BOOLEAN NTAPI shim_ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF rundown, ULONG count)
{
    return acquire(rundown, count);
}

static VOID NTAPI shim_ExReleaseRundownProtection(PEX_RUNDOWN_REF rundown)
{
    release(rundown, 1);
}

static VOID NTAPI shim_ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF rundown, ULONG count)
{
    release(rundown, count);
}

static VOID NTAPI shim_ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF rundown)
{
    volatile LONG *word = word_of(rundown);
    LONG seen;

    bed_irql_at_most(APC_LEVEL, "ExWaitForRundownProtectionRelease");
    InterlockedOr(word, ACTIVE);
    while ((seen = *word) != ACTIVE) {
        bed_wait_word(word, seen, WAIT_INFINITE);
    }
}

static VOID NTAPI shim_ExRundownCompleted(PEX_RUNDOWN_REF rundown)
{
    InterlockedExchange(word_of(rundown), ACTIVE);
}

static VOID NTAPI shim_ExReInitializeRundownProtection(PEX_RUNDOWN_REF rundown)
{
    if (*word_of(rundown) != ACTIVE) {
        port_violation("rundown: %p was initialised again before it had run down", (void *)rundown);
    }
    InterlockedExchange(word_of(rundown), 0);
}

const struct shim bed_rundown_shims[] = {
    SHIM_MEND(ExInitializeRundownProtection),
    SHIM_MEND(ExAcquireRundownProtection),
    SHIM_MEND(ExAcquireRundownProtectionEx),
    SHIM_MEND(ExReleaseRundownProtection),
    SHIM_MEND(ExReleaseRundownProtectionEx),
    SHIM_MEND(ExWaitForRundownProtectionRelease),
    SHIM_MEND(ExRundownCompleted),
    SHIM_MEND(ExReInitializeRundownProtection),
    SHIM_END,
};
