/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library tells of disks, in the words that several commands use. */
#ifndef WNBD_CLIENT_DISKS_H
#define WNBD_CLIENT_DISKS_H

#include "include/wnbd.h"

#include <stdbool.h>

/* All disks. *list is for free(), also after a failure. */
DWORD disks_read(PWNBD_CONNECTION_LIST *list);

/* An NBD disk, whoever speaks to its server. */
bool disk_is_nbd(const WNBD_PROPERTIES *properties);

/* The driver itself is not the disk's client: a program serves it. */
bool disk_is_served(const WNBD_PROPERTIES *properties);

/* How the disk stands with whoever answers its requests: "connected" (to a server), "served" (by a program),
 * "reconnecting", "lost". */
const char *disk_state_word(const WNBD_PROPERTIES *properties, UINT32 state);

/* Of WnbdReplies. */
const char *disk_replies_word(UINT32 replies);

/* What Windows keeps in flight, of a disk that it has made a device of. */
bool disk_read_limits(INT disk_number, DWORD *lun, DWORD *adapter);

#endif
