/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk's life, on the one thread that may wait for it. */
#include "driver/create.h"
#include "driver/disk.h"
#include "driver/log.h"

#include "core/scsi/attention.h"

/* Storport looks at the bus again. */
static void announce(struct disk *disk)
{
    if (!adapter_is_ending(disk->adapter)) {
        StorPortNotification(BusChangeDetected, disk->adapter, 0);
    }
}

void disk_resize(struct disk *disk, uint64_t block_count)
{
    device_resize(&disk->device, block_count);
    InterlockedOr(&disk->attentions, ATTENTION_CAPACITY);
    announce(disk);
}

static void log_mapped(const struct disk *disk)
{
    const WNBD_PROPERTIES *properties = &disk->properties;
    const NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;

    if (properties->Flags.UseKernelNbd) {
        log_disk(NBD_DISK_MAPPED, disk, disk->target, disk->connection_id, server->Hostname, server->PortNumber,
                 server->ExportName, properties->BlockCount, properties->BlockSize);
    } else {
        log_disk(PROGRAM_DISK_MAPPED, disk, disk->target, disk->connection_id, properties->Pid, properties->Owner,
                 properties->BlockCount, properties->BlockSize);
    }
}

static NTSTATUS bring_up(struct disk *disk)
{
    NTSTATUS status = disk->backend->connect(disk);

    if (!NT_SUCCESS(status)) {
        log_disk(NOT_MAPPED, disk, disk->message, status);
        return status;
    }
    disk->backend->open(disk);
    log_mapped(disk);
    disk_show(disk);
    announce(disk);
    return STATUS_SUCCESS;
}

static void take_down(struct disk *disk)
{
    disk_hide(disk);
    disk_set_state(disk, DISK_REMOVING);
    StorPortResumeDevice(disk->adapter, 0, disk->target, 0); /* what Storport holds back comes, and finds no disk */
    disk->backend->close(disk);
    COUNTERS_TELL(disk->nbd.counters, disk, disk->stats.received);
    log_disk(DISK_REMOVED, disk);
}

static VOID NTAPI disk_thread(PVOID context)
{
    struct disk *disk = context;
    struct adapter *adapter = disk->adapter;
    NTSTATUS status;

    KeWaitForSingleObject(&disk->started, Executive, KernelMode, FALSE, NULL);
    status = bring_up(disk);
    if (NT_SUCCESS(status)) {
        create_finish(disk, status);
        disk->backend->serve(disk);
        take_down(disk);
        disk_leave(disk);
        announce(disk);
    } else {
        disk_leave(disk);
        create_finish(disk, status);
    }
    disk_complete_removal_irps(disk);
    disk->backend->gone(disk);
    worker_queue(&adapter->worker, &disk->reap); /* the worker has the thread's reference now */
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void count_thread(struct adapter *adapter)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    adapter->threads++;
    KeClearEvent(&adapter->no_threads);
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void uncount_thread(struct adapter *adapter)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&adapter->lock, &handle);
    if (--adapter->threads == 0) {
        KeSetEvent(&adapter->no_threads, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* On the worker: the thread is at its end; when it has ended, nothing of it runs in the driver any more. */
static void reap(struct work *work)
{
    struct disk *disk = list_member(work, struct disk, reap);
    struct adapter *adapter = disk->adapter;

    KeWaitForSingleObject(disk->thread, Executive, KernelMode, FALSE, NULL);
    disk_release(disk);
    uncount_thread(adapter);
}

NTSTATUS disk_start(struct disk *disk)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE thread;
    NTSTATUS status;

    work_init(&disk->reap, reap);
    KeInitializeEvent(&disk->started, NotificationEvent, FALSE);
    disk_reference(disk);
    count_thread(disk->adapter);
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, &attributes, NULL, NULL, disk_thread, disk);
    if (!NT_SUCCESS(status)) {
        uncount_thread(disk->adapter);
        disk_release(disk);
        return status;
    }
    status =
        ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, DDK_THREAD_TYPE, KernelMode, (PVOID *)&disk->thread, NULL);
    NT_ASSERT(NT_SUCCESS(status)); /* a handle of our own to a thread */
    ZwClose(thread);
    KeSetEvent(&disk->started, IO_NO_INCREMENT, FALSE);
    return status;
}

void disk_stop(struct disk *disk, enum disk_end why)
{
    InterlockedCompareExchange(&disk->end, (LONG)why, DISK_STAYS);
    KeSetEvent(&disk->stop, IO_NO_INCREMENT, FALSE);
    disk->backend->wake(disk);
}
