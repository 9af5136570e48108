/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk's memory, its place in the adapter's table, and reports about it. Its life is in disk_thread.c. */
#include "driver/disk.h"

#include "driver/memory.h"
#include "driver/srb.h"
#include "driver/text.h"

static void disk_free(struct disk *disk)
{
    nbd_free(disk);
    if (disk->thread != NULL) {
        ObDereferenceObject(disk->thread);
    }
    memory_free(disk, TAG_DISK);
}

struct disk *disk_create(struct adapter *adapter, const WNBD_PROPERTIES *properties)
{
    struct disk *disk = memory_allocate(sizeof *disk, TAG_DISK);

    if (disk == NULL) {
        return NULL;
    }
    disk->adapter = adapter;
    disk->properties = *properties;
    disk->references = 1;
    disk->state = DISK_CONNECTING;
    KeInitializeSpinLock(&disk->lock);
    KeInitializeEvent(&disk->stop, NotificationEvent, FALSE);
    InitializeListHead(&disk->removal_irps);
    if (!NT_SUCCESS(nbd_allocate(disk))) {
        disk_free(disk);
        return NULL;
    }
    return disk;
}

void disk_reference(struct disk *disk)
{
    InterlockedIncrement(&disk->references);
}

void disk_release(struct disk *disk)
{
    if (InterlockedDecrement(&disk->references) == 0) {
        disk_free(disk);
    }
}

/* ---- The table ---- */

static bool name_is_taken_locked(const struct adapter *adapter, const char *name)
{
    for (size_t i = 0; i < ADAPTER_TARGETS; i++) {
        const struct disk *disk = adapter->disks[i];

        if (disk != NULL && text_equal(disk->properties.InstanceName, name, WNBD_MAX_NAME_LENGTH)) {
            return true;
        }
    }
    return false;
}

/* A free target, the one that has been free longest as far as that is known: Storport should have seen the disk that
 * had it go. ADAPTER_TARGETS when there is none. */
static uint32_t free_target_locked(const struct adapter *adapter)
{
    for (uint32_t i = 0; i < ADAPTER_TARGETS; i++) {
        uint32_t target = (adapter->next_target + i) % ADAPTER_TARGETS;

        if (adapter->disks[target] == NULL) {
            return target;
        }
    }
    return ADAPTER_TARGETS;
}

static NTSTATUS enter_locked(struct disk *disk)
{
    struct adapter *adapter = disk->adapter;
    uint32_t target = free_target_locked(adapter);

    if (adapter->ending) {
        return STATUS_DELETE_PENDING;
    }
    if (name_is_taken_locked(adapter, disk->properties.InstanceName)) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (target == ADAPTER_TARGETS) {
        return STATUS_TOO_MANY_ADDRESSES;
    }
    disk->target = (uint8_t)target;
    disk->connection_id = ++adapter->last_connection_id;
    adapter->disks[target] = disk;
    adapter->next_target = (target + 1) % ADAPTER_TARGETS;
    disk_reference(disk);
    return STATUS_SUCCESS;
}

NTSTATUS disk_enter(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    NTSTATUS status;

    KeAcquireInStackQueuedSpinLock(&disk->adapter->lock, &handle);
    status = enter_locked(disk);
    KeReleaseInStackQueuedSpinLock(&handle);
    return status;
}

void disk_leave(struct disk *disk)
{
    struct adapter *adapter = disk->adapter;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    NT_ASSERT(adapter->disks[disk->target] == disk);
    adapter->disks[disk->target] = NULL;
    disk->left = true;
    KeReleaseInStackQueuedSpinLock(&handle);
    disk_release(disk);
}

struct disk *disk_in_place(struct adapter *adapter, ULONG target)
{
    KLOCK_QUEUE_HANDLE handle;
    struct disk *disk;

    if (target >= ADAPTER_TARGETS) {
        return NULL;
    }
    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    disk = adapter->disks[target];
    if (disk != NULL) {
        disk_reference(disk);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return disk;
}

enum disk_state disk_state(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    enum disk_state state;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    state = disk->state;
    KeReleaseInStackQueuedSpinLock(&handle);
    return state;
}

struct disk *disk_at(struct adapter *adapter, ULONG target)
{
    struct disk *disk = disk_in_place(adapter, target);

    if (disk != NULL && !disk_is_visible(disk_state(disk))) {
        disk_release(disk);
        return NULL;
    }
    return disk;
}

struct disk *disk_named(struct adapter *adapter, const char *name)
{
    KLOCK_QUEUE_HANDLE handle;
    struct disk *found = NULL;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    for (size_t i = 0; i < ADAPTER_TARGETS && found == NULL; i++) {
        struct disk *disk = adapter->disks[i];

