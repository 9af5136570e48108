/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ENTER: batches of requests to the program, at once or when they come. */
#include "driver/channel_wait.h"

#include "driver/disk.h"

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
    waiter_begin(disk, irp, WAITER_ENTER)->refused = refused;
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (takes && waiter_is_served_locked(disk, irp)) {
        count = channel_take_locked(disk, &batch, requests_of(irp), room, CHANNEL_COPY_BATCH);
        outcome = may_wait && count == 0 ? waiter_wait_locked(disk, irp, &disk->channel.enters) : WAIT_NEEDLESS;
        channel_pump_locked(disk, &handle); /* what was not taken, for others that wait */
        channel_copy_taken_locked(disk, &batch, &handle, &done);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    if (outcome == WAIT_NEEDLESS) {
        waiter_end_enter(irp, count, false);
    } else {
        waiter_after_wait(irp, outcome);
    }
}

void channel_wake_enters(struct disk *disk, uint32_t count)
{
    KLOCK_QUEUE_HANDLE handle;
    LIST_ENTRY taken;
    PIRP irp;

    InitializeListHead(&taken);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    waiter_take_some_locked(&disk->channel.enters, count, &taken); /* those that come back meanwhile do not count */
    KeReleaseInStackQueuedSpinLock(&handle);
    while ((irp = waiter_next_taken(&taken)) != NULL) {
        waiter_end_enter(irp, 0, false);
    }
}

/* ---- Requests that come ---- */

/* Whether its data is for the thread of the command to copy. */
static bool is_large(const struct record *record)
{
    return channel_payload(record) > CHANNEL_COPY_NOW;
}

/* Gives what waits to an ENTER, unless the first is large. False: nothing more can be given now. */
static bool give_to_enter_locked(struct disk *disk, PIRP irp, bool large, KLOCK_QUEUE_HANDLE *handle)
{
    struct channel_batch batch;
    struct list_link done;
    uint32_t count = 0;

    list_init(&done);
    if (!large) {
        count = channel_take_locked(disk, &batch, requests_of(irp), room_of(irp), CHANNEL_COPY_NOW);
        channel_copy_taken_locked(disk, &batch, handle, &done);
        if (count == 0 && waiter_wait_locked(disk, irp, &disk->channel.enters) == WAIT_BEGUN) {
            return false; /* there is no arena any more */
        }
    }
    KeReleaseInStackQueuedSpinLock(handle);
    requests_complete(disk, &done);
    waiter_end_enter(irp, count, false); /* without a request it comes for the large one */
    KeAcquireInStackQueuedSpinLock(&disk->lock, handle);
    return count != 0;
}

void channel_pump_locked(struct disk *disk, KLOCK_QUEUE_HANDLE *handle)
{
    struct record *next;
    bool more = true;

    while (more && !IsListEmpty(&disk->channel.enters) && (next = channel_next_locked(disk)) != NULL) {
        PIRP irp = waiter_take_locked(&disk->channel.enters);

        more = irp != NULL && give_to_enter_locked(disk, irp, is_large(next), handle);
    }
    if (!list_is_empty(&disk->requests.waiting) && !IsListEmpty(&disk->channel.fetches)) {
        KeSetEvent(&disk->channel.wake, IO_NO_INCREMENT, FALSE); /* the thread may copy */
    }
}
