/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bed/serving_wait.h"

#include "core/base/list.h"

/* In the IRP: Tail.Overlay.DriverContext. */
struct waiter {
    struct list_link link; /* guarded by lock */
    IRP *irp;
};

static KSPIN_LOCK lock;
static struct list_link waiters = {&waiters, &waiters}; /* guarded by lock */
static ULONG waiting;                                   /* guarded by lock */
static ULONG cancelled;                                 /* guarded by lock */

void wait_init(void)
{
    KeInitializeSpinLock(&lock);
}

static struct waiter *waiter_of(IRP *irp)
{
    return (struct waiter *)(void *)irp->Tail.Overlay.DriverContext;
}

static void remove_locked(struct waiter *waiter)
{
    list_remove(&waiter->link);
    waiting--;
}

static void end_cancelled(IRP *irp)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    remove_locked(waiter_of(irp));
    cancelled++;
    KeReleaseSpinLock(&lock, irql);
    serving_finish(irp, STATUS_CANCELLED, 0);
}

static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    end_cancelled(irp);
}

void wait_begin(IRP *irp)
{
    struct waiter *waiter = waiter_of(irp);
    BOOLEAN is_cancelled;
    KIRQL irql;

    waiter->irp = irp;
    KeAcquireSpinLock(&lock, &irql);
    list_append(&waiters, &waiter->link);
    waiting++;
    IoSetCancelRoutine(irp, cancel);
    is_cancelled = irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL;
    KeReleaseSpinLock(&lock, irql);
    if (is_cancelled) {
        end_cancelled(irp);
    }
}

static BOOLEAN is_of(const FILE_OBJECT *file, IRP *irp)
{
    return file == NULL || IoGetCurrentIrpStackLocation(irp)->FileObject == file;
}

/* One that no cancel has begun with; *left: how many there are. */
static IRP *take(const FILE_OBJECT *file, ULONG *left)
{
    IRP *taken = NULL;
    KIRQL irql;

    *left = 0;
    KeAcquireSpinLock(&lock, &irql);
    for (struct list_link *link = waiters.next; link != &waiters && taken == NULL; link = link->next) {
        IRP *irp = list_member(link, struct waiter, link)->irp;

        if (is_of(file, irp)) {
            taken = IoSetCancelRoutine(irp, NULL) != NULL ? irp : NULL;
            (*left)++;
        }
    }
    if (taken != NULL) {
        remove_locked(waiter_of(taken));
    }
    KeReleaseSpinLock(&lock, irql);
    return taken;
}

void wait_end(const FILE_OBJECT *file)
{
    LARGE_INTEGER moment = {.QuadPart = -10000};
    ULONG left;

    do {
        IRP *irp = take(file, &left);

        if (irp != NULL) {
            serving_finish(irp, STATUS_FILE_CLOSED, 0);
        } else if (left != 0) {
            KeDelayExecutionThread(KernelMode, FALSE, &moment);
        }
    } while (left != 0);
}

void wait_count(struct serving *command)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    command->waiting = waiting;
    command->cancelled = cancelled;
    KeReleaseSpinLock(&lock, irql);
}
