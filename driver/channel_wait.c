/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's commands that may wait: on a list of the channel, with a reference to the disk, and cancellable.
 *
 * A command is completed by whoever takes it from its list: somebody who has a request for it, or its cancel routine.
 * Who finds that the routine has been called already leaves it to that.
 */
#include "driver/channel.h"

#include "driver/disk.h"

enum waiter_kind {
    WAITER_ENTER,
    WAITER_FETCH,
    WAITER_OWN,
};

/* What the IRP of such a command remembers. */
struct waiter {
    struct disk *disk; /* referenced */
    enum waiter_kind kind;
    uint32_t refused; /* WAITER_ENTER */
    PMDL mdl;         /* WAITER_FETCH: of the buffer, locked; NULL: none */
};

static struct waiter *waiter_of(PIRP irp)
{
    C_ASSERT(sizeof(struct waiter) <= sizeof irp->Tail.Overlay.DriverContext);

    return (struct waiter *)irp->Tail.Overlay.DriverContext;
}

static PFILE_OBJECT file_of(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->FileObject;
}

static struct waiter *begin(struct disk *disk, PIRP irp, enum waiter_kind kind)
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
static void end(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    struct waiter *waiter = waiter_of(irp);
    struct disk *disk = waiter->disk;

    if (waiter->mdl != NULL) {
        MmUnlockPages(waiter->mdl);
        IoFreeMdl(waiter->mdl);
    }
    ioctl_complete(disk->adapter, irp, status, information);
    disk_release(disk);
}

static void end_enter(PIRP irp, uint32_t count, bool disconnected)
{
    WNBD_ENTER_OUTPUT *output = irp->AssociatedIrp.SystemBuffer;

    output->RequestCount = count;
    output->RefusedCount = waiter_of(irp)->refused;
    output->Reserved = 0;
    output->Disconnected = disconnected;
    end(irp, STATUS_SUCCESS, FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests) + count * sizeof output->Requests[0]);
}

/* Its output is the whole command, or, in a buffer that is smaller than that, the request alone. */
static void end_fetch_with_request(PIRP irp)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;

    if (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength >= sizeof *command) {
        end(irp, STATUS_SUCCESS, sizeof *command);
        return;
    }
    RtlMoveMemory(command, &command->Request, sizeof command->Request);
    end(irp, STATUS_SUCCESS, sizeof command->Request);
}

static void end_fetch_disconnected(PIRP irp)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;

    RtlZeroMemory(&command->Request, sizeof command->Request);
    command->Request.RequestType = WnbdReqTypeDisconnect;
    end_fetch_with_request(irp);
}

static void end_disconnected(PIRP irp)
{
    switch (waiter_of(irp)->kind) {
    case WAITER_ENTER:
        end_enter(irp, 0, true);
        break;
    case WAITER_FETCH:
        end_fetch_disconnected(irp);
        break;
    case WAITER_OWN:
        end(irp, STATUS_SUCCESS, 0);
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
        owner_lost(disk, file_of(irp));
    }
    end(irp, STATUS_CANCELLED, 0);
}

enum wait_outcome {
    WAIT_NEEDLESS,  /* there is something for it at once */
    WAIT_BEGUN,     /* or the cancel routine has been called, and ends it */
    WAIT_CANCELLED, /* before it could wait: the IRP is still the caller's */
    WAIT_GONE,      /* the disk is: the same */
    WAIT_REFUSED,   /* the handle is not the owner any more: the same */
    WAIT_DOUBLED,   /* another of its kind waits: the same */
};

/* disk->lock is held. */
static enum wait_outcome wait_locked(struct disk *disk, PIRP irp, LIST_ENTRY *list)
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
static void after_wait(PIRP irp, enum wait_outcome outcome)
{
    switch (outcome) {
    case WAIT_BEGUN:
    case WAIT_NEEDLESS:
        break;
    case WAIT_CANCELLED:
        end(irp, STATUS_CANCELLED, 0);
        break;
    case WAIT_GONE:
        end_disconnected(irp);
        break;
    case WAIT_REFUSED:
        end(irp, STATUS_ACCESS_DENIED, 0);
        break;
    case WAIT_DOUBLED:
        end(irp, STATUS_INVALID_DEVICE_STATE, 0);
        break;
    }
}