        if (disk != NULL && text_equal(disk->properties.InstanceName, name, WNBD_MAX_NAME_LENGTH)) {
            disk_reference(disk);
            found = disk;
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return found;
}

static bool same_peer(const SOCKADDR_STORAGE *left, const SOCKADDR_STORAGE *right)
{
    const SOCKADDR_IN6 *left6 = (const SOCKADDR_IN6 *)left;
    const SOCKADDR_IN6 *right6 = (const SOCKADDR_IN6 *)right;
    const SOCKADDR_IN *left4 = (const SOCKADDR_IN *)left;
    const SOCKADDR_IN *right4 = (const SOCKADDR_IN *)right;

    if (left->ss_family != right->ss_family) {
        return false;
    }
    if (left->ss_family == AF_INET) {
        return left4->sin_port == right4->sin_port && left4->sin_addr.S_un.S_addr == right4->sin_addr.S_un.S_addr;
    }
    return left6->sin6_port == right6->sin6_port &&
           RtlCompareMemory(&left6->sin6_addr, &right6->sin6_addr, sizeof left6->sin6_addr) == sizeof left6->sin6_addr;
}

static bool same_export(const struct disk *disk, const struct disk *other, const SOCKADDR_STORAGE *peer)
{
    return other->peer_known && same_peer(&other->peer, peer) &&
           text_equal(disk->properties.NbdProperties.ExportName, other->properties.NbdProperties.ExportName,
                      WNBD_MAX_NAME_LENGTH);
}

static bool may_share(const struct disk *disk, const struct disk *other)
{
    return (disk->device.read_only && other->device.read_only) || disk->properties.NbdProperties.Flags.Force;
}

/* The disk that keeps `disk` from having its export, NULL. */
static const struct disk *rival_locked(const struct disk *disk, const SOCKADDR_STORAGE *peer)
{
    for (size_t i = 0; i < ADAPTER_TARGETS; i++) {
        const struct disk *other = disk->adapter->disks[i];

        if (other != NULL && other != disk && same_export(disk, other, peer) && !may_share(disk, other)) {
            return other;
        }
    }
    return NULL;
}

bool disk_claim_export(struct disk *disk, const SOCKADDR_STORAGE *peer, CHAR *other_name)
{
    const struct disk *rival;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->adapter->lock, &handle);
    rival = rival_locked(disk, peer);
    if (rival != NULL) {
        RtlCopyMemory(other_name, rival->properties.InstanceName, WNBD_MAX_NAME_LENGTH);
    } else {
        disk->peer = *peer;
        disk->peer_known = true;
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return rival == NULL;
}

/* ---- Control requests that wait ---- */

PIRP disk_take_create_irp(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    PIRP irp;

    KeAcquireInStackQueuedSpinLock(&disk->adapter->lock, &handle);
    irp = disk->create_irp;
    disk->create_irp = NULL;
    KeReleaseInStackQueuedSpinLock(&handle);
    return irp;
}

bool disk_await_removal(struct disk *disk, PIRP irp)
{
    KLOCK_QUEUE_HANDLE handle;
    bool waits;

    KeAcquireInStackQueuedSpinLock(&disk->adapter->lock, &handle);
    waits = !disk->left;
    if (waits) {
        InsertTailList(&disk->removal_irps, &irp->Tail.Overlay.ListEntry);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return waits;
}

static PIRP take_removal_irp(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    PIRP irp = NULL;

    KeAcquireInStackQueuedSpinLock(&disk->adapter->lock, &handle);
    if (!IsListEmpty(&disk->removal_irps)) {
        irp = CONTAINING_RECORD(RemoveHeadList(&disk->removal_irps), IRP, Tail.Overlay.ListEntry);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return irp;
}

void disk_complete_removal_irps(struct disk *disk)
{
    PIRP irp;

    while ((irp = take_removal_irp(disk)) != NULL) {
        ioctl_complete(disk->adapter, irp, STATUS_SUCCESS, 0);
    }
}

/* ---- Reset ---- */

void disk_reset(struct disk *disk, struct record *reset)
{
    KLOCK_QUEUE_HANDLE handle;
    bool wait;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    wait = disk->nbd.queue.used != 0;
    if (wait) {
        disk->nbd.reset = true;
        nbd_lost_locked(disk, "Windows has reset the disk because requests took too long");
        if (reset != NULL) {
            list_append(&disk->nbd.resets, &reset->link);
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (!wait && reset != NULL) {
        srb_complete(disk->adapter, reset->srb, SRB_STATUS_SUCCESS);
        disk_release(disk);
    }
}

/* ---- Reports ---- */

void disk_describe(struct disk *disk, WNBD_CONNECTION_INFO *info)
{
    RtlZeroMemory(info, sizeof *info);
    info->Properties = disk->properties;
    info->ConnectionFlags.Disconnecting = disk_state(disk) == DISK_REMOVING;
    info->TargetId = disk->target;
    info->ConnectionId = disk->connection_id;
    info->DiskNumber = -1;
}

static struct io_stats stats_of(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    struct io_stats stats;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    stats = disk->stats;
    KeReleaseInStackQueuedSpinLock(&handle);
    return stats;
}

void disk_statistics(struct disk *disk, WNBD_DRV_STATS *statistics)
{
    struct io_stats stats = stats_of(disk);

    RtlZeroMemory(statistics, sizeof *statistics);
    statistics->TotalReceivedIORequests = stats.received;
    statistics->TotalSubmittedIORequests = stats.submitted;
    statistics->TotalReceivedIOReplies = stats.replied;
    statistics->UnsubmittedIORequests = stats.unsubmitted;
    statistics->PendingSubmittedIORequests = stats.pending;
    statistics->AbortedSubmittedIORequests = stats.aborted_submitted;
    statistics->AbortedUnsubmittedIORequests = stats.aborted_unsubmitted;
    statistics->CompletedAbortedIORequests = stats.late_replies;
    statistics->OutstandingIOCount = stats.unsubmitted + stats.pending;
    statistics->LastReceivedReqTimestamp = stats.last_received;
    statistics->LastSubmittedReqTimestamp = stats.last_submitted;
    statistics->LastReplyTimestamp = stats.last_replied;
}
