/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk's memory, who waits for it, resets and reports. Its life is in disk_thread.c. */
#include "driver/disk.h"

#include "driver/clock.h"
#include "driver/memory.h"
#include "driver/srb.h"

#include "core/scsi/attention.h"

static void disk_free(struct disk *disk)
{
    disk->backend->free(disk);
    pattern_free(disk);
    requests_free(disk);
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
    disk->backend = properties->Flags.UseKernelNbd ? &nbd_backend : &channel_backend;
    disk->properties = *properties;
    performance_name(properties->InstanceName, &disk->performance_name);
    disk->device.byte_check = true; /* the record of a VERIFY has room to read to */
    disk->device.pattern = true;
    disk->references = 1;
    disk->state = DISK_CONNECTING;
    KeInitializeSpinLock(&disk->lock);
    KeInitializeEvent(&disk->stop, NotificationEvent, FALSE);
    InitializeListHead(&disk->removal_irps);
    if (!NT_SUCCESS(requests_allocate(disk, disk->properties.QueueDepth)) ||
        !NT_SUCCESS(disk->backend->allocate(disk)) || !NT_SUCCESS(pattern_allocate(disk))) {
        disk_free(disk);
        return NULL;
    }
    return disk;
}

void disk_reference(struct disk *disk)
{
    InterlockedIncrement(&disk->references);
}

bool disk_try_reference(struct disk *disk)
{
    LONG before = disk->references;
    LONG seen;

    while (before != 0 && (seen = InterlockedCompareExchange(&disk->references, before + 1, before)) != before) {
        before = seen;
    }
    return before != 0;
}