/* ---- What waits no longer ---- */

/* The first of the list that has not been cancelled, NULL. disk->lock is held. */
static PIRP take_locked(LIST_ENTRY *list)
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
static void take_some_locked(LIST_ENTRY *list, uint32_t count, LIST_ENTRY *taken)
{
    PIRP irp;

    while (count-- != 0 && (irp = take_locked(list)) != NULL) {
        InsertTailList(taken, &irp->Tail.Overlay.ListEntry);
    }
}

/* The first of those, NULL. */
static PIRP next_taken(LIST_ENTRY *taken)
{
    return !IsListEmpty(taken) ? CONTAINING_RECORD(RemoveHeadList(taken), IRP, Tail.Overlay.ListEntry) : NULL;
}

/* All that wait for requests, and for the owner's sake. disk->lock is held. */
static void take_all_locked(struct channel *channel, LIST_ENTRY *taken)
{
    take_some_locked(&channel->enters, UINT32_MAX, taken);
    take_some_locked(&channel->fetches, UINT32_MAX, taken);
    take_some_locked(&channel->owns, UINT32_MAX, taken);
}

/* ---- ENTER ---- */

/* Whether requests are for its sender: not if it is not the owner any more, or is just becoming that. disk->lock is
 * held. */
static bool is_served_locked(struct disk *disk, PIRP irp)
{
    return disk->state == DISK_READY && owner_is(disk, file_of(irp));
}

/* How many requests it wants and its output has room for. The command is still as it was sent. */
static uint32_t room_of(PIRP irp)
{
    ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength;
    uint32_t room = (length - FIELD_OFFSET(WNBD_ENTER_OUTPUT, Requests)) / sizeof(WNBD_ARENA_REQUEST);
    uint32_t wanted = ((WNBD_IOCTL_ENTER_COMMAND *)irp->AssociatedIrp.SystemBuffer)->MaxRequests;

    return min(min(room, wanted), WNBD_ENTER_MAX_REQUESTS);
}

static WNBD_ARENA_REQUEST *requests_of(PIRP irp)
{
    return ((WNBD_ENTER_OUTPUT *)irp->AssociatedIrp.SystemBuffer)->Requests;
}

void channel_enter(struct disk *disk, PIRP irp, uint32_t refused)
{
    const WNBD_IOCTL_ENTER_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    uint32_t room = room_of(irp);
    bool takes = command->MaxRequests != 0; /* though there may be no room for any */
    bool may_wait = command->Wait && room != 0;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;
    enum wait_outcome outcome = takes ? WAIT_REFUSED : WAIT_NEEDLESS;
    struct channel_batch batch;
    uint32_t count = 0;

    list_init(&done);
    begin(disk, irp, WAITER_ENTER)->refused = refused;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (takes && is_served_locked(disk, irp)) {
        count = channel_take_locked(disk, &batch, requests_of(irp), room, CHANNEL_COPY_BATCH);
        outcome = may_wait && count == 0 ? wait_locked(disk, irp, &disk->channel.enters) : WAIT_NEEDLESS;
        channel_pump_locked(disk, &handle); /* what was not taken, for others that wait */
        channel_copy_taken_locked(disk, &batch, &handle, &done);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    if (outcome == WAIT_NEEDLESS) {
        end_enter(irp, count, false);
    } else {
        after_wait(irp, outcome);
    }
}

void channel_wake_enters(struct disk *disk, uint32_t count)
{
    KLOCK_QUEUE_HANDLE handle;
    LIST_ENTRY taken;
    PIRP irp;

    InitializeListHead(&taken);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    take_some_locked(&disk->channel.enters, count, &taken); /* those that come back meanwhile do not count */
    KeReleaseInStackQueuedSpinLock(&handle);
    while ((irp = next_taken(&taken)) != NULL) {
        end_enter(irp, 0, false);
    }
}

/* ---- FETCH_REQ ---- */

/* Whether the first waiting request has been taken for it. STATUS_BUFFER_TOO_SMALL: it stays. */
static NTSTATUS take_for_fetch_locked(struct disk *disk, PIRP irp, struct record **record)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    PMDL mdl = waiter_of(irp)->mdl;
    uint32_t capacity = mdl != NULL ? MmGetMdlByteCount(mdl) : 0;
    struct record *first = record_of_link(disk->requests.waiting.next);

    if (channel_payload(first) > capacity) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    channel_given_locked(disk, first, RECORD_ANSWERING | RECORD_COPYING);
    channel_describe(disk, first, &command->Request);
    *record = first;
    return STATUS_SUCCESS;
}

