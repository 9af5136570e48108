/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Precise times, which Wine's ntoskrnl does not export. The performance counter runs at 10 MHz: it counts 100 ns. */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"

static VOID NTAPI shim_KeQuerySystemTimePrecise(PLARGE_INTEGER time)
{
    NtQuerySystemTime(time);
}

static ULONG64 NTAPI shim_KeQueryInterruptTimePrecise(PULONG64 counter)
{
    LARGE_INTEGER now;

    QueryPerformanceCounter(&now);
    *counter = (ULONG64)now.QuadPart;
    return (ULONG64)now.QuadPart;
}

/* Wine's machine does not sleep. */
static ULONGLONG NTAPI shim_KeQueryUnbiasedInterruptTime(VOID)
{
    ULONG64 counter;

    return shim_KeQueryInterruptTimePrecise(&counter);
}

const struct shim bed_time_shims[] = {
    SHIM_MEND(KeQuerySystemTimePrecise),
    SHIM_MEND(KeQueryInterruptTimePrecise),
    SHIM_MEND(KeQueryUnbiasedInterruptTime),
    SHIM_END,
};
