/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/fault.h"

static volatile unsigned kinds;
static volatile unsigned left;
static volatile bool happened;

void bed_fault_arm(unsigned new_kinds, unsigned k)
{
    __atomic_store_n(&left, k, __ATOMIC_SEQ_CST);
    kinds = new_kinds;
}

bool bed_fault_happened_once(void)
{
    return __atomic_exchange_n(&happened, false, __ATOMIC_SEQ_CST);
}

bool bed_fault(enum bed_fault kind)
{
    unsigned now = __atomic_load_n(&left, __ATOMIC_SEQ_CST);

    if ((kinds & kind) == 0) {
        return false;
    }
    while (now != 0 && !__atomic_compare_exchange_n(&left, &now, now - 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    if (now == 1) {
        __atomic_store_n(&happened, true, __ATOMIC_SEQ_CST);
    }
    return now == 1;
}
