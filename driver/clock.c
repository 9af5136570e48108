/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/clock.h"

#include "driver/ddk.h"

uint64_t clock_now(void)
{
    return KeQueryInterruptTime();
}

uint64_t clock_precise(void)
{
    ULONG64 counter;

    return KeQueryInterruptTimePrecise(&counter);
}

uint64_t clock_awake(void)
{
    return KeQueryUnbiasedInterruptTime();
}
