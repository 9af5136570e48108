/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBWNBD_DISPATCH_H
#define LIBWNBD_DISPATCH_H

#include "libwnbd/served.h"

/* Ends a dispatcher that still runs, and frees what it had. Also for a disk that never had one. */
void dispatch_close(struct served *served);

#endif