static NTSTATUS copy_for_fetch(struct disk *disk, PIRP irp, struct record *record)
{
    PMDL mdl = waiter_of(irp)->mdl;
    PVOID address;

    if (channel_payload(record) == 0) {
        return STATUS_SUCCESS;
    }
    address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute);
    if (address == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    channel_copy_out(disk, record, address);
    return STATUS_SUCCESS;
}

static void copied(struct disk *disk, struct record *record)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    channel_copied_locked(disk, record, &done);
    channel_pump_locked(disk, &handle); /* its program has gone, and there is another by now, perhaps */
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
}

/* There is no room to map the program's buffer now: the request cannot be seen, and fails. */
static void refuse_unseen(struct disk *disk, PIRP irp)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND *command = irp->AssociatedIrp.SystemBuffer;
    WNBD_ANSWER answer = {
        .RequestHandle = command->Request.RequestHandle,
        .ScsiStatus = SCSI_STATUS_CHECK_CONDITION,
        .SenseKey = SENSE_KEY_HARDWARE_ERROR,
        .ASC = ASC_INTERNAL_TARGET_FAILURE >> 8,
    };

    channel_answer(disk, &answer, 1, false);
}

/* Ends the IRP with the request that was taken for it. */
static void end_fetch(struct disk *disk, PIRP irp, struct record *record)
{
    NTSTATUS status = copy_for_fetch(disk, irp, record);

    copied(disk, record); /* the record may be gone from here on */
    if (NT_SUCCESS(status)) {
        end_fetch_with_request(irp);
    } else {
        refuse_unseen(disk, irp);
        end(irp, status, 0);
    }
}

void channel_fetch(struct disk *disk, PIRP irp, PMDL mdl)
{
    enum wait_outcome outcome = WAIT_REFUSED;
    NTSTATUS status = STATUS_PENDING;
    struct record *record = NULL;
    KLOCK_QUEUE_HANDLE handle;

    begin(disk, irp, WAITER_FETCH)->mdl = mdl;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!is_served_locked(disk, irp)) {
        outcome = WAIT_REFUSED;
    } else if (list_is_empty(&disk->requests.waiting)) {
        outcome = wait_locked(disk, irp, &disk->channel.fetches);
    } else {
        status = take_for_fetch_locked(disk, irp, &record);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (status == STATUS_PENDING) {
        after_wait(irp, outcome);
    } else if (NT_SUCCESS(status)) {
        end_fetch(disk, irp, record);
    } else {
        end(irp, status, 0);
    }
}

/* One of them; false: there is nothing to do. */
static bool serve_fetch(struct disk *disk)
{
    NTSTATUS status = STATUS_PENDING;
    struct record *record = NULL;
    KLOCK_QUEUE_HANDLE handle;
    PIRP irp = NULL;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!list_is_empty(&disk->requests.waiting)) {
        irp = take_locked(&disk->channel.fetches);
    }
    if (irp != NULL) {
        status = take_for_fetch_locked(disk, irp, &record);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (irp != NULL && NT_SUCCESS(status)) {
        end_fetch(disk, irp, record);
    } else if (irp != NULL) {
        end(irp, status, 0);
    }
    return irp != NULL;
}

