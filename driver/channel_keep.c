/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk that is kept without its program (KeepDisk), as one that has lost its server:
 *
 *   owner lost --> requests wait, --+--(attached)--> ready, what the old program had is given again
 *                  Storport paused  |
 *                                   +-- ReconnectTimeoutMs over: requests fail, resumed; attach still can
 */
#include "driver/channel.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"

#define LOOK_MS 5000 /* how often the pause is renewed */
#define PAUSE_S 30   /* and how long one lasts */

/* ---- The arena goes with its program, which may still write to it ---- */

/* The caller has it to itself now. STATUS_INVALID_DEVICE_STATE. disk->lock is held. */
static NTSTATUS claim_arena_locked(struct channel *channel, enum channel_arena_state from)
{
    if (channel->arena_state != from) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    channel->arena_state = ARENA_CHANGING;
    return STATUS_SUCCESS;
}

static NTSTATUS claim_for_making(struct disk *disk, PFILE_OBJECT file)
{
    KLOCK_QUEUE_HANDLE handle;
    NTSTATUS status = STATUS_ACCESS_DENIED;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (owner_is(disk, file)) {
        status = claim_arena_locked(&disk->channel, ARENA_NONE);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return status;
}

static NTSTATUS claim_for_taking_down(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    NTSTATUS status;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    status = claim_arena_locked(&disk->channel, ARENA_READY);
    KeReleaseInStackQueuedSpinLock(&handle);
    return status;
}

static void settle_arena(struct disk *disk, enum channel_arena_state state)
{
    KLOCK_QUEUE_HANDLE handle;

    if (state == ARENA_READY) { /* no slot has an area, and nobody can take one yet */
        arena_init(&disk->channel.arena, disk->channel.units, (uint32_t)(disk->channel.memory.size / ARENA_UNIT));
        ExReInitializeRundownProtection(&disk->channel.arena_users);
    }
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    disk->channel.arena_state = state;
    KeReleaseInStackQueuedSpinLock(&handle);
}

void channel_take_arena_down(struct disk *disk)
{
    if (NT_SUCCESS(claim_for_taking_down(disk))) {
        ExWaitForRundownProtectionRelease(&disk->channel.arena_users); /* copies that are under way */
        arena_memory_free(&disk->channel.memory);
        settle_arena(disk, ARENA_NONE);
    }
}

NTSTATUS channel_make_arena(struct disk *disk, PIRP irp, PVOID *address)
{
    NTSTATUS status = claim_for_making(disk, IoGetCurrentIrpStackLocation(irp)->FileObject);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = arena_memory_make(&disk->channel.memory, disk->properties.ArenaSize, irp, address);
    settle_arena(disk, NT_SUCCESS(status) ? ARENA_READY : ARENA_NONE);
    return status;
}

/* ---- Without an owner ---- */

void channel_orphan(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;
    LIST_ENTRY refused;

    InitializeListHead(&refused);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (disk->state == DISK_READY) {
        disk->state = DISK_RECONNECTING;
        disk->channel.lost_at = clock_now();
        disk->channel.orphaned_at = clock_awake();
        channel_withdraw_locked(disk);
        channel_stop_waiting_locked(disk, &refused);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    channel_refuse(&refused);
    KeSetEvent(&disk->channel.wake, IO_NO_INCREMENT, FALSE);
}

/* The thread alone pauses and resumes the disk, so that neither overtakes the other. */
static void hold_back(struct disk *disk)
{
    if (!disk->channel.held_back) {
        log_disk(PROGRAM_GONE, disk);
    }
    disk->channel.held_back = true;
    if (!StorPortPauseDevice(disk->adapter, 0, disk->target, 0, PAUSE_S)) {
        log_disk(NOT_PAUSED, disk);
    }
}

static void let_go_on(struct disk *disk)
{
    if (disk->channel.held_back) {
        disk->channel.held_back = false;
        StorPortResumeDevice(disk->adapter, 0, disk->target, 0);
    }
}

static bool is_overdue_locked(const struct disk *disk)
{
    ULONG timeout_ms = (ULONG)driver_options.reconnect_timeout_ms;

    return timeout_ms != 0 && clock_awake() - disk->channel.orphaned_at >= timeout_ms * CLOCK_TICKS_PER_MS;
}

/* What waits fails if that has taken too long. */
static enum disk_state check_state(struct disk *disk)
{
    enum disk_state state;
    KLOCK_QUEUE_HANDLE handle;
    struct list_link done;
    bool gives_up;

    list_init(&done);
    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    gives_up = disk->state == DISK_RECONNECTING && is_overdue_locked(disk);
    if (gives_up) {
        disk->state = DISK_LOST;
        channel_fail_waiting_locked(disk, &done);
    }
    state = disk->state;
    KeReleaseInStackQueuedSpinLock(&handle);
    requests_complete(disk, &done);
    if (gives_up) {
        log_disk(PROGRAM_NOT_BACK, disk, (ULONG)driver_options.reconnect_timeout_ms);
    }
    return state;
}

void channel_look_for_owner(struct disk *disk)
{
    if (check_state(disk) == DISK_RECONNECTING) {
        hold_back(disk);
    } else {
        let_go_on(disk);
    }
}

bool channel_wait_is_bounded(struct disk *disk, LARGE_INTEGER *timeout)
{
    ULONG timeout_ms = (ULONG)driver_options.reconnect_timeout_ms;
    ULONG next_ms = timeout_ms != 0 ? min(timeout_ms, LOOK_MS) : LOOK_MS;

    timeout->QuadPart = -(LONGLONG)(next_ms * CLOCK_TICKS_PER_MS);
    return disk_state(disk) == DISK_RECONNECTING;
}

/* ---- The next one ---- */

static bool is_free_locked(const struct disk *disk)
{
    return disk->state == DISK_RECONNECTING || disk->state == DISK_LOST;
}

/* The disk has the new owner, but is not served yet: the old arena is still there. An old owner who is just making it
 * is waited for by trying again. */
static bool take_over(struct disk *disk, PFILE_OBJECT file)
{
    KLOCK_QUEUE_HANDLE handle;
    bool taken;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    taken = is_free_locked(disk) && disk->channel.arena_state != ARENA_CHANGING && owner_take(disk, file);
    KeReleaseInStackQueuedSpinLock(&handle);
    return taken;
}

/* False: the new owner has gone already, or the disk goes. */
static bool go_on(struct disk *disk, PFILE_OBJECT file)
{
    KLOCK_QUEUE_HANDLE handle;
    bool goes_on;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    goes_on = is_free_locked(disk) && owner_is(disk, file);
    if (goes_on) {
        disk->state = DISK_READY;
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    KeSetEvent(&disk->channel.wake, IO_NO_INCREMENT, FALSE);
    return goes_on;
}

NTSTATUS channel_attach(struct disk *disk, PFILE_OBJECT file)
{
    if (!take_over(disk, file)) {
        return STATUS_SHARING_VIOLATION;
    }
    channel_take_arena_down(disk);
    return go_on(disk, file) ? STATUS_SUCCESS : STATUS_SHARING_VIOLATION;
}
