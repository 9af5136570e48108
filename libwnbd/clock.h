/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time for measuring. */
#ifndef LIBWNBD_CLOCK_H
#define LIBWNBD_CLOCK_H

#include "include/wnbd.h"

#define NS_PER_SECOND 1000000000u

/* Nanoseconds since some moment. Any thread. */
static inline UINT64 clock_ns(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER now;
    UINT64 per_second;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    per_second = (UINT64)frequency.QuadPart;
    /* Apart, because the product of all of it would overflow after some days. */
    return (UINT64)now.QuadPart / per_second * NS_PER_SECOND +
           (UINT64)now.QuadPart % per_second * NS_PER_SECOND / per_second;
}

#endif
