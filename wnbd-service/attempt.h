/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One attempt to map a recorded disk. */
#ifndef WNBD_SERVICE_ATTEMPT_H
#define WNBD_SERVICE_ATTEMPT_H

#include "wnbd-service/daemon.h"
#include "wnbd-service/disk.h"
#include "wnbd-service/words.h"

/*
 * Returns when the disk can be used, or has failed; ERROR_OPERATION_ABORTED soon after disk_stop, and then nothing is
 * left behind. Says on success that the disk is mapped. `daemon`: of a disk that this process serves; runs after a
 * success.
 */
DWORD attempt_map(struct disk *disk, struct daemon *daemon, char reason[WORDS_SIZE]);

/* Whether the driver's disk is mapped, as recorded: says that it is found then. */
bool attempt_find(struct disk *disk);

/* For another thread: cancels the attempt that is under way, if one is. One that begins just after is not cancelled. */
void attempt_cancel(struct disk *disk);

#endif
