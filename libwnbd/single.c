/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serving a disk one request at a time, without a dispatcher. */
#include "libwnbd/ioctl.h"

static DWORD fetch_and_wait(HANDLE adapter, WNBD_IOCTL_FETCH_REQ_COMMAND *command, PWNBD_IO_REQUEST request)
{
    DWORD error = ioctl_command(adapter, command, sizeof(*command), command, sizeof(*command), NULL);

    if (error == ERROR_SUCCESS)
        *request = command->Request;
    return error;
}

DWORD WnbdIoctlFetchRequest(HANDLE Adapter, WNBD_CONNECTION_ID ConnectionId, PWNBD_IO_REQUEST Request, PVOID DataBuffer,
                            UINT32 DataBufferSize, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_FETCH_REQ_COMMAND command = {.IoControlCode = IOCTL_WNBD_FETCH_REQ,
                                            .ConnectionId = ConnectionId,
                                            .DataBuffer = DataBuffer,
                                            .DataBufferSize = DataBufferSize};

    if (!Request)
        return ERROR_INVALID_PARAMETER;
    /* Only the short output goes straight into the caller's memory, and so is there when the event is signalled. */
    if (Overlapped)
        return ioctl_command(Adapter, &command, sizeof(command), Request, sizeof(*Request), Overlapped);
    return fetch_and_wait(Adapter, &command, Request);
}

DWORD WnbdIoctlSendResponse(HANDLE Adapter, WNBD_CONNECTION_ID ConnectionId, PWNBD_IO_RESPONSE Response,
                            PVOID DataBuffer, UINT32 DataBufferSize, LPOVERLAPPED Overlapped)
{
    WNBD_IOCTL_SEND_RSP_COMMAND command = {.IoControlCode = IOCTL_WNBD_SEND_RSP,
                                           .ConnectionId = ConnectionId,
                                           .DataBuffer = DataBuffer,
                                           .DataBufferSize = DataBufferSize};

    if (!Response)
        return ERROR_INVALID_PARAMETER;
    command.Response = *Response;
    return ioctl_command(Adapter, &command, sizeof(command), NULL, 0, Overlapped);
}
