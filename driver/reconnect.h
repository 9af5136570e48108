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

    /* for a connection that is missing beside others */
    ULONGLONG mend_at;   /* clock_awake: not before */
    ULONG mend_pause_ms; /* after the next failure twice that; 0: the last try was none */
};

/* How long the disk's thread may wait for a connection to be lost before it calls reconnect, because one is missing.
 * The disk's thread. False: for ever, none is missing. */
bool reconnect_wait_is_bounded(struct disk *disk, LARGE_INTEGER *timeout);

/* Connections are lost or missing: ends the lost ones and makes one again; if there was no other, for as long as it
 * takes. Returns when the disk is ready or is to be removed. PASSIVE_LEVEL, the disk's thread. */
void reconnect(struct disk *disk);

#endif
