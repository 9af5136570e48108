/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/irp.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/sanitizer.h"
#include "bed/host/schedule.h"
#include "bed/host/spinlock.h"
#include "bed/host/thread.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdlib.h>

#define IRP_MARK  0x7072697072697072ULL
#define TYPE_IRP  6
#define SETTLE_MS 10000

/* Before each IRP. */
struct header {
    struct list_link link; /* guarded by lock */
    ULONGLONG mark;
    const void *caller;
    void (*ended)(PIRP irp, void *context);
    void *context;
};

static struct bed_lock lock;
static struct list_link irps = {&irps, &irps};

static struct header *header_of(PIRP irp, const char *routine)
{
    struct header *header = (struct header *)irp - 1;

    if (irp == NULL || header->mark != IRP_MARK) {
        port_violation("irp: %s of %p, which is no IRP", routine, (void *)irp);
        abort();
    }
    return header;
}

static void init(PIRP irp, CHAR stack_size)
{
    SIZE_T size = sizeof(IRP) + (SIZE_T)stack_size * sizeof(IO_STACK_LOCATION);

    RtlZeroMemory(irp, size);
    irp->Type = TYPE_IRP;
    irp->Size = (USHORT)size;
    irp->StackCount = stack_size;
    irp->CurrentLocation = (CHAR)(stack_size + 1);
    irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(irp + 1) + stack_size;
}

static PIRP create(CHAR stack_size, const void *caller)
{
    SIZE_T size = sizeof(struct header) + sizeof(IRP) + (SIZE_T)stack_size * sizeof(IO_STACK_LOCATION);
    struct header *header = malloc(size);

    if (header == NULL) {
        return NULL;
    }
    *header = (struct header){.mark = IRP_MARK, .caller = caller};
    bed_lock_unseen(&lock);
    list_append(&irps, &header->link);
    bed_unlock_unseen(&lock);
    init((PIRP)(header + 1), stack_size);
    return (PIRP)(header + 1);
}

PIRP IoAllocateIrp(CHAR StackSize, BOOLEAN ChargeQuota)
{
    UNREFERENCED_PARAMETER(ChargeQuota);
    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateIrp");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_IRP)) {
        return NULL;
    }
    return create(StackSize, __builtin_return_address(0));
}

PIRP bed_irp_create(CHAR stack_size, void (*ended)(PIRP irp, void *context), void *context)
{
    PIRP irp = create(stack_size, __builtin_return_address(0));

    if (irp != NULL) {
        header_of(irp, "bed_irp_create")->ended = ended;
        header_of(irp, "bed_irp_create")->context = context;
    }
    return irp;
}

/* Whether a driver below has it: sent and not yet back. */
static BOOLEAN is_out(const IRP *irp)
{
    return irp->CurrentLocation <= irp->StackCount;
}

VOID IoFreeIrp(PIRP Irp)
{
    struct header *header = header_of(Irp, "IoFreeIrp");

    bed_irql_at_most(DISPATCH_LEVEL, "IoFreeIrp");
    if (is_out(Irp)) {
        port_violation("irp: %p is freed while a driver has it", (void *)Irp);
    }
    if (Irp->CancelRoutine != NULL) {
        port_violation("irp: %p is freed with its cancel routine set", (void *)Irp);
    }
    bed_lock_unseen(&lock);
    list_remove(&header->link);
    bed_unlock_unseen(&lock);
    header->mark = 0;
    free(header);
}

VOID IoReuseIrp(PIRP Irp, NTSTATUS Status)
{
    header_of(Irp, "IoReuseIrp");
    bed_irql_at_most(DISPATCH_LEVEL, "IoReuseIrp");
    if (is_out(Irp)) {
        port_violation("irp: %p is reused while a driver has it", (void *)Irp);
    }
    init(Irp, Irp->StackCount);
    Irp->IoStatus.Status = Status;
}

NTSTATUS IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG regions = bed_thread_self()->critical_regions;
    PIO_STACK_LOCATION stack;
    NTSTATUS status;

    header_of(Irp, "IoCallDriver");
    bed_irql_at_most(DISPATCH_LEVEL, "IoCallDriver");
    bed_spinlocks_none("IoCallDriver");
    if (Irp->CurrentLocation <= 1) {
        port_violation("irp: IoCallDriver with %p, which has no stack location left", (void *)Irp);
        abort();
    }
    IoSetNextIrpStackLocation(Irp);
    stack = IoGetCurrentIrpStackLocation(Irp);
    stack->DeviceObject = DeviceObject;
    status = DeviceObject->DriverObject->MajorFunction[stack->MajorFunction](DeviceObject, Irp);
    if (bed_thread_self()->critical_regions != regions) {
        port_violation("thread: a driver was called within %u critical regions and returned within %u", regions,
                       bed_thread_self()->critical_regions);
    }
    return status;
}

/* ---- completion ---- */

