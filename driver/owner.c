/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/owner.h"

#include "driver/disk.h"

/* There is one driver object, and with several adapters a file object still is one disk's owner or not. */
static struct {
    PDRIVER_DISPATCH cleanup; /* Storport's; fixed after owner_hook */
    KSPIN_LOCK lock;          /* a leaf */
    LIST_ENTRY owned;         /* guarded by lock: struct ownership that have an owner */
} owners;

static struct disk *disk_of_link(PLIST_ENTRY link)
{
    return CONTAINING_RECORD(link, struct disk, channel.ownership.link);
}

void owner_init(struct disk *disk)
{
    InitializeListHead(&disk->channel.ownership.link);
}

bool owner_take(struct disk *disk, PFILE_OBJECT file)
{
    struct ownership *ownership = &disk->channel.ownership;
    KLOCK_QUEUE_HANDLE handle;
    bool taken;

    KeAcquireInStackQueuedSpinLock(&owners.lock, &handle);
    taken = ownership->file == NULL && (file->Flags & FO_CLEANUP_COMPLETE) == 0;
    if (taken) {
        ObReferenceObject(file);
        ownership->file = file;
        InsertTailList(&owners.owned, &ownership->link);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return taken;
}

bool owner_is(struct disk *disk, PFILE_OBJECT file)
{
    return file != NULL && disk->channel.ownership.file == file;
}

bool owner_is_there(struct disk *disk)
{
    return disk->channel.ownership.file != NULL;
}

/* False: `file` is not the owner. NULL: whoever is. */
static bool take_away(struct disk *disk, PFILE_OBJECT file)
{
    struct ownership *ownership = &disk->channel.ownership;
    PFILE_OBJECT owner = NULL;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&owners.lock, &handle);
    if (ownership->file != NULL && (file == NULL || ownership->file == file)) {
        owner = ownership->file;
        ownership->file = NULL;
        RemoveEntryList(&ownership->link);
        InitializeListHead(&ownership->link);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    if (owner != NULL) {
        ObDereferenceObject(owner);
    }
    return owner != NULL;
}

void owner_drop(struct disk *disk)
{
    take_away(disk, NULL);
}

/* A disk that goes knows its owner until it has gone, and tells it so. */
void owner_lost(struct disk *disk, PFILE_OBJECT file)
{
    if (!disk->properties.Flags.KeepDisk) {
        disk_stop(disk, DISK_DESERTED); /* it has no other owner, ever */
    } else if (take_away(disk, file)) {
        channel_orphan(disk);
    }
}

/* ---- Closed handles ---- */

/* A disk of the file object, with a reference, and not to be found again; NULL: there is none. */
static struct disk *take_owned(PFILE_OBJECT file)
{
    KLOCK_QUEUE_HANDLE handle;
    struct disk *found = NULL;

    KeAcquireInStackQueuedSpinLock(&owners.lock, &handle);
    for (PLIST_ENTRY link = owners.owned.Flink; link != &owners.owned && found == NULL; link = link->Flink) {
        struct disk *disk = disk_of_link(link);

        /* One without a reference is about to be freed, and waits for this lock. */
        if (disk->channel.ownership.file == file && disk_try_reference(disk)) {
            found = disk;
        }
    }
    if (found != NULL) {
        RemoveEntryList(&found->channel.ownership.link);
        InitializeListHead(&found->channel.ownership.link);
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return found;
}

/* A command that another thread has begun to send can still come, and must not make it an owner any more. */
static void mark_closed(PFILE_OBJECT file)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&owners.lock, &handle);
    file->Flags |= FO_CLEANUP_COMPLETE;
    KeReleaseInStackQueuedSpinLock(&handle);
}

static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT device, PIRP irp)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    struct disk *disk;

    if (file != NULL) {
        mark_closed(file);
    }
    while ((disk = take_owned(file)) != NULL) {
        owner_lost(disk, file);
        disk_release(disk);
    }
    return owners.cleanup(device, irp);
}

void owner_hook(PDRIVER_OBJECT driver)
{
    KeInitializeSpinLock(&owners.lock);
    InitializeListHead(&owners.owned);
    owners.cleanup = driver->MajorFunction[IRP_MJ_CLEANUP];
    driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
}
