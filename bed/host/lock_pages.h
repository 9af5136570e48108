/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BED_HOST_LOCK_PAGES_H
#define BED_HOST_LOCK_PAGES_H

#include "driver/ddk.h"

/* Reports MDLs whose pages are not unlocked; answers how many. */
ULONG bed_locked_pages_check(void);

#endif
