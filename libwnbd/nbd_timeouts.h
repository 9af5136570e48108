/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long NBD servers are waited for: the driver's settings hold for disks that a process serves as well. */
#ifndef LIBWNBD_NBD_TIMEOUTS_H
#define LIBWNBD_NBD_TIMEOUTS_H

#include "include/wnbd.h"

struct nbd_timeouts {
    DWORD connect_ms;
    DWORD reconnect_ms; /* how long requests wait for a connection; 0: for ever */
};

/* As they are now. What is missing or out of range is as the driver has it then. */
struct nbd_timeouts nbd_timeouts_read(void);

#endif
