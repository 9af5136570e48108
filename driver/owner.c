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
    taken = ownership->file == NULL;
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

static bool take_away(struct disk *disk)
{
    struct ownership *ownership = &disk->channel.ownership;
    KLOCK_QUEUE_HANDLE handle;
    PFILE_OBJECT file;

    KeAcquireInStackQueuedSpinLock(&owners.lock, &handle);
    file = ownership->file;
    ownership->file = NULL;
    RemoveEntryList(&ownership->link);
    InitializeListHead(&ownership->link);
    KeReleaseInStackQueuedSpinLock(&handle);
    if (file != NULL) {
        ObDereferenceObject(file);
    }
    return file != NULL;
}

void owner_drop(struct disk *disk)
{
    take_away(disk);
}

/* A disk that goes knows its owner until it has gone, and tells it so. */
void owner_lost(struct disk *disk)
{
    if (!disk->properties.Flags.KeepDisk) {
        disk_stop(disk);
    } else if (take_away(disk)) {
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

        if (disk->channel.ownership.file == file) {
            RemoveEntryList(link);
            InitializeListHead(link);
            disk_reference(disk);
            found = disk;
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return found;
}

static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT device, PIRP irp)
{
    PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    struct disk *disk;

    while ((disk = take_owned(file)) != NULL) {
        owner_lost(disk);
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
