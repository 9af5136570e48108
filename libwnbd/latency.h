/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WNBD_LATENCY: which element counts what. Calls nothing. */
#ifndef LIBWNBD_LATENCY_H
#define LIBWNBD_LATENCY_H

#include "include/wnbd.h"

static inline UINT32 latency_bucket(UINT64 ns)
{
    UINT64 us = ns / 1000;
    UINT32 bucket = 0;

    while (us != 0 && bucket < WNBD_LATENCY_BUCKETS - 1) {
        us >>= 1;
        bucket++;
    }
    return bucket;
}

/* Other types of requests are not counted. */
static inline void latency_count(PWNBD_LATENCY latency, WnbdRequestType type, UINT64 ns)
{
    switch (type) {
    case WnbdReqTypeRead:
        latency->Read[latency_bucket(ns)]++;
        break;
    case WnbdReqTypeWrite:
        latency->Write[latency_bucket(ns)]++;
        break;
    case WnbdReqTypeFlush:
        latency->Flush[latency_bucket(ns)]++;
        break;
    case WnbdReqTypeUnmap:
        latency->Unmap[latency_bucket(ns)]++;
        break;
    case WnbdReqTypeUnknown:
    case WnbdReqTypeDisconnect:
    case WnbdReqTypePersistResIn:
    case WnbdReqTypePersistResOut:
        break;
    }
}

#endif
