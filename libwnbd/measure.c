/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library itself counts and measures of a disk. */
#include "libwnbd/served.h"

DWORD WnbdGetUserspaceStats(PWNBD_DISK Disk, PWNBD_USR_STATS Stats)
{
    if (!Disk || !Stats)
        return ERROR_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&served_of(Disk)->lock);
    *Stats = Disk->Stats;
    ReleaseSRWLockExclusive(&served_of(Disk)->lock);
    return ERROR_SUCCESS;
}

DWORD WnbdGetLatency(PWNBD_DISK Disk, PWNBD_LATENCY Latency)
{
    struct served *served = served_of(Disk);

    if (!Disk || !Latency)
        return ERROR_INVALID_PARAMETER;
    if (!served_is_ours(served))
        return ERROR_NOT_SUPPORTED;
    AcquireSRWLockExclusive(&served->lock);
    *Latency = served->latency;
    ReleaseSRWLockExclusive(&served->lock);
    return ERROR_SUCCESS;
}
