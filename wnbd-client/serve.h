/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* map --file and map --ram: this program is the disk, from being asked for until it is unmapped. */
#ifndef WNBD_CLIENT_SERVE_H
#define WNBD_CLIENT_SERVE_H

#include "wnbd-client/map_source.h"

/* Returns when the disk is gone, or could not be made. The result is the exit code: a failure has been said. */
int serve(const struct arguments *arguments, enum map_source source, bool json);

#endif
