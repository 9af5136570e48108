/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was counted at one moment, and the rows of a table between two of them. */
#ifndef WNBD_CLIENT_WATCH_SAMPLE_H
#define WNBD_CLIENT_WATCH_SAMPLE_H

#include "wnbd-client/watch_table.h"

#include "include/wnbd.h"

#define WATCH_ROWS_MAX 128 /* as many disks as an adapter has */

struct watch_disk {
    WNBD_CONNECTION_INFO info;
    WNBD_SERVER_STATUS server;
    WNBD_IOCTL_STATS_OUTPUT stats;
};

struct watch_sample {
    struct watch_disk *disks;
    size_t count;
};

/* Of all disks, or of one. Takes the place of what `sample` had, which begins as {0}. */
DWORD watch_take(struct watch_sample *sample, const char *name);
void watch_free(struct watch_sample *sample);

/* The rows between two samples: the disks, or the kinds of requests of the only one. They borrow from `after`. */
size_t watch_rows_of_disks(const struct watch_sample *before, const struct watch_sample *after,
                           struct watch_row rows[WATCH_ROWS_MAX]);
size_t watch_rows_of_kinds(const struct watch_sample *before, const struct watch_sample *after,
                           struct watch_row rows[WATCH_ROWS_MAX]);

#endif
