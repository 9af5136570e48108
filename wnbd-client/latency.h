/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a histogram of the driver's (WNBD_LATENCY, include/wnbd_ioctl.h) says in words. Nothing here needs Windows. */
#ifndef WNBD_CLIENT_LATENCY_H
#define WNBD_CLIENT_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS 32

/* The microseconds within which this share (0 to 1) of what was counted ended: known up to a factor of two, and taken
 * to be evenly spread in between. Below 0: nothing was counted. */
double latency_within(const uint64_t buckets[LATENCY_BUCKETS], double share);

/* "850 us", "1.2 ms", "31.0 s"; "-" for a time below 0. */
#define LATENCY_TEXT_SIZE 32
const char *latency_format(double us, char text[LATENCY_TEXT_SIZE]);

#endif
