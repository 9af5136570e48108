/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a medium's failure is told to Windows. Nothing here needs Windows. */
#ifndef WNBD_CLIENT_SERVE_SENSE_H
#define WNBD_CLIENT_SERVE_SENSE_H

#include "include/wnbd.h"

/* The medium has no room for what was written; whatever it held before it still holds. */
BOOL serve_is_full(DWORD error);

/* Makes *status (all zeroes) the check condition for a request that has failed with the Windows error. `block` is the
 * first of a read or write, which its INFORMATION names. */
void serve_sense(WnbdRequestType type, DWORD error, UINT64 block, PWNBD_STATUS status);

#endif
