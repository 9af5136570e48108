/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_DRIVER_RECONNECT_H
#define WNBD_DRIVER_RECONNECT_H

#include "driver/disk.h"

/* The connection is lost: ends it and makes another one, for as long as it takes. Returns when the disk is ready again
 * or is to be removed. PASSIVE_LEVEL, the disk's thread. */
void reconnect(struct disk *disk);

#endif
