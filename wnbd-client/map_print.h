/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `map` says when it has worked. */
#ifndef WNBD_CLIENT_MAP_PRINT_H
#define WNBD_CLIENT_MAP_PRINT_H

#include "include/wnbd.h"

#include <stdbool.h>

/* `info` as the driver told it; a disk number below 0: Windows has not shown the disk yet. */
void map_print(bool json, const WNBD_CONNECTION_INFO *info, int disk_number);

#endif
