/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FETCH_REQ: one request to the program, into a buffer of its own. What comes later is copied by the disk's thread. */
#include "driver/channel_wait.h"

#include "driver/disk.h"

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
    WNBD_ANSWER answer = {.RequestHandle = command->Request.RequestHandle};

    channel_make_failure(&answer);
    channel_answer(disk, &answer, 1, false);
}

/* Ends the IRP with the request that was taken for it. */
static void end_fetch(struct disk *disk, PIRP irp, struct record *record)
{
    NTSTATUS status = copy_for_fetch(disk, irp, record);

    copied(disk, record); /* the record may be gone from here on */
    if (NT_SUCCESS(status)) {
        waiter_end_fetch(irp);
    } else {
        refuse_unseen(disk, irp);
        waiter_end(irp, status, 0);
    }
}

void channel_fetch(struct disk *disk, PIRP irp, PMDL mdl)
{
    enum wait_outcome outcome = WAIT_REFUSED;
    NTSTATUS status = STATUS_PENDING;
    struct record *record = NULL;
    KLOCK_QUEUE_HANDLE handle;

    waiter_begin(disk, irp, WAITER_FETCH)->mdl = mdl;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (!waiter_is_served_locked(disk, irp)) {
        outcome = WAIT_REFUSED;
    } else if (list_is_empty(&disk->requests.waiting)) {
        outcome = waiter_wait_locked(disk, irp, &disk->channel.fetches);
    } else {
        status = take_for_fetch_locked(disk, irp, &record);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (status == STATUS_PENDING) {
        waiter_after_wait(irp, outcome);
    } else if (NT_SUCCESS(status)) {
        end_fetch(disk, irp, record);
    } else {
        waiter_end(irp, status, 0);
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
        irp = waiter_take_locked(&disk->channel.fetches);
    }
    if (irp != NULL) {
        status = take_for_fetch_locked(disk, irp, &record);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (irp != NULL && NT_SUCCESS(status)) {
        end_fetch(disk, irp, record);
    } else if (irp != NULL) {
        waiter_end(irp, status, 0);
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
