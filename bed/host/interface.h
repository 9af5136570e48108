/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device interfaces: classes under which devices are found. */
#ifndef BED_HOST_INTERFACE_H
#define BED_HOST_INTERFACE_H

#include "driver/ddk.h"

/* The physical device object of the first enabled interface of a class, with a reference; NULL: none. */
PDEVICE_OBJECT bed_interface_find(const GUID *class);

/* Reports interfaces that are enabled; answers how many. All registrations are forgotten. */
ULONG bed_interfaces_check(void);

#endif
