/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_DRIVER_RECONNECT_H
#define WNBD_DRIVER_RECONNECT_H

#include "driver/ddk.h"

#include <stdbool.h>

struct disk;

/* A search for the next connection; it goes on over connections that were of no use. The disk's thread's. */
struct search {
    bool begun;         /* the rest is set: there has been a loss */
    ULONGLONG begun_at; /* clock_awake: a machine that sleeps keeps nobody waiting */
    ULONG pause_ms;     /* before the next try */
    bool given_up;      /* the requests have failed */
};

/* The connection is lost: ends it and makes another one, for as long as it takes. Returns when the disk is ready again
 * or is to be removed. PASSIVE_LEVEL, the disk's thread. */
void reconnect(struct disk *disk);

#endif
