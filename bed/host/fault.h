/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults: of the calls a driver makes that may fail, the k-th does. */
#ifndef BED_HOST_FAULT_H
#define BED_HOST_FAULT_H

#include <stdbool.h>

enum bed_fault {
    BED_FAULT_POOL = 1 << 0,
    BED_FAULT_MDL = 1 << 1,
    BED_FAULT_IRP = 1 << 2,
    BED_FAULT_THREAD = 1 << 3,
    BED_FAULT_REGISTRY = 1 << 4,
    BED_FAULT_INTERFACE = 1 << 5,
    BED_FAULT_WSK = 1 << 6,
    BED_FAULT_SECTION = 1 << 7,   /* sections, their views, and handles to objects */
    BED_FAULT_LOCK = 1 << 8,      /* of pages */
    BED_FAULT_MAP = 1 << 9,       /* of locked pages into system space */
    BED_FAULT_COUNTERS = 1 << 10, /* performance counters */
    BED_FAULT_ALL = (1 << 11) - 1,
    BED_FAULT_EVENT = 1 << 11, /* of what is told to others: no call of anybody fails by it */
};

/* Counts the calls of these kinds from now on; the k-th fails (1: the first). k = 0: none. */
void bed_fault_arm(unsigned kinds, unsigned k);

/* Whether a call has been made to fail since this was asked last. */
bool bed_fault_happened_once(void);

/* Asked by a routine that may fail: whether it has to, now. */
bool bed_fault(enum bed_fault kind);

#endif
