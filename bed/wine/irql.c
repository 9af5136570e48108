/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pretended IRQL and kernel stack of each thread, and the shims of what changes the IRQL. */
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/wine/spinlock.h"
#include "bed/wine/stack.h"
#include "bed/wine/start.h"
#include "bed/port/violation.h"

/* Of a kernel stack of 24 KiB, what the file system and class drivers above a miniport have typically left of it. */
#define STACK_LEFT 14000

static unsigned long irql_slot;
static unsigned long stack_slot;

void bed_irql_start(void)
{
    irql_slot = TlsAlloc();
    stack_slot = TlsAlloc();
}

unsigned char bed_irql(void)
{
    return (unsigned char)(ULONG_PTR)TlsGetValue(irql_slot);
}

static void irql_set(unsigned char irql)
{
    TlsSetValue(irql_slot, (void *)(ULONG_PTR)irql);
}

unsigned char bed_irql_raise(unsigned char irql)
{
    unsigned char old = bed_irql();

    if (irql < old) {
        port_violation("irql: raised to %u from %u", irql, old);
    }
    irql_set(irql);
    return old;
}

void bed_irql_lower(unsigned char irql)
{
    if (irql > bed_irql()) {
        port_violation("irql: lowered to %u from %u", irql, bed_irql());
    }
    irql_set(irql);
}

bool bed_irql_at_most(unsigned char highest, const char *routine)
{
    if (bed_irql() <= highest) {
        return true;
    }
    port_violation("irql: %s was called at IRQL %u, allowed is %u at most", routine, bed_irql(), highest);
    return false;
}

void *bed_stack_begin(void)
{
    void *old = TlsGetValue(stack_slot);

    if (old == NULL) {
        TlsSetValue(stack_slot, __builtin_frame_address(0));
    }
    return old;
}

void bed_stack_end(void *old)
{
    TlsSetValue(stack_slot, old);
}

size_t bed_stack_left(const void *here)
{
    const UCHAR *base = TlsGetValue(stack_slot);
    size_t used = base != NULL && (const UCHAR *)here < base ? (size_t)(base - (const UCHAR *)here) : 0;

    return used < STACK_LEFT ? STACK_LEFT - used : 0;
}

static ULONG_PTR NTAPI shim_IoGetRemainingStackSize(void)
{
    return bed_stack_left(__builtin_frame_address(0));
}

static KIRQL NTAPI shim_KfRaiseIrql(KIRQL irql)
{
    return bed_irql_raise(irql);
}

static VOID NTAPI shim_KfLowerIrql(KIRQL irql)
{
    bed_irql_lower(irql);
}

static KIRQL NTAPI shim_KeRaiseIrqlToDpcLevel(void)
{
    return bed_irql_raise(DISPATCH_LEVEL);
}

static KIRQL NTAPI shim_KeGetCurrentIrql(void)
{
    return bed_irql();
}

static void at_dispatch(const char *routine)
{
    if (bed_irql() < DISPATCH_LEVEL) {
        port_violation("irql: %s was called at IRQL %u, it needs DISPATCH_LEVEL", routine, bed_irql());
    }
}

static KIRQL raise_for(const char *routine)
{
    bed_irql_at_most(DISPATCH_LEVEL, routine);
    return bed_irql_raise(DISPATCH_LEVEL);
}

static KIRQL NTAPI shim_KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK lock)
{
    KIRQL old = raise_for("KeAcquireSpinLock");

    bed_spin_acquire(lock, "KeAcquireSpinLock");
    return old;
}

static VOID NTAPI shim_KeReleaseSpinLock(PKSPIN_LOCK lock, KIRQL irql)
{
    at_dispatch("KeReleaseSpinLock");
    bed_spin_release(lock, "KeReleaseSpinLock");
    bed_irql_lower(irql);
}

static VOID NTAPI shim_KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock)
{
    at_dispatch("KeAcquireSpinLockAtDpcLevel");
    bed_spin_acquire(lock, "KeAcquireSpinLockAtDpcLevel");
}

static VOID NTAPI shim_KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK lock)
{
    at_dispatch("KeReleaseSpinLockFromDpcLevel");
    bed_spin_release(lock, "KeReleaseSpinLockFromDpcLevel");
}

static BOOLEAN NTAPI shim_KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK lock)
{
    at_dispatch("KeTryToAcquireSpinLockAtDpcLevel");
    return bed_spin_try(lock);
}

static VOID NTAPI shim_KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle)
{
    handle->OldIrql = raise_for("KeAcquireInStackQueuedSpinLock");
    handle->LockQueue.Lock = lock;
    bed_spin_acquire(lock, "KeAcquireInStackQueuedSpinLock");
}

static VOID NTAPI shim_KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE handle)
{
    at_dispatch("KeReleaseInStackQueuedSpinLock");
    bed_spin_release((PKSPIN_LOCK)(ULONG_PTR)handle->LockQueue.Lock, "KeReleaseInStackQueuedSpinLock");
    bed_irql_lower(handle->OldIrql);
}

static VOID NTAPI shim_KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle)
{
    at_dispatch("KeAcquireInStackQueuedSpinLockAtDpcLevel");
    handle->LockQueue.Lock = lock;
    bed_spin_acquire(lock, "KeAcquireInStackQueuedSpinLockAtDpcLevel");
}

static VOID NTAPI shim_KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE handle)
{
    at_dispatch("KeReleaseInStackQueuedSpinLockFromDpcLevel");
    bed_spin_release((PKSPIN_LOCK)(ULONG_PTR)handle->LockQueue.Lock, "KeReleaseInStackQueuedSpinLockFromDpcLevel");
}

static VOID NTAPI shim_IoAcquireCancelSpinLock(PKIRQL irql)
{
    KIRQL unused;

    bed_irql_at_most(DISPATCH_LEVEL, "IoAcquireCancelSpinLock");
    IoAcquireCancelSpinLock(&unused);
    *irql = bed_irql_raise(DISPATCH_LEVEL);
}

/* Wine calls cancel routines with its own idea of the IRQL, so a lower one than at_dispatch would want is seen here. */
static VOID NTAPI shim_IoReleaseCancelSpinLock(KIRQL irql)
{
    IoReleaseCancelSpinLock(irql);
    if (irql < bed_irql()) {
        bed_irql_lower(irql);
    }
}

const struct shim bed_irql_shims[] = {
    SHIM_MEND(IoGetRemainingStackSize),
    SHIM_CHECK(KfRaiseIrql),
    SHIM_CHECK(KfLowerIrql),
    {"KeLowerIrql", (void *)shim_KfLowerIrql, SHIM_DRIVER},
    SHIM_CHECK(KeRaiseIrqlToDpcLevel),
    SHIM_CHECK(KeGetCurrentIrql),
    SHIM_CHECK(KeAcquireSpinLockRaiseToDpc),
    SHIM_CHECK(KeReleaseSpinLock),
    SHIM_CHECK(KeAcquireSpinLockAtDpcLevel),
    SHIM_CHECK(KeReleaseSpinLockFromDpcLevel),
    SHIM_CHECK(KeTryToAcquireSpinLockAtDpcLevel),
    SHIM_CHECK(KeAcquireInStackQueuedSpinLock),
    SHIM_CHECK(KeReleaseInStackQueuedSpinLock),
    SHIM_CHECK(KeAcquireInStackQueuedSpinLockAtDpcLevel),
    SHIM_CHECK(KeReleaseInStackQueuedSpinLockFromDpcLevel),
    SHIM_CHECK(IoAcquireCancelSpinLock),
    SHIM_CHECK(IoReleaseCancelSpinLock),
    SHIM_END,
};
