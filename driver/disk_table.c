/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which disks an adapter has: names, addresses, exports. */
#include "driver/disk.h"

#include "driver/text.h"

/* Of all adapters: an id is not used again until the driver is unloaded. */
static volatile LONG64 last_connection_id;

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
    disk->connection_id = (uint64_t)InterlockedIncrement64(&last_connection_id) * ADAPTER_TARGETS + target;
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

/* ---- What SCSI sees ---- */

void disk_places_init(struct adapter *adapter)
{
    for (size_t i = 0; i < ADAPTER_TARGETS; i++) {
        ExInitializeRundownProtection(&adapter->places[i].visitors);
        ExWaitForRundownProtectionRelease(&adapter->places[i].visitors); /* nobody is there: nobody can come */
    }
}

void disk_show(struct disk *disk)
{
    struct place *place = &disk->adapter->places[disk->target];

    place->disk = disk;
    ExReInitializeRundownProtection(&place->visitors);
}

void disk_hide(struct disk *disk)
{
    struct place *place = &disk->adapter->places[disk->target];

    ExWaitForRundownProtectionRelease(&place->visitors);
    place->disk = NULL;
}

struct disk *disk_pin(struct adapter *adapter, ULONG target)
{
    if (target >= ADAPTER_TARGETS || !ExAcquireRundownProtection(&adapter->places[target].visitors)) {
        return NULL;
    }
    return adapter->places[target].disk;
}

void disk_unpin(struct disk *disk)
{
    ExReleaseRundownProtection(&disk->adapter->places[disk->target].visitors);
}

/* ---- By name, by export ---- */

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

void disk_moved(struct disk *disk, const SOCKADDR_STORAGE *peer)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->adapter->lock, &handle);
    disk->peer = *peer;
    KeReleaseInStackQueuedSpinLock(&handle);
}
