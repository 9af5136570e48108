/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/channel_wait.h"

#include "driver/disk.h"

struct waiter *waiter_begin(struct disk *disk, PIRP irp, enum waiter_kind kind)
{
    struct waiter *waiter = waiter_of(irp);

    disk_reference(disk);
    waiter->disk = disk;
    waiter->kind = kind;
    waiter->refused = 0;
    waiter->mdl = NULL;
    return waiter;
}

/* ---- Ends ---- */

/* The IRP is on no list and has no cancel routine. */
void waiter_end(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    struct waiter *waiter = waiter_of(irp);
    struct disk *disk = waiter->disk;

    if (waiter->mdl != NULL) {
        MmUnlockPages(waiter->mdl);
        IoFreeMdl(waiter->mdl);
        InterlockedDecrement(&disk->channel.fetching);
    }
    ioctl_complete(disk->adapter, irp, status, information);
    disk_release(disk);
}

void waiter_end_enter(PIRP irp, uint32_t count, bool disconnected)
{
    WNBD_ENTER_OUTPUT *output = irp->AssociatedIrp.SystemBuffer;

    output->RequestCount = count;
    output->RefusedCount = waiter_of(irp)->refused;
    output->Reserved = 0;
    output->Disconnected = disconnected;
    waiter_end(irp, STATUS_SUCCESS, FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests) + count * sizeof output->Requests[0]);
}

/* Its output is the whole command, or, in a buffer that is smaller than that, the request alone. */
void waiter_end_fetch(PIRP irp)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;

    if (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength >= sizeof *command) {
        waiter_end(irp, STATUS_SUCCESS, sizeof *command);
        return;
    }
    RtlMoveMemory(command, &command->Request, sizeof command->Request);
    waiter_end(irp, STATUS_SUCCESS, sizeof command->Request);
}

static void end_fetch_disconnected(PIRP irp)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;

    RtlZeroMemory(&command->Request, sizeof command->Request);
    command->Request.RequestType = WnbdReqTypeDisconnect;
    waiter_end_fetch(irp);
}

/* What the owner is told. */
static NTSTATUS end_status(const struct disk *disk)
{
    switch ((enum disk_end)disk->end) {
    case DISK_STAYS: /* it has not come to life */
    case DISK_UNMAPPED:
        break;
    case DISK_CLEARED:
        return STATUS_SHUTDOWN_IN_PROGRESS;
    case DISK_DESERTED:
        return STATUS_IO_TIMEOUT;
    case DISK_LOST_PLACE:
        return STATUS_DEVICE_REMOVED;
    }
    return STATUS_SUCCESS;
}

static void end_disconnected(PIRP irp)
{
    switch (waiter_of(irp)->kind) {
    case WAITER_ENTER:
        waiter_end_enter(irp, 0, true);
        break;
    case WAITER_FETCH:
        end_fetch_disconnected(irp);
        break;
    case WAITER_OWN:
        waiter_end(irp, end_status(waiter_of(irp)->disk), 0);
        break;
    }
}

/* ---- Waiting ---- */

/* The I/O manager calls it with the cancel lock held. Nobody else completes the IRP from here on. */
static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct disk *disk = waiter_of(irp)->disk;
    KLOCK_QUEUE_HANDLE handle;

    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseInStackQueuedSpinLock(&handle);
    if (waiter_of(irp)->kind == WAITER_OWN) {
        owner_lost(disk, waiter_file(irp));
    }
    waiter_end(irp, STATUS_CANCELLED, 0);
}

/* disk->lock is held. */
enum wait_outcome waiter_wait_locked(struct disk *disk, PIRP irp, LIST_ENTRY *list)
{
    if (disk->channel.gone) {
        return WAIT_GONE;
    }
    InsertTailList(list, &irp->Tail.Overlay.ListEntry);
    IoSetCancelRoutine(irp, cancel);
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
        RemoveEntryList(&irp->Tail.Overlay.ListEntry);
        return WAIT_CANCELLED;
    }
    return WAIT_BEGUN;
}

/* No locks. */
void waiter_after_wait(PIRP irp, enum wait_outcome outcome)
{
    switch (outcome) {
    case WAIT_BEGUN:
    case WAIT_NEEDLESS:
        break;
    case WAIT_CANCELLED:
        waiter_end(irp, STATUS_CANCELLED, 0);
        break;
    case WAIT_GONE:
        end_disconnected(irp);
        break;
    case WAIT_REFUSED:
        waiter_end(irp, STATUS_ACCESS_DENIED, 0);
        break;
    case WAIT_DOUBLED:
        waiter_end(irp, STATUS_INVALID_DEVICE_STATE, 0);
        break;
    }
}

