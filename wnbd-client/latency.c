/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/latency.h"

#include <stdio.h>

static double beginning_of(unsigned bucket)
{
    return bucket == 0 ? 0 : (double)(1ull << (bucket - 1));
}

static uint64_t sum(const uint64_t buckets[LATENCY_BUCKETS])
{
    uint64_t total = 0;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        total += buckets[i];
    return total;
}

double latency_within(const uint64_t buckets[LATENCY_BUCKETS], double share)
{
    double wanted = share * (double)sum(buckets);
    double below = 0;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        double here = (double)buckets[i];

        if (here > 0 && below + here >= wanted)
            return beginning_of(i) + (wanted - below) / here * ((double)(1ull << i) - beginning_of(i));
        below += here;
    }
    return -1;
}

const char *latency_format(double us, char text[LATENCY_TEXT_SIZE])
{
    if (us < 0)
        snprintf(text, LATENCY_TEXT_SIZE, "-");
    else if (us < 1000)
        snprintf(text, LATENCY_TEXT_SIZE, "%.0f us", us);
    else if (us < 1000000)
        snprintf(text, LATENCY_TEXT_SIZE, "%.1f ms", us / 1000);
    else
        snprintf(text, LATENCY_TEXT_SIZE, "%.1f s", us / 1000000);
    return text;
}
