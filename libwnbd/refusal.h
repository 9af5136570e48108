/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library refuses in place of the program. */
#ifndef LIBWNBD_REFUSAL_H
#define LIBWNBD_REFUSAL_H

#include "include/wnbd.h"

/* TRUE: the request is not for the program's callbacks; *status says why, as it is to be answered. */
BOOL refusal_of(const WNBD_DISK *disk, const WNBD_ARENA_REQUEST *request, PWNBD_STATUS status);

#endif
