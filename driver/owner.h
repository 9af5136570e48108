/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose a disk is that a program serves: the file object's that made it or attached itself to it. A process id can be
 * used again and says nothing about who has the handle.
 *
 * That the owner is gone shows in two ways: the last handle of its file object is closed (IRP_MJ_CLEANUP, which
 * Storport owns: the driver's routine is put before Storport's, which is not documented to be allowed;
 * docs/verification.md), and the command OWN is cancelled, which Windows does when the thread that has sent it ends.
 */
#ifndef WNBD_DRIVER_OWNER_H
#define WNBD_DRIVER_OWNER_H

#include "driver/ddk.h"

#include <stdbool.h>

struct disk;

/* Part of struct channel. */
struct ownership {
    LIST_ENTRY link;            /* on the list of all; guarded by its lock */
    PFILE_OBJECT volatile file; /* referenced; NULL: there is no owner. Written under that lock */
};

/* Has the driver told of closed handles. Once, after StorPortInitialize. PASSIVE_LEVEL. */
void owner_hook(PDRIVER_OBJECT driver);

void owner_init(struct disk *disk);

/* `file` is the owner from now on. False: there is one, or all its handles are closed. */
bool owner_take(struct disk *disk, PFILE_OBJECT file);

/* Without a lock, for the data path. Under disk->lock it is as good as with one: who takes the ownership away takes
 * disk->lock after that, and ends what was begun before. `file` is that of an IRP, which holds it. */
bool owner_is(struct disk *disk, PFILE_OBJECT file);

/* Whether it has one. Any context. */
bool owner_is_there(struct disk *disk);

/* The disk has no owner any more, and knows nothing of it. */
void owner_drop(struct disk *disk);

/* The same if `file` is the owner, and the disk ends or waits for another. The disk is referenced. */
void owner_lost(struct disk *disk, PFILE_OBJECT file);

#endif
