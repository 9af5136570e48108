/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who carries out a disk's requests: the NBD client (nbd.h) or a program (channel.h). What both have in common is in
 * requests.h; here is what they do each in their way. PASSIVE_LEVEL and the disk's thread, unless a line says
 * otherwise.
 */
#ifndef WNBD_DRIVER_BACKEND_H
#define WNBD_DRIVER_BACKEND_H

#include "driver/record.h"

struct disk;

struct backend {
    bool takes_pages; /* data is moved by the SRB's MDL; false: at its address */

    /* Memory, so that nothing later needs any. STATUS_INSUFFICIENT_RESOURCES: free is still to be called.
     * PASSIVE_LEVEL, any thread. */
    NTSTATUS (*allocate)(struct disk *disk);
    void (*free)(struct disk *disk);

    /* Finds out what the disk is, and makes it so: disk->device and the properties. On failure disk->message has one
     * clause for people, and nothing is left to be closed. */
    NTSTATUS (*connect)(struct disk *disk);

    /* The disk is DISK_READY from here on. */
    void (*open)(struct disk *disk);

    /* Does what the disk needs of its thread, until disk->stop is set. `wake` is the event that has it look. */
    void (*serve)(struct disk *disk);

    /* Ends all requests; none come any more. */
    void (*close)(struct disk *disk);

    /* The disk is gone from the table, or connect has failed: the last call but free. */
    void (*gone)(struct disk *disk);

    /* The thread is to look at disk->stop. Any IRQL up to DISPATCH_LEVEL. */
    void (*wake)(struct disk *disk);

    /* Takes what waits, as far as it can now. disk->lock is held, and may be let go meanwhile. */
    void (*pump_locked)(struct disk *disk, KLOCK_QUEUE_HANDLE *handle);

    /* Ends every request with requests.reset_status: at once those it can, to `done`, and the others in bounded time.
     * disk->lock is held. */
    void (*reset_locked)(struct disk *disk, struct list_link *done);

    /* Ends one request that is out and marked as aborted, in the same way. disk->lock is held. */
    void (*abort_locked)(struct disk *disk, struct record *record, struct list_link *done);

    /* Fills in how the disk stands with whoever carries out its requests; `status` is zeroed. disk->lock is held. */
    void (*describe_locked)(struct disk *disk, WNBD_SERVER_STATUS *status);

    /* The machine may have slept. disk->lock is held. */
    void (*renew_locked)(struct disk *disk);
};

extern const struct backend nbd_backend;
extern const struct backend channel_backend;

#endif
