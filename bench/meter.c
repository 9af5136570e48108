/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/meter.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t in_us(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static uint64_t cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return in_us(&usage.ru_utime) + in_us(&usage.ru_stime);
}

void meter_begin(struct meter *meter, const struct plan *plan, uint64_t calls)
{
    meter->wanted = plan->requests != 0 ? plan->requests : UINT64_MAX;
    meter->calls = calls;
    meter->cpu_us = cpu_us();
    meter->begin_ns = now_ns();
    meter->end_ns = plan->requests != 0 ? UINT64_MAX : meter->begin_ns + (uint64_t)(plan->seconds * 1e9);
}

uint64_t meter_allows(const struct meter *meter, uint64_t started, uint64_t free)
{
    uint64_t left = meter->wanted - started;

    if (meter->end_ns != UINT64_MAX && now_ns() >= meter->end_ns) {
        return 0;
    }
    return free < left ? free : left;
}

void meter_end(const struct meter *meter, uint64_t requests, uint64_t calls)
{
    double seconds = (double)(now_ns() - meter->begin_ns) / 1e9;

    printf("requests=%llu seconds=%.6f cpu_us=%llu", (unsigned long long)requests, seconds,
           (unsigned long long)(cpu_us() - meter->cpu_us));
    if (calls != METER_NO_CALLS) {
        printf(" calls=%llu", (unsigned long long)(calls - meter->calls));
    }
    printf("\n");
}
