/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BED_HOST_MDL_H
#define BED_HOST_MDL_H

#include "driver/ddk.h"

/* Reports MDLs of IoAllocateMdl that are not freed; answers how many. */
ULONG bed_mdls_check(void);

#endif