/* ---- What waits no longer ---- */

/* The first of the list that has not been cancelled, NULL. disk->lock is held. */
PIRP waiter_take_locked(LIST_ENTRY *list)
{
    while (!IsListEmpty(list)) {
        PIRP irp = CONTAINING_RECORD(RemoveHeadList(list), IRP, Tail.Overlay.ListEntry);

        if (IoSetCancelRoutine(irp, NULL) != NULL) {
            return irp;
        }
        InitializeListHead(&irp->Tail.Overlay.ListEntry); /* for the routine, which waits for the lock */
    }
    return NULL;
}

/* Up to `count` of the list, to another. disk->lock is held. */
void waiter_take_some_locked(LIST_ENTRY *list, uint32_t count, LIST_ENTRY *taken)
{
    PIRP irp;

    while (count-- != 0 && (irp = waiter_take_locked(list)) != NULL) {
        InsertTailList(taken, &irp->Tail.Overlay.ListEntry);
    }
}

/* The first of those, NULL. */
PIRP waiter_next_taken(LIST_ENTRY *taken)
{
    return !IsListEmpty(taken) ? CONTAINING_RECORD(RemoveHeadList(taken), IRP, Tail.Overlay.ListEntry) : NULL;
}

/* All that wait for requests, and for the owner's sake. disk->lock is held. */
static void take_all_locked(struct channel *channel, LIST_ENTRY *taken)
{
    waiter_take_some_locked(&channel->enters, UINT32_MAX, taken);
    waiter_take_some_locked(&channel->fetches, UINT32_MAX, taken);
    waiter_take_some_locked(&channel->owns, UINT32_MAX, taken);
}

/* Whether requests are for its sender: not if it is not the owner any more, or is just becoming that. disk->lock is
 * held. */
bool waiter_is_served_locked(struct disk *disk, PIRP irp)
{
    return disk->state == DISK_READY && owner_is(disk, waiter_file(irp));
}

/* ---- The disk's end, and its owner's ---- */

void channel_own(struct disk *disk, PIRP irp)
{
    KLOCK_QUEUE_HANDLE handle;
    enum wait_outcome outcome;

    waiter_begin(disk, irp, WAITER_OWN);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (disk->state != DISK_REMOVING && !owner_is(disk, waiter_file(irp))) {
        outcome = WAIT_REFUSED;
    } else if (!IsListEmpty(&disk->channel.owns)) {
        outcome = WAIT_DOUBLED;
    } else {
        outcome = waiter_wait_locked(disk, irp, &disk->channel.owns);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (outcome == WAIT_CANCELLED) {
        owner_lost(disk, waiter_file(irp));
    }
    waiter_after_wait(irp, outcome);
}

void channel_await_end(struct disk *disk, PIRP irp)
{
    bool enters = *(const ULONG *)irp->AssociatedIrp.SystemBuffer == IOCTL_WNBD_ENTER;
    enum wait_outcome outcome;
    KLOCK_QUEUE_HANDLE handle;

    waiter_begin(disk, irp, enters ? WAITER_ENTER : WAITER_FETCH);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    outcome = waiter_wait_locked(disk, irp, &disk->channel.ends);
    KeReleaseInStackQueuedSpinLock(&handle);
    waiter_after_wait(irp, outcome);
}

void channel_end_waiting(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    LIST_ENTRY taken;
    PIRP irp;

    InitializeListHead(&taken);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->channel.gone = true;
    take_all_locked(&disk->channel, &taken);
    waiter_take_some_locked(&disk->channel.ends, UINT32_MAX, &taken);
    KeReleaseInStackQueuedSpinLock(&handle);
    while ((irp = waiter_next_taken(&taken)) != NULL) {
        end_disconnected(irp);
    }
}

void channel_stop_waiting_locked(struct disk *disk, LIST_ENTRY *refused)
{
    InitializeListHead(refused);
    take_all_locked(&disk->channel, refused);
}

void channel_refuse(LIST_ENTRY *refused)
{
    PIRP irp;

    while ((irp = waiter_next_taken(refused)) != NULL) {
        waiter_end(irp, STATUS_ACCESS_DENIED, 0);
    }
}
