/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cancel-safe IRP queues. The driver keeps the list and the lock; these routines see to it that an IRP is either
 * taken off by the driver or by its cancellation. An IRP in a queue has the queue, or the context that names it, in
 * DriverContext[3].
 */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"

#define TYPE_CSQ         1
#define TYPE_CSQ_CONTEXT 2
#define TYPE_CSQ_EX      3

static PIO_CSQ csq_of(PIRP irp, PIO_CSQ_IRP_CONTEXT *context)
{
    ULONG *type = irp->Tail.Overlay.DriverContext[3];

    *context = NULL;
    if (*type != TYPE_CSQ_CONTEXT) {
        return (PIO_CSQ)(void *)type;
    }
    *context = (PIO_CSQ_IRP_CONTEXT)(void *)type;
    return (*context)->Csq;
}

static VOID NTAPI csq_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_CSQ_IRP_CONTEXT context;
    PIO_CSQ csq;
    KIRQL irql;

    (void)device;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    csq = csq_of(irp, &context);
    csq->CsqAcquireLock(csq, &irql);
    csq->CsqRemoveIrp(csq, irp);
    if (context != NULL) {
        context->Irp = NULL;
    }
    csq->CsqReleaseLock(csq, irql);
    csq->CsqCompleteCanceledIrp(csq, irp);
}

static NTSTATUS NTAPI shim_IoCsqInitialize(PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                                           PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                                           PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete)
{
    *csq = (IO_CSQ){.Type = TYPE_CSQ,
                    .CsqInsertIrp = insert,
                    .CsqRemoveIrp = remove,
                    .CsqPeekNextIrp = peek,
                    .CsqAcquireLock = acquire,
                    .CsqReleaseLock = release,
                    .CsqCompleteCanceledIrp = complete};
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_IoCsqInitializeEx(PIO_CSQ csq, PIO_CSQ_INSERT_IRP_EX insert, PIO_CSQ_REMOVE_IRP remove,
                                             PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                                             PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete)
{
    shim_IoCsqInitialize(csq, (PIO_CSQ_INSERT_IRP)(void *)insert, remove, peek, acquire, release, complete);
    csq->Type = TYPE_CSQ_EX;
    return STATUS_SUCCESS;
}

static NTSTATUS insert_irp(PIO_CSQ csq, PIRP irp, PVOID argument)
{
    if (csq->Type == TYPE_CSQ_EX) {
        return ((PIO_CSQ_INSERT_IRP_EX)(void *)csq->CsqInsertIrp)(csq, irp, argument);
    }
    csq->CsqInsertIrp(csq, irp);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_IoCsqInsertIrpEx(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID argument)
{
    NTSTATUS status;
    KIRQL irql;
    bool cancelled = false;

    if (context != NULL) {
        *context = (IO_CSQ_IRP_CONTEXT){.Type = TYPE_CSQ_CONTEXT, .Irp = irp, .Csq = csq};
    }
    irp->Tail.Overlay.DriverContext[3] = context != NULL ? (void *)context : (void *)csq;
    csq->CsqAcquireLock(csq, &irql);
    status = insert_irp(csq, irp, argument);
    if (NT_SUCCESS(status)) {
        IoMarkIrpPending(irp);
        IoSetCancelRoutine(irp, csq_cancel);
        cancelled = irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL;
        if (cancelled) {
            csq->CsqRemoveIrp(csq, irp);
        }
    }
    csq->CsqReleaseLock(csq, irql);
    if (cancelled) {
        csq->CsqCompleteCanceledIrp(csq, irp);
    }
    return status;
}

static VOID NTAPI shim_IoCsqInsertIrp(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context)
{
    shim_IoCsqInsertIrpEx(csq, irp, context, NULL);
}

/* Called with the queue's lock held: the IRP is ours unless its cancellation has begun. */
static bool claim(PIO_CSQ csq, PIRP irp)
{
    PIO_CSQ_IRP_CONTEXT context;

    if (IoSetCancelRoutine(irp, NULL) == NULL) {
        return false;
    }
    csq_of(irp, &context);
    csq->CsqRemoveIrp(csq, irp);
    if (context != NULL) {
        context->Irp = NULL;
    }
    return true;
}

static PIRP NTAPI shim_IoCsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context)
{
    PIRP irp;
    KIRQL irql;

    csq->CsqAcquireLock(csq, &irql);
    irp = context->Irp;
    if (irp != NULL && !claim(csq, irp)) {
        irp = NULL;
    }
    csq->CsqReleaseLock(csq, irql);
    return irp;
}

static PIRP NTAPI shim_IoCsqRemoveNextIrp(PIO_CSQ csq, PVOID peek)
{
    PIRP irp;
    KIRQL irql;

    csq->CsqAcquireLock(csq, &irql);
    for (irp = csq->CsqPeekNextIrp(csq, NULL, peek); irp != NULL; irp = csq->CsqPeekNextIrp(csq, irp, peek)) {
        if (claim(csq, irp)) {
            break;
        }
    }
    csq->CsqReleaseLock(csq, irql);
    return irp;
}

const struct shim bed_csq_shims[] = {
    SHIM_MEND(IoCsqInitialize),
    SHIM_MEND(IoCsqInitializeEx),
    SHIM_MEND(IoCsqInsertIrp),
    SHIM_MEND(IoCsqInsertIrpEx),
    SHIM_MEND(IoCsqRemoveIrp),
    SHIM_MEND(IoCsqRemoveNextIrp),
    SHIM_END,
};
