/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bed/trouble.h"

static BOOLEAN is_meant(const struct call *call)
{
    const UCHAR *cdb = call->scsi->Cdb;

    return (cdb[0] == 0x28 || cdb[0] == 0x2A) && cdb[2] == 0 && cdb[3] == 0 && cdb[4] == 0 && cdb[5] == 8;
}

BOOLEAN trouble_meets(struct trouble *trouble, void *extension, struct call *call)
{
    if (!is_meant(call)) {
        return FALSE;
    }
    if (trouble->pause != 0) {
        StorPortPauseDevice(extension, 0, call->address->Target, call->address->Lun, trouble->pause);
        trouble->pause = 0;
        call->srb->SrbStatus = SRB_STATUS_BUSY;
        StorPortNotification(RequestComplete, extension, call->srb);
        return TRUE;
    }
    if (trouble->busy != 0) {
        trouble->busy--;
        call->srb->SrbStatus = SRB_STATUS_BUSY;
        StorPortNotification(RequestComplete, extension, call->srb);
        return TRUE;
    }
    if (trouble->stall != 0 && trouble->stalled == NULL) {
        trouble->stalled = (SCSI_REQUEST_BLOCK *)call->srb;
        return TRUE;
    }
    return FALSE;
}

BOOLEAN trouble_reset(struct trouble *trouble, void *extension, enum trouble_reset reset)
{
    SCSI_REQUEST_BLOCK *srb = trouble->stalled;

    if (srb == NULL) {
        return TRUE;
    }
    if ((ULONG)reset < trouble->stall) {
        return FALSE;
    }
    trouble->stalled = NULL;
    trouble->stall = 0;
    srb->SrbStatus = SRB_STATUS_BUS_RESET;
    StorPortNotification(RequestComplete, extension, srb);
    return TRUE;
}
