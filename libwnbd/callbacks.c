/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/callbacks.h"
#include "libwnbd/log.h"
#include "libwnbd/refusal.h"

static void refuse(struct served *served, const WNBD_IO_REQUEST *request, const WNBD_STATUS *status)
{
    WNBD_IO_RESPONSE response = {
        .RequestHandle = request->RequestHandle, .RequestType = request->RequestType, .Status = *status};

    log_message(MESSAGE_REQUEST_REFUSED,
                "'%s': a request of type %s was refused: this program does not serve it (ASC 0x%02x)",
                served->disk.Properties.InstanceName, WnbdRequestTypeToStr(request->RequestType), status->ASC);
    AcquireSRWLockExclusive(&served->lock);
    served->disk.Stats.InvalidRequests++;
    ReleaseSRWLockExclusive(&served->lock);
    WnbdSendResponse(&served->disk, &response, NULL, 0);
}

/* The CDB may speak of more than the initiator has sent. */
static UINT32 parameter_length(const WNBD_ARENA_REQUEST *request)
{
    UINT32 length = request->Request.Cmd.PersistResOut.ParameterListLength;

    return length < request->DataLength ? length : request->DataLength;
}

static void call(struct served *served, const WNBD_ARENA_REQUEST *given, void *data)
{
    const WNBD_IO_REQUEST *request = &given->Request;
    const WNBD_INTERFACE *callbacks = served->disk.Interface;
    PWNBD_DISK disk = &served->disk;
    UINT64 handle = request->RequestHandle;

    switch (request->RequestType) {
    case WnbdReqTypeRead:
        callbacks->Read(disk, handle, data, request->Cmd.Read.BlockAddress, request->Cmd.Read.BlockCount,
                        request->Cmd.Read.ForceUnitAccess);
        break;
    case WnbdReqTypeWrite:
        callbacks->Write(disk, handle, data, request->Cmd.Write.BlockAddress, request->Cmd.Write.BlockCount,
                         request->Cmd.Write.ForceUnitAccess);
        break;
    case WnbdReqTypeFlush:
        callbacks->Flush(disk, handle, request->Cmd.Flush.BlockAddress, request->Cmd.Flush.BlockCount);
        break;
    case WnbdReqTypeUnmap:
        callbacks->Unmap(disk, handle, data, request->Cmd.Unmap.Count);
        break;
    case WnbdReqTypePersistResIn:
        callbacks->PersistResIn(disk, handle, request->Cmd.PersistResIn.ServiceAction);
        break;
    case WnbdReqTypePersistResOut:
        callbacks->PersistResOut(disk, handle, request->Cmd.PersistResOut.ServiceAction,
                                 request->Cmd.PersistResOut.Scope, request->Cmd.PersistResOut.Type, data,
                                 parameter_length(given));
        break;
    case WnbdReqTypeUnknown:
    case WnbdReqTypeDisconnect:
        break; /* refused */
    }
}

void callbacks_run(struct served *served, const WNBD_ARENA_REQUEST *request)
{
    WNBD_STATUS status = {0};

    if (refusal_of(&served->disk, request, &status))
        refuse(served, &request->Request, &status);
    else
        call(served, request, served_data(served, request));
}
