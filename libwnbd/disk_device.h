/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk devices Windows has made on the WNBD adapter. */
#ifndef LIBWNBD_DISK_DEVICE_H
#define LIBWNBD_DISK_DEVICE_H

#include "include/wnbd.h"

/* Fills DiskNumber and PNPDeviceID of each of the `count` disks at `infos`; -1 and empty where Windows has no device
 * yet. Looks at every disk of the adapter once, however many are asked for. */
void disk_device_fill(PWNBD_CONNECTION_INFO infos, UINT32 count);

#endif
