/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deferred procedure calls. Wine runs those of timers only, on a thread of its own; KeInsertQueueDpc here hands over to
 * one thread that is made when first needed. Either way the routine finds itself at (pretended) DISPATCH_LEVEL, because
 * KeInitializeDpc puts `trampoline` in its place and keeps the true routine in the DPC's list entry, which nobody uses.
 */
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/wine/stack.h"
#include "bed/port/violation.h"

#define DPC_OBJECT 0x13       /* KOBJECTS: DpcObject */
#define QUEUED     ((PVOID)1) /* KDPC.DpcData while the DPC waits */

static RTL_SRWLOCK lock;
static KDPC *first; /* guarded by lock; linked through DpcListEntry.Flink */
static KDPC *last;
static bool running;       /* guarded by lock: there is a thread */
static volatile LONG work; /* counts insertions, to sleep on */
static volatile LONG busy; /* DPCs queued or in progress */

static PKDEFERRED_ROUTINE routine_of(const KDPC *dpc)
{
    return (PKDEFERRED_ROUTINE)(ULONG_PTR)dpc->DpcListEntry.Blink;
}

static VOID NTAPI trampoline(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PKDEFERRED_ROUTINE routine = routine_of(dpc);
    KIRQL irql = bed_irql_raise(DISPATCH_LEVEL);
    void *stack = bed_stack_begin();

    routine(dpc, context, argument1, argument2);
    bed_stack_end(stack);
    bed_irql_lower(irql);
}

static VOID NTAPI shim_KeInitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, PVOID context)
{
    /* not through the import: it is this routine in storport.sys itself */
    RtlZeroMemory(dpc, sizeof(*dpc));
    dpc->Type = DPC_OBJECT;
    dpc->DeferredRoutine = trampoline;
    dpc->DeferredContext = context;
    dpc->DpcListEntry.Flink = NULL;
    dpc->DpcListEntry.Blink = (LIST_ENTRY *)(ULONG_PTR)routine;
    dpc->DpcData = NULL;
}

static KDPC *take(void)
{
    KDPC *dpc;

    RtlAcquireSRWLockExclusive(&lock);
    dpc = first;
    if (dpc != NULL) {
        first = (KDPC *)(void *)dpc->DpcListEntry.Flink;
        dpc->DpcData = NULL; /* from here on it may be queued again */
    }
    RtlReleaseSRWLockExclusive(&lock);
    return dpc;
}

static void dpc_thread(void *unused)
{
    (void)unused;
    for (;;) {
        LONG seen = work;
        KDPC *dpc = take();

        if (dpc == NULL) {
            bed_wait_word(&work, seen, WAIT_INFINITE);
            continue;
        }
        dpc->DeferredRoutine(dpc, dpc->DeferredContext, dpc->SystemArgument1, dpc->SystemArgument2);
        InterlockedDecrement(&busy);
        bed_wake_word(&busy);
    }
}

static void append(KDPC *dpc, PVOID argument1, PVOID argument2)
{
    dpc->SystemArgument1 = argument1;
    dpc->SystemArgument2 = argument2;
    dpc->DpcData = QUEUED;
    dpc->DpcListEntry.Flink = NULL;
    if (first == NULL) {
        first = dpc;
    } else {
        last->DpcListEntry.Flink = (LIST_ENTRY *)(void *)dpc;
    }
    last = dpc;
    InterlockedIncrement(&busy);
}

static BOOLEAN NTAPI shim_KeInsertQueueDpc(PRKDPC dpc, PVOID argument1, PVOID argument2)
{
    bool start = false;
    bool inserted = false;

    RtlAcquireSRWLockExclusive(&lock);
    if (dpc->DpcData == NULL) {
        append(dpc, argument1, argument2);
        inserted = true;
        start = !running;
        running = true;
    }
    RtlReleaseSRWLockExclusive(&lock);
    if (start && !bed_thread_start(dpc_thread, NULL)) {
        port_violation("bed: no thread for DPCs");
    }
    if (inserted) {
        InterlockedIncrement(&work);
        bed_wake_word(&work);
    }
    return inserted;
}

static BOOLEAN NTAPI shim_KeRemoveQueueDpc(PRKDPC dpc)
{
    KDPC *before = NULL;
    KDPC *at;

    RtlAcquireSRWLockExclusive(&lock);
    for (at = first; at != NULL && at != dpc; at = (KDPC *)(void *)at->DpcListEntry.Flink) {
        before = at;
    }
    if (at != NULL) {
        if (before == NULL) {
            first = (KDPC *)(void *)at->DpcListEntry.Flink;
        } else {
            before->DpcListEntry.Flink = at->DpcListEntry.Flink;
        }
        last = last == at ? before : last;
        at->DpcData = NULL;
        InterlockedDecrement(&busy);
    }
    RtlReleaseSRWLockExclusive(&lock);
    return at != NULL;
}

static VOID NTAPI shim_KeFlushQueuedDpcs(void)
{
    LONG seen;

    bed_irql_at_most(PASSIVE_LEVEL, "KeFlushQueuedDpcs");
    while ((seen = busy) != 0) {
        bed_wait_word(&busy, seen, WAIT_INFINITE);
    }
}

const struct shim bed_dpc_shims[] = {
    SHIM_MEND(KeInitializeDpc),
    SHIM_MEND(KeInsertQueueDpc),
    SHIM_MEND(KeRemoveQueueDpc),
    SHIM_MEND(KeFlushQueuedDpcs),
    SHIM_END,
};
