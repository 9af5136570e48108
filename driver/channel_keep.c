/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk that is kept without its program (KeepDisk), as one that has lost its server:
 *
 *   owner lost --> requests wait, Storport paused --+--(attached)--> ready, what the old program had is given again
 *                                                   |
 *                                                   +-- ReconnectTimeoutMs over: requests fail, resumed; attach still
 * can
 */
#include "driver/channel.h"

#include "driver/clock.h"
#include "driver/disk.h"
#include "driver/log.h"

#define LOOK_MS 5000 /* how often the pause is renewed */
#define PAUSE_S 30   /* and how long one lasts */

/* ---- The arena goes with its program, which may still write to it ---- */

/* Whether the caller has it to itself now. */
static bool claim_arena(struct disk *disk, enum channel_arena_state from)
{
    KLOCK_QUEUE_HANDLE handle;
    bool claimed;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    claimed = disk->channel.arena_state == from;
    if (claimed) {
        disk->channel.arena_state = ARENA_CHANGING;
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return claimed;
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
    if (claim_arena(disk, ARENA_READY)) {
        ExWaitForRundownProtectionRelease(&disk->channel.arena_users); /* copies that are under way */
        arena_memory_free(&disk->channel.memory);
        settle_arena(disk, ARENA_NONE);
    }
}

NTSTATUS channel_make_arena(struct disk *disk, PIRP irp, PVOID *address)
{
    NTSTATUS status;

    if (!claim_arena(disk, ARENA_NONE)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    status = arena_memory_make(&disk->channel.memory, disk->properties.ArenaSize, irp, address);
    settle_arena(disk, NT_SUCCESS(status) ? ARENA_READY : ARENA_NONE);
    return status;
}

/* ---- Without an owner ---- */

void channel_orphan(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (disk->state == DISK_READY) {
        disk->state = DISK_RECONNECTING;
        disk->channel.lost_at = clock_now();
        channel_withdraw_locked(disk);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    channel_refuse_waiting(disk);
    KeSetEvent(&disk->channel.wake, IO_NO_INCREMENT, FALSE);
}

static void hold_back(struct disk *disk)
{
    if (!StorPortPauseDevice(disk->adapter, 0, disk->target, 0, PAUSE_S)) {
        log_print(LOG_WARNING, "%s: Storport did not pause the disk", disk->properties.InstanceName);
    }
}

static void give_up(struct disk *disk)
{
    log_print(LOG_ERROR, "%s: no program has attached itself within %lu ms: requests fail until one does",
              disk->properties.InstanceName, (ULONG)driver_options.reconnect_timeout_ms);
    requests_fail_waiting(disk);
    StorPortResumeDevice(disk->adapter, 0, disk->target, 0);
}

static bool is_overdue(const struct disk *disk)
{
    ULONG timeout_ms = (ULONG)driver_options.reconnect_timeout_ms;

    return timeout_ms != 0 && clock_awake() - disk->channel.orphaned_at >= timeout_ms * CLOCK_TICKS_PER_MS;
}

void channel_look_for_owner(struct disk *disk)
{
    struct channel *channel = &disk->channel;

    if (disk_state(disk) != DISK_RECONNECTING) {
        channel->orphaned_at = 0;
        return;
    }
    if (channel->orphaned_at == 0) {
        channel->orphaned_at = clock_awake();
        log_print(LOG_ERROR, "%s: the program that serves the disk is gone", disk->properties.InstanceName);
    }
    if (is_overdue(disk)) {
        give_up(disk);
    } else {
        hold_back(disk);
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

static void go_on(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    if (disk->state == DISK_RECONNECTING || disk->state == DISK_LOST) {
        disk->state = DISK_READY;
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    StorPortResumeDevice(disk->adapter, 0, disk->target, 0);
}

NTSTATUS channel_attach(struct disk *disk, PFILE_OBJECT file)
{
    enum disk_state state = disk_state(disk);

    if ((state != DISK_RECONNECTING && state != DISK_LOST) || !owner_take(disk, file)) {
        return STATUS_SHARING_VIOLATION;
    }
    channel_take_arena_down(disk);
    go_on(disk);
    return STATUS_SUCCESS;
}
