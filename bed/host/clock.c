/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/clock.h"

#include "bed/host/irql.h"
#include "driver/ddk.h"

#include <time.h>

#define TICKS_1601_TO_1970 116444736000000000LL /* 100 ns */

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static unsigned speed = 1;

void bed_clock_speed(unsigned factor)
{
    speed = factor;
}

unsigned bed_clock_factor(void)
{
    return speed;
}

uint64_t bed_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC) * speed;
}

uint64_t bed_clock_real_ns(uint64_t span)
{
    return span == UINT64_MAX ? UINT64_MAX : (span + speed - 1) / speed;
}

static uint64_t slept_ns;

void bed_clock_sleep(uint64_t ns)
{
    __atomic_add_fetch(&slept_ns, ns, __ATOMIC_SEQ_CST);
}

static ULONGLONG interrupt_time(uint64_t awake_ns)
{
    return (awake_ns + __atomic_load_n(&slept_ns, __ATOMIC_SEQ_CST)) / 100;
}

/* Windows moves it with the clock's interrupt, and so costs a read of memory; with the clock sped up, a tick would be
 * too long. */
ULONGLONG KeQueryInterruptTime(VOID)
{
    return interrupt_time(speed == 1 ? read_clock(CLOCK_MONOTONIC_COARSE) : bed_clock_ns());
}

ULONG64 KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    uint64_t now = bed_clock_ns();

    *QpcTimeStamp = now / 100;
    return interrupt_time(now);
}

ULONGLONG KeQueryUnbiasedInterruptTime(VOID)
{
    return bed_clock_ns() / 100;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = (LONGLONG)(read_clock(CLOCK_REALTIME) / 100) + TICKS_1601_TO_1970;
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER counter = {.QuadPart = (LONGLONG)(bed_clock_ns() / 100)};

    if (PerformanceFrequency != NULL) {
        PerformanceFrequency->QuadPart = 10000000;
    }
    return counter;
}

VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
    struct timespec pause = {0, (long)MicroSeconds * 1000};

    nanosleep(&pause, NULL);
}
