/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "include/wnbd.h"

#define SCSI_STATUS_CHECK_CONDITION 2

static void set_sense(PWNBD_STATUS status, UINT8 key, UINT8 asc, UINT64 information, UINT32 information_valid)
{
    status->ScsiStatus = SCSI_STATUS_CHECK_CONDITION;
    status->SenseKey = key;
    status->ASC = asc;
    status->Information = information;
    status->InformationValid = information_valid;
}

VOID WnbdSetSenseEx(PWNBD_STATUS Status, UINT8 SenseKey, UINT8 Asc, UINT64 Info)
{
    set_sense(Status, SenseKey, Asc, Info, 1);
}

VOID WnbdSetSense(PWNBD_STATUS Status, UINT8 SenseKey, UINT8 Asc)
{
    set_sense(Status, SenseKey, Asc, 0, 0);
}
