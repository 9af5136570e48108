/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watching a mapped disk. */
#ifndef WNBD_SERVICE_GUARD_H
#define WNBD_SERVICE_GUARD_H

#include "wnbd-service/daemon.h"
#include "wnbd-service/disk.h"

/*
 * Until the disk is to be mapped again, because it went with the adapter or its NBD client in this process ended: true;
 * or until it is stopped: false. One that somebody has unmapped is left alone until it is back. Says what has happened.
 */
bool guard(struct disk *disk, struct daemon *daemon);

#endif
