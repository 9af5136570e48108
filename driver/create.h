/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IOCTL_WNBD_CREATE: from a command to a disk, and the answer when the disk is ready or has failed. */
#ifndef WNBD_DRIVER_CREATE_H
#define WNBD_DRIVER_CREATE_H

#include "driver/disk.h"

/* Checks the command and starts a disk. The IRP pends, and can be cancelled, until create_finish; or it is completed
 * here. PASSIVE_LEVEL. */
void create_begin(struct adapter *adapter, PIRP irp);

/* Completes the pended create of a disk, unless that has been done. PASSIVE_LEVEL, the disk's thread. */
void create_finish(struct disk *disk, NTSTATUS status);

/* Completes the pended create of a disk as cancelled, unless that has been done; its thread goes on. */
void create_abandon(struct disk *disk);

/* Pends an IRP until no create is under way, and completes it with success then. False: none is, or the adapter is
 * ending, and the IRP is still the caller's. What keeps new ones away has been done before. */
bool create_await_all(struct adapter *adapter, PIRP irp);

/* Completes the IRPs that wait so, whatever is under way. */
void create_release_waiters(struct adapter *adapter);

#endif
