/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A walk over the present device interfaces of a class. */
#ifndef LIBWNBD_INTERFACES_H
#define LIBWNBD_INTERFACES_H

#include "include/wnbd.h"

#define INTERFACE_PATH_LENGTH 512 /* characters; Windows' own ids end at 200 */

struct interfaces {
    HDEVINFO set;
    const GUID *class_guid; /* borrowed until interfaces_end */
    DWORD index;
    /* The interface that interfaces_next found, and the device behind it. */
    SP_DEVINFO_DATA device;
    WCHAR path[INTERFACE_PATH_LENGTH];
};

/* A Windows error if there is no such list; then interfaces_end must not be called. */
DWORD interfaces_start(struct interfaces *interfaces, const GUID *class_guid);

/* ERROR_NO_MORE_ITEMS after the last one. */
DWORD interfaces_next(struct interfaces *interfaces);

/* The device's instance id; `length` in characters. */
DWORD interfaces_instance_id(struct interfaces *interfaces, WCHAR *id, DWORD length);

void interfaces_end(struct interfaces *interfaces);

#endif
