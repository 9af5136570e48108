/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBWNBD_LIST_H
#define LIBWNBD_LIST_H

#include "include/wnbd.h"

/* All disks as the driver knows them: without what only Windows can say, their disk numbers and device ids. *list is
 * for free(); NULL after a failure. */
DWORD list_read(HANDLE adapter, PWNBD_CONNECTION_LIST *list);

#endif
