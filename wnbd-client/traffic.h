/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk has transferred, by kind of request. */
#ifndef WNBD_CLIENT_TRAFFIC_H
#define WNBD_CLIENT_TRAFFIC_H

#include "include/wnbd.h"

enum traffic_kind { TRAFFIC_READ, TRAFFIC_WRITE, TRAFFIC_FLUSH, TRAFFIC_UNMAP, TRAFFIC_KINDS };

struct traffic {
    WNBD_TRAFFIC counts;
    UINT64 latency[WNBD_LATENCY_BUCKETS];
};

/* "Read", "Write", "Flush", "Unmap". */
const char *traffic_word(enum traffic_kind kind);

/* What was counted after `before`, which may be NULL: all. */
struct traffic traffic_between(const WNBD_IOCTL_STATS_OUTPUT *before, const WNBD_IOCTL_STATS_OUTPUT *after,
                               enum traffic_kind kind);

/* An object "traffic" with a member for each kind, as stats and show have it. NULL: the driver does not count it. */
void traffic_print_json(const WNBD_IOCTL_STATS_OUTPUT *stats);

#endif
