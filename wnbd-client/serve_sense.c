/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/serve_sense.h"

/* SPC-4, 4.5.6 and annex D */
#define SENSE_MEDIUM_ERROR           0x03
#define SENSE_HARDWARE_ERROR         0x04
#define SENSE_DATA_PROTECT           0x07
#define ASC_WRITE_ERROR              0x0C
#define ASC_UNRECOVERED_READ_ERROR   0x11
#define ASC_WRITE_PROTECTED          0x27
#define ASCQ_SPACE_ALLOCATION_FAILED 0x07
#define ASC_INTERNAL_TARGET_FAILURE  0x44

BOOL serve_is_full(DWORD error)
{
    switch (error) {
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_NOT_ENOUGH_MEMORY: /* of a disk in memory */
    case ERROR_COMMITMENT_LIMIT:
        return TRUE;
    default:
        return FALSE;
    }
}

/* SBC-3, 4.7.3.5: what Windows makes of it is that the disk is full, and not that it is broken. */
static void set_full(PWNBD_STATUS status)
{
    WnbdSetSense(status, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
    status->ASCQ = ASCQ_SPACE_ALLOCATION_FAILED;
}

void serve_sense(WnbdRequestType type, DWORD error, UINT64 block, PWNBD_STATUS status)
{
    switch (type) {
    case WnbdReqTypeRead:
        WnbdSetSenseEx(status, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR, block);
        return;
    case WnbdReqTypeWrite:
        if (serve_is_full(error))
            set_full(status);
        else
            WnbdSetSenseEx(status, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR, block);
        return;
    case WnbdReqTypeFlush: /* a file system may find only now that it has no room */
        if (serve_is_full(error))
            set_full(status);
        else
            WnbdSetSense(status, SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
        return;
    case WnbdReqTypeUnmap:
    case WnbdReqTypePersistResIn:
    case WnbdReqTypePersistResOut:
    case WnbdReqTypeUnknown:
    case WnbdReqTypeDisconnect:
        break;
    }
    WnbdSetSense(status, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
}
