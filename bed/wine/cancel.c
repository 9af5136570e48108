/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IoCancelIrp, and which IRPs of clients are in hand.
 *
 *   wineserver: the client dies -> cancel of IRP A is queued --+
 *   driver:     completes A, Wine frees it                     |
 *   Wine:       takes the cancel, IoCancelIrp(A) <-------------+   A is freed memory
 *
 * Windows' I/O manager keeps an IRP until a cancel that has begun is over; Wine calls its own IoCancelIrp with whatever
 * the server named. So the beginning of Wine's routine is overwritten with a jump to ours, which looks the IRP up
 * first. What is left: an address that is used again at once for another client's IRP, which is cancelled in A's place
 * then.
 */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"
#include "bed/wine/start.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#define BUCKETS 256u

struct known {
    struct known *next;
    IRP *irp;
};

static RTL_SRWLOCK lock;
static struct known *buckets[BUCKETS]; /* guarded by lock */

/* Where the pointer to the IRP's entry stands, or would stand. `lock` is held. */
static struct known **find_locked(const IRP *irp)
{
    struct known **at = &buckets[(ULONG_PTR)irp / 64 % BUCKETS];

    while (*at != NULL && (*at)->irp != irp) {
        at = &(*at)->next;
    }
    return at;
}

void bed_irp_begin(IRP *irp)
{
    struct known *known = bed_allocate(sizeof(*known));
    struct known **at;

    if (known == NULL) {
        return; /* it cannot be cancelled then */
    }
    RtlAcquireSRWLockExclusive(&lock);
    at = find_locked(irp);
    if (*at == NULL) {
        known->irp = irp;
        *at = known;
        known = NULL;
    }
    RtlReleaseSRWLockExclusive(&lock);
    bed_free(known);
}

void bed_irp_end(IRP *irp)
{
    struct known **at;
    struct known *known;

    RtlAcquireSRWLockExclusive(&lock);
    at = find_locked(irp);
    known = *at;
    if (known != NULL) {
        *at = known->next;
    }
    RtlReleaseSRWLockExclusive(&lock);
    bed_free(known);
}

/* The cancel lock is held. Whoever takes the routine out of the IRP decides its end, so that it stays until then. */
static DRIVER_CANCEL *take_routine(IRP *irp)
{
    irp->Cancel = TRUE;
    return IoSetCancelRoutine(irp, NULL);
}

static DRIVER_CANCEL *take_routine_if_known(IRP *irp)
{
    DRIVER_CANCEL *routine = NULL;

    RtlAcquireSRWLockExclusive(&lock);
    if (*find_locked(irp) != NULL) {
        routine = take_routine(irp);
    }
    RtlReleaseSRWLockExclusive(&lock);
    return routine;
}

static BOOLEAN cancel(IRP *irp, DRIVER_CANCEL *(*take)(IRP *irp))
{
    DRIVER_CANCEL *routine;
    KIRQL irql;

    IoAcquireCancelSpinLock(&irql);
    routine = take(irp);
    if (routine == NULL) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    irp->CancelIrql = irql;
    routine(IoGetCurrentIrpStackLocation(irp)->DeviceObject, irp); /* releases the lock */
    return TRUE;
}

/* Called by Wine, for clients. */
static BOOLEAN NTAPI cancel_of_client(IRP *irp)
{
    return cancel(irp, take_routine_if_known);
}

/* Called by drivers, for IRPs of their own. */
static BOOLEAN NTAPI shim_IoCancelIrp(PIRP irp)
{
    return cancel(irp, take_routine);
}

/* ---- The jump ---- */

struct jump {
    UCHAR opcode[6]; /* jmp *0(%rip) */
    UCHAR target[sizeof(void *)];
};

void bed_cancel_start(void)
{
    struct jump jump = {.opcode = {0xFF, 0x25, 0, 0, 0, 0}};
    void *target = (void *)cancel_of_client;
    SIZE_T size = sizeof(jump);
    struct jump *routine;
    UNICODE_STRING name;
    PVOID page;
    ULONG old;

    RtlInitUnicodeString(&name, L"IoCancelIrp");
    routine = MmGetSystemRoutineAddress(&name);
    page = routine;
    memcpy(jump.target, &target, sizeof(target));
    if (routine == NULL ||
        !NT_SUCCESS(NtProtectVirtualMemory(NtCurrentProcess(), &page, &size, PAGE_EXECUTE_READWRITE, &old))) {
        port_log("IoCancelIrp stays Wine's own: a client that dies may end the bed");
        return;
    }
    memcpy(routine, &jump, sizeof(jump));
    NtProtectVirtualMemory(NtCurrentProcess(), &page, &size, old, &old);
}

const struct shim bed_cancel_shims[] = {
    SHIM_MEND(IoCancelIrp),
    SHIM_END,
};
