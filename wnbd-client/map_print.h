/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `map` says when it has worked. */
#ifndef WNBD_CLIENT_MAP_PRINT_H
#define WNBD_CLIENT_MAP_PRINT_H

#include "include/wnbd.h"

#include <stdbool.h>

/* Tells of the disk on stdout, at once, and on stderr what is to be done if Windows keeps it offline or read-only. A
 * disk number below 0: Windows has not shown it yet. */
void map_print(bool json, const WNBD_PROPERTIES *properties, int disk_number);

#endif
