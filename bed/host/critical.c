/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Critical regions: a thread in one is not suspended, here as little as outside; only that they pair is looked at. */
#include "bed/host/irql.h"
#include "bed/host/thread.h"
#include "bed/port/violation.h"

VOID KeEnterCriticalRegion(VOID)
{
    bed_irql_at_most(APC_LEVEL, "KeEnterCriticalRegion");
    bed_thread_self()->critical_regions++;
}

VOID KeLeaveCriticalRegion(VOID)
{
    struct bed_thread *thread = bed_thread_self();

    bed_irql_at_most(APC_LEVEL, "KeLeaveCriticalRegion");
    if (thread->critical_regions == 0) {
        port_violation("thread: KeLeaveCriticalRegion outside of a critical region");
        return;
    }
    thread->critical_regions--;
}
