/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBWNBD_NBD_SHARING_H
#define LIBWNBD_NBD_SHARING_H

#include "include/wnbd.h"

/*
 * Whether this machine has the export mapped already, by that name of the server, and one of the two disks can be
 * written: two file systems on one export destroy it. TRUE: `other` is the disk's name. When the disks cannot be listed
 * the driver will refuse the next one anyway.
 */
BOOL nbd_is_shared(const WNBD_PROPERTIES *properties, CHAR other[WNBD_MAX_NAME_LENGTH]);

#endif
