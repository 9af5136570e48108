/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trouble that a right miniport may have and that Storport and the class driver overcome: a request that stays away
 * until a reset, a busy device, a pause. Met by READs and WRITEs of block 8 only.
 */
#ifndef TESTS_BED_TROUBLE_H
#define TESTS_BED_TROUBLE_H

#include "tests/bed/memory_disk.h"

enum trouble_reset { TROUBLE_LUN_RESET = 1, TROUBLE_TARGET_RESET = 2, TROUBLE_BUS_RESET = 3 };

struct trouble {
    ULONG stall; /* the first request waits for this reset, weaker ones fail; 0 = none */
    ULONG busy;  /* so many requests are answered with BUSY */
    ULONG pause; /* the first request pauses the device for so many seconds */
    SCSI_REQUEST_BLOCK *stalled;
};

/* TRUE: the SRB was taken care of, the caller forgets it. */
BOOLEAN trouble_meets(struct trouble *trouble, void *extension, struct call *call);

/* A reset: completes what waits for it; FALSE when it is too weak. */
BOOLEAN trouble_reset(struct trouble *trouble, void *extension, enum trouble_reset reset);

#endif