static void check_completion(PIRP irp)
{
    header_of(irp, "IoCompleteRequest");
    bed_irql_at_most(DISPATCH_LEVEL, "IoCompleteRequest");
    bed_spinlocks_none("IoCompleteRequest");
    if (!is_out(irp)) {
        port_violation("irp: %p is completed and no driver has it: completed twice?", (void *)irp);
        abort();
    }
    if (irp->IoStatus.Status == STATUS_PENDING) {
        port_violation("irp: %p is completed with STATUS_PENDING", (void *)irp);
    }
    if (irp->CancelRoutine != NULL) {
        port_violation("irp: %p is completed with its cancel routine set", (void *)irp);
    }
}

static BOOLEAN wants_call(const IRP *irp, const IO_STACK_LOCATION *stack)
{
    UCHAR wanted = NT_SUCCESS(irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR;

    return stack->CompletionRoutine != NULL &&
           ((stack->Control & wanted) != 0 || (irp->Cancel && (stack->Control & SL_INVOKE_ON_CANCEL) != 0));
}

static volatile LONG inside; /* completion routines of a driver that are running */

static NTSTATUS call_routine(PIO_COMPLETION_ROUTINE routine, PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    BOOLEAN counts = bed_in_image((const void *)routine);
    NTSTATUS status;

    if (counts) {
        InterlockedIncrement(&inside);
    }
    status = routine(device, irp, context);
    if (counts) {
        InterlockedDecrement(&inside);
    }
    return status;
}

void bed_irps_settle(void)
{
    LARGE_INTEGER pause = {.QuadPart = -1 * 10000};

    if (inside != 0) {
        port_log("unloading waits for a completion routine that has not returned");
    }
    for (ULONG i = 0; i < SETTLE_MS && inside != 0; i++) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
}

/* Calls what the level above has set for the level that `stack` belongs to. FALSE: the IRP is that level's again. */
static BOOLEAN climb(PIRP irp, PIO_STACK_LOCATION stack)
{
    PDEVICE_OBJECT device = is_out(irp) ? IoGetCurrentIrpStackLocation(irp)->DeviceObject : NULL;

    irp->PendingReturned = (stack->Control & SL_PENDING_RETURNED) != 0;
    if (wants_call(irp, stack)) {
        PIO_COMPLETION_ROUTINE routine = stack->CompletionRoutine;
        unsigned char irql = bed_irql();
        NTSTATUS status;

        stack->Control = 0;
        status = call_routine(routine, device, irp, stack->Context);
        if (bed_irql() != irql) {
            port_violation("irql: a completion routine was entered at %u and left at %u", irql, bed_irql());
        }
        return status != STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (irp->PendingReturned && is_out(irp)) {
        IoMarkIrpPending(irp);
    }
    return TRUE;
}

VOID IofCompleteRequest(PIRP Irp, CHAR PriorityBoost)
{
    struct header *header;

    UNREFERENCED_PARAMETER(PriorityBoost);
    check_completion(Irp);
    bed_schedule_point(BED_POINT_COMPLETE);
    while (is_out(Irp)) {
        PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

        IoSkipCurrentIrpStackLocation(Irp);
        if (!climb(Irp, stack)) {
            return;
        }
    }
    header = header_of(Irp, "IoCompleteRequest");
    if (header->ended == NULL) {
        char where[BED_PLACE_LENGTH];

        port_violation("irp: an IRP made at %s was let through by its own maker", bed_place(header->caller, where));
        return;
    }
    header->ended(Irp, header->context);
}

/* ---- cancelling ---- */

static KSPIN_LOCK cancel_lock;

VOID IoAcquireCancelSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&cancel_lock, Irql);
}

VOID IoReleaseCancelSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&cancel_lock, Irql);
}

BOOLEAN IoCancelIrp(PIRP Irp)
{
    PDRIVER_CANCEL routine;
    unsigned char before = bed_irql();
    KIRQL irql;

    header_of(Irp, "IoCancelIrp");
    bed_irql_at_most(DISPATCH_LEVEL, "IoCancelIrp");
    bed_schedule_point(BED_POINT_CANCEL);
    IoAcquireCancelSpinLock(&irql);
    Irp->Cancel = TRUE;
    bed_publish(&Irp->Cancel);
    routine = IoSetCancelRoutine(Irp, NULL);
    if (routine == NULL) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    Irp->CancelIrql = irql;
    bed_observe(&Irp->CancelRoutine);
    routine(is_out(Irp) ? IoGetCurrentIrpStackLocation(Irp)->DeviceObject : NULL, Irp);
    if (bed_irql() != before) {
        port_violation("irql: a cancel routine was called at %u and left it at %u", before, bed_irql());
    }
    bed_spinlocks_none("return from a cancel routine");
    return TRUE;
}

ULONG bed_irps_check(void)
{
    ULONG count = 0;

    bed_lock_unseen(&lock);
    for (struct list_link *link = irps.next; link != &irps; link = link->next) {
        char where[BED_PLACE_LENGTH];

        port_violation("irp-leak: an IRP made at %s", bed_place(list_member(link, struct header, link)->caller, where));
        count++;
    }
    bed_unlock_unseen(&lock);
    return count;
}

/* ---- what bed/port asks for: IRPs here stay until a cancel that has begun is over ---- */

void bed_irp_begin(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
}

void bed_irp_end(IRP *irp)
{
    UNREFERENCED_PARAMETER(irp);
}
