/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device objects, their stacks, their names and the symbolic links to them. */
#ifndef BED_HOST_DEVICE_H
#define BED_HOST_DEVICE_H

#include "driver/ddk.h"

/* The device that a name (\DosDevices\... or \Device\...) leads to, with a reference; NULL: none. */
PDEVICE_OBJECT bed_device_named(const char *name);

/* Reports symbolic links that are left; answers how many. */
ULONG bed_links_check(void);

#endif
