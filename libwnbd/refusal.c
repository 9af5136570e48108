/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/refusal.h"

/* SPC-4, "Sense key and additional sense code definitions" */
#define SENSE_ILLEGAL_REQUEST               0x05
#define ASC_INVALID_COMMAND                 0x20
#define ASC_INVALID_FIELD_IN_CDB            0x24
#define ASC_INVALID_FIELD_IN_PARAMETER_LIST 0x26

/* 0: nothing is wrong with it. */
static UINT8 unmap_fault(const WNBD_PROPERTIES *properties, const WNBD_ARENA_REQUEST *request)
{
    UINT32 limit = properties->MaxUnmapDescCount ? properties->MaxUnmapDescCount : 1;
    UINT64 count = request->Request.Cmd.Unmap.Count;

    if (request->Request.Cmd.Unmap.Anchor && !properties->Flags.UnmapAnchorSupported)
        return ASC_INVALID_FIELD_IN_CDB;
    if (count > limit || count * sizeof(WNBD_UNMAP_DESCRIPTOR) > request->DataLength)
        return ASC_INVALID_FIELD_IN_PARAMETER_LIST;
    return 0;
}

static UINT8 fault(const WNBD_PROPERTIES *properties, const WNBD_INTERFACE *callbacks,
                   const WNBD_ARENA_REQUEST *request)
{
    switch (request->Request.RequestType) {
    case WnbdReqTypeRead:
        return callbacks->Read ? 0 : ASC_INVALID_COMMAND;
    case WnbdReqTypeWrite:
        return callbacks->Write ? 0 : ASC_INVALID_COMMAND;
    case WnbdReqTypeFlush:
        return callbacks->Flush && properties->Flags.FlushSupported ? 0 : ASC_INVALID_COMMAND;
    case WnbdReqTypeUnmap:
        if (!callbacks->Unmap || !properties->Flags.UnmapSupported)
            return ASC_INVALID_COMMAND;
        return unmap_fault(properties, request);
    case WnbdReqTypePersistResIn:
        return callbacks->PersistResIn && properties->Flags.PersistResSupported ? 0 : ASC_INVALID_COMMAND;
    case WnbdReqTypePersistResOut:
        return callbacks->PersistResOut && properties->Flags.PersistResSupported ? 0 : ASC_INVALID_COMMAND;
    case WnbdReqTypeUnknown:
    case WnbdReqTypeDisconnect:
        break;
    }
    return ASC_INVALID_COMMAND;
}

BOOL refusal_of(const WNBD_DISK *disk, const WNBD_ARENA_REQUEST *request, PWNBD_STATUS status)
{
    UINT8 asc = fault(&disk->Properties, disk->Interface, request);

    if (asc != 0)
        WnbdSetSense(status, SENSE_ILLEGAL_REQUEST, asc);
    return asc != 0;
}