static bool is_stopping(struct disk *disk)
{
    LARGE_INTEGER at_once = {.QuadPart = 0};

    return KeWaitForSingleObject(&disk->stop, Executive, KernelMode, FALSE, &at_once) == STATUS_SUCCESS;
}

void channel_serve_fetches(struct disk *disk)
{
    while (!is_stopping(disk) && serve_fetch(disk)) {
    }
}

/* ---- Requests that come ---- */

/* Whether its data is for the thread of the command to copy. */
static bool is_large(const struct record *record)
{
    return channel_payload(record) > CHANNEL_COPY_NOW;
}

/* Gives what waits to an ENTER. False: nothing more can be given now. */
static bool give_to_enter_locked(struct disk *disk, PIRP irp, KLOCK_QUEUE_HANDLE *handle)
{
    bool large = is_large(channel_next_locked(disk));
    struct channel_batch batch;
    struct list_link done;
    uint32_t count = 0;

    list_init(&done);
    if (!large) {
        count = channel_take_locked(disk, &batch, requests_of(irp), room_of(irp), CHANNEL_COPY_NOW);
        channel_copy_taken_locked(disk, &batch, handle, &done);
        if (count == 0 && wait_locked(disk, irp, &disk->channel.enters) == WAIT_BEGUN) {
            return false; /* there is no arena any more */
        }
    }
    KeReleaseInStackQueuedSpinLock(handle);
    requests_complete(disk, &done);
    end_enter(irp, count, false); /* without a request it comes for the large one */
    KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
    return count != 0;
}

void channel_pump_locked(struct disk *disk, KLOCK_QUEUE_HANDLE *handle)
{
    bool more = true;

    while (more && !IsListEmpty(&disk->channel.enters) && channel_next_locked(disk) != NULL) {
        PIRP irp = take_locked(&disk->channel.enters);

        more = irp != NULL && give_to_enter_locked(disk, irp, handle);
    }
    if (!list_is_empty(&disk->requests.waiting) && !IsListEmpty(&disk->channel.fetches)) {
        KeSetEvent(&disk->channel.wake, IO_NO_INCREMENT, FALSE); /* the thread may copy */
    }
}

/* ---- The disk's end, and its owner's ---- */

void channel_own(struct disk *disk, PIRP irp)
{
    KLOCK_QUEUE_HANDLE handle;
    enum wait_outcome outcome;

    begin(disk, irp, WAITER_OWN);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (disk->state != DISK_REMOVING && !owner_is(disk, file_of(irp))) {
        outcome = WAIT_REFUSED;
    } else if (!IsListEmpty(&disk->channel.owns)) {
        outcome = WAIT_DOUBLED;
    } else {
        outcome = wait_locked(disk, irp, &disk->channel.owns);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (outcome == WAIT_CANCELLED) {
        owner_lost(disk, file_of(irp));
    }
    after_wait(irp, outcome);
}

void channel_await_end(struct disk *disk, PIRP irp)
{
    bool enters = *(const ULONG *)irp->AssociatedIrp.SystemBuffer == IOCTL_WNBD_ENTER;
    enum wait_outcome outcome;
    KLOCK_QUEUE_HANDLE handle;

    begin(disk, irp, enters ? WAITER_ENTER : WAITER_FETCH);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    outcome = wait_locked(disk, irp, &disk->channel.ends);
    KeReleaseInStackQueuedSpinLock(&handle);
    after_wait(irp, outcome);
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
    take_some_locked(&disk->channel.ends, UINT32_MAX, &taken);
    KeReleaseInStackQueuedSpinLock(&handle);
    while ((irp = next_taken(&taken)) != NULL) {
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

    while ((irp = next_taken(refused)) != NULL) {
        end(irp, STATUS_ACCESS_DENIED, 0);
    }
}