void disk_release(struct disk *disk)
{
    if (InterlockedDecrement(&disk->references) == 0) {
        disk_free(disk);
    }
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

void disk_set_state(struct disk *disk, enum disk_state state)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->state = state;
    KeReleaseInStackQueuedSpinLock(&handle);
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
    waits = !disk->left && !disk->adapter->ending;
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

static void reset_locked(struct disk *disk, UCHAR status, struct list_link *done)
{
    struct requests *requests = &disk->requests;

    if (requests->queue.used != 0) {
        requests->reset = true;
        requests->reset_status = status;
        disk->backend->reset_locked(disk, done);
    }
}

void disk_reset(struct disk *disk, UCHAR status, struct record *reset)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    reset_locked(disk, status, &done);
    if (reset != NULL) {
        list_append(&disk->requests.resets, &reset->link);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    requests_complete_resets(disk);
}

/* ---- Abort ---- */

static void abort_locked(struct disk *disk, struct record *record, struct list_link *done)
{
    requests_mark_aborted_locked(disk, record);
    if (record->holds == 0) {
        requests_drain_one_locked(disk, record, done);
    } else {
        disk->backend->abort_locked(disk, record, done);
    }
}

/* Its send has not come back, or its data is being copied, and that is all: it has ended otherwise. */
static bool is_answered(const struct record *record)
{
    return record->holds != 0 && (record->holds & RECORD_ANSWERING) == 0;
}

bool disk_abort(struct disk *disk, PSCSI_REQUEST_BLOCK srb, struct record *abort)
{
    KLOCK_QUEUE_HANDLE handle;
    struct record *record;
    struct list_link done;
    bool aborts;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    record = requests_find_locked(disk, srb);
    aborts = record == NULL || !is_answered(record);
    if (aborts && record != NULL && record->srb_status == 0) {
        abort_locked(disk, record, &done);
    }
    if (aborts && abort != NULL) {
        list_append(&disk->requests.resets, &abort->link);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    requests_complete_resets(disk);
    return aborts;
}

/* ---- Size, attention, power ---- */

void disk_renew(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->backend->renew_locked(disk);
    KeReleaseInStackQueuedSpinLock(&handle);
}

LONG disk_take_attention(struct disk *disk)
{
    LONG first = attention_first(disk->attentions);

    return first != 0 ? InterlockedAnd(&disk->attentions, ~first) & first : 0;
}

/* ---- Reports ---- */

void disk_describe(struct disk *disk, WNBD_CONNECTION_INFO *info)
{
    uint64_t blocks = device_blocks(&disk->device);

    RtlZeroMemory(info, sizeof *info);
    info->Properties = disk->properties;
    if (blocks != 0) { /* connected by now */
        info->Properties.BlockCount = blocks;
    }
    info->ConnectionFlags.Disconnecting = disk_state(disk) == DISK_REMOVING;
    info->TargetId = disk->target;
    info->ConnectionId = disk->connection_id;
    info->DiskNumber = -1;
}

WnbdServerState disk_server_state(enum disk_state state)
{
    switch (state) {
    case DISK_READY:
        return WnbdServerConnected;
    case DISK_RECONNECTING:
        return WnbdServerReconnecting;
    case DISK_LOST:
        return WnbdServerLost;
    case DISK_CONNECTING:
    case DISK_REMOVING:
        break;
    }
    return WnbdServerUnknown;
}

void disk_describe_server(struct disk *disk, WNBD_SERVER_STATUS *status)
{
    KLOCK_QUEUE_HANDLE handle;

    RtlZeroMemory(status, sizeof *status);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->backend->describe_locked(disk, status);
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void describe_stats(const struct io_stats *stats, WNBD_DRV_STATS *statistics)
{
    statistics->TotalReceivedIORequests = stats->received;
    statistics->TotalSubmittedIORequests = stats->submitted;
    statistics->TotalReceivedIOReplies = stats->replied;
    statistics->UnsubmittedIORequests = stats->unsubmitted;
    statistics->PendingSubmittedIORequests = stats->pending;
    statistics->AbortedSubmittedIORequests = stats->aborted_submitted;
    statistics->AbortedUnsubmittedIORequests = stats->aborted_unsubmitted;
    statistics->CompletedAbortedIORequests = stats->late_replies;
    statistics->OutstandingIOCount = stats->unsubmitted + stats->pending;
    statistics->LastReceivedReqTimestamp = stats->last_received;
    statistics->LastSubmittedReqTimestamp = stats->last_submitted;
    statistics->LastReplyTimestamp = stats->last_replied;
}

static void describe_traffic(const struct stats_traffic *traffic, WNBD_TRAFFIC *output, UINT64 *latency)
{
    output->Answered = traffic->answered;
    output->Failed = traffic->failed;
    output->Bytes = traffic->bytes;
    RtlCopyMemory(latency, traffic->latency, sizeof traffic->latency);
}

void disk_statistics(struct disk *disk, WNBD_DRV_STATS *statistics)
{
    KLOCK_QUEUE_HANDLE handle;

    RtlZeroMemory(statistics, sizeof *statistics);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    describe_stats(&disk->stats, statistics);
    KeReleaseInStackQueuedSpinLock(&handle);
}

C_ASSERT(WNBD_LATENCY_BUCKETS == STATS_BUCKETS);

void disk_statistics_all(struct disk *disk, WNBD_IOCTL_STATS_OUTPUT *output)
{
    const struct stats_traffic *traffic = disk->stats.traffic;
    KLOCK_QUEUE_HANDLE handle;

    RtlZeroMemory(output, sizeof *output);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    output->Now = clock_precise(); /* as requests are: none of them is later than now */
    describe_stats(&disk->stats, &output->Stats);
    describe_traffic(&traffic[STATS_READ], &output->Read, output->Latency.Read);
    describe_traffic(&traffic[STATS_WRITE], &output->Write, output->Latency.Write);
    describe_traffic(&traffic[STATS_FLUSH], &output->Flush, output->Latency.Flush);
    describe_traffic(&traffic[STATS_UNMAP], &output->Unmap, output->Latency.Unmap);
    KeReleaseInStackQueuedSpinLock(&handle);
}
