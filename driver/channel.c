/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program as a disk's backend: the disk's memory, what it is, and its thread. */
#include "driver/channel.h"

#include "driver/backend.h"
#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/identity.h"
#include "driver/log.h"
#include "driver/memory.h"

static NTSTATUS allocate(struct disk *disk)
{
    struct channel *channel = &disk->channel;

    owner_init(disk);
    InitializeListHead(&channel->enters);
    InitializeListHead(&channel->fetches);
    InitializeListHead(&channel->owns);
    InitializeListHead(&channel->ends);
    KeInitializeEvent(&channel->wake, SynchronizationEvent, FALSE);
    ExInitializeRundownProtection(&channel->arena_users);
    ExWaitForRundownProtectionRelease(&channel->arena_users); /* there is no arena yet */
    channel->slots = memory_allocate(disk->requests.queue.depth * sizeof *channel->slots, TAG_BACKEND);
    channel->units = memory_allocate(disk->properties.ArenaSize / ARENA_UNIT * sizeof *channel->units, TAG_BACKEND);
    return channel->slots != NULL && channel->units != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static void free_memory(struct disk *disk)
{
    owner_drop(disk); /* of a disk that has not come to life */
    memory_free(disk->channel.units, TAG_BACKEND);
    memory_free(disk->channel.slots, TAG_BACKEND);
}

/* ---- What the disk is: what the program has said ---- */

static NTSTATUS connect(struct disk *disk)
{
    const WNBD_FLAGS *flags = &disk->properties.Flags;
    struct scsi_device *device = &disk->device;

    device->block_count = disk->properties.BlockCount;
    device->block_size = disk->properties.BlockSize;
    device->read_only = flags->ReadOnly;
    device->write_cache = flags->FlushSupported;
    device->fua = flags->FUASupported || flags->FlushSupported;
    device->fua_by_flush = !flags->FUASupported && flags->FlushSupported;
    device->unmap = flags->UnmapSupported;
    device->persistent_reservations = flags->PersistResSupported;
    device->physical_block_exponent = device_exponent(disk->properties.PhysicalBlockSize, device->block_size);
    device->max_transfer_blocks = RECORD_DATA_MAX / device->block_size;
    device->max_write_same_blocks = RECORD_WRITE_SAME_MAX / device->block_size;
    device->max_unmap_blocks = UINT32_MAX;
    device->max_unmap_descriptors = RECORD_UNMAP_DESCRIPTORS;
    identity_set(device, &disk->properties);
    return STATUS_SUCCESS;
}

/* Its handle may have been closed while it was not there to be orphaned. */
static void open(struct disk *disk)
{
    disk_set_state(disk, DISK_READY);
    if (!owner_is_there(disk)) {
        channel_orphan(disk);
    }
}

/* ---- The thread ---- */

/* False: the disk is to be removed. */
static bool wait(struct disk *disk)
{
    PVOID events[] = {&disk->stop, &disk->channel.wake};
    LARGE_INTEGER timeout;
    bool bounded = channel_wait_is_bounded(disk, &timeout);

    return KeWaitForMultipleObjects(ARRAYSIZE(events), events, WaitAny, Executive, KernelMode, FALSE,
                                    bounded ? &timeout : NULL, NULL) != STATUS_WAIT_0;
}

static void serve(struct disk *disk)
{
    while (wait(disk)) {
        channel_serve_fetches(disk);
        channel_look_for_owner(disk);
    }
}

static void wake(struct disk *disk)
{
    KeSetEvent(&disk->channel.wake, IO_NO_INCREMENT, FALSE);
}

static void tell_stale(const struct disk *disk)
{
    if (disk->channel.stale) {
        log_disk(PROGRAM_SILENT, disk, (ULONG)driver_options.stale_conn_timeout_ms);
    }
}

/* The disk is hidden: nobody is copying, and nothing new comes. */
static void close(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;

    tell_stale(disk);
    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    channel_end_all_locked(disk, &done);
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    requests_complete_resets(disk);
    owner_drop(disk);
    channel_take_arena_down(disk);
}

static void renew_locked(struct disk *disk)
{
    UNREFERENCED_PARAMETER(disk); /* a program sleeps with the machine */
}

/* A program is a server that is there or not. */
static void describe_locked(struct disk *disk, WNBD_SERVER_STATUS *status)
{
    status->State = disk_server_state(disk->state);
    if (disk->state == DISK_RECONNECTING || disk->state == DISK_LOST) {
        status->LostForMs = (clock_now() - disk->channel.lost_at) / CLOCK_TICKS_PER_MS;
    }
}

static void gone(struct disk *disk)
{
    channel_end_waiting(disk);
}

const struct backend channel_backend = {
    .takes_pages = false,
    .allocate = allocate,
    .free = free_memory,
    .connect = connect,
    .open = open,
    .serve = serve,
    .close = close,
    .gone = gone,
    .wake = wake,
    .pump_locked = channel_pump_locked,
    .reset_locked = channel_reset_locked,
    .abort_locked = channel_abort_locked,
    .describe_locked = describe_locked,
    .renew_locked = renew_locked,
};
