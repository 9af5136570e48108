/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serving without the dispatcher: one request at a time, overlapped, as an event loop would do it. */
#include "consumer.h"

#include <stdlib.h>

static DWORD finish(HANDLE adapter, DWORD error, LPOVERLAPPED overlapped)
{
    DWORD bytes;

    if (error != ERROR_IO_PENDING)
        return error;
    return GetOverlappedResult(adapter, overlapped, &bytes, TRUE) ? ERROR_SUCCESS : GetLastError();
}

static DWORD fetch(struct consumer *consumer, PWNBD_IO_REQUEST request, uint8_t *data, LPOVERLAPPED overlapped)
{
    HANDLE adapter = consumer->disk->Handle;
    DWORD error = WnbdIoctlFetchRequest(adapter, consumer->disk->ConnectionInfo.ConnectionId, request, data,
                                        consumer->room, overlapped);

    return finish(adapter, error, overlapped);
}

static DWORD answer(struct consumer *consumer, const WNBD_IO_REQUEST *request, uint8_t *data, uint32_t length,
                    LPOVERLAPPED overlapped)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = request->RequestHandle, .RequestType = request->RequestType};
    HANDLE adapter = consumer->disk->Handle;
    DWORD error = WnbdIoctlSendResponse(adapter, consumer->disk->ConnectionInfo.ConnectionId, &response,
                                        length ? data : NULL, length, overlapped);

    return finish(adapter, error, overlapped);
}

/* How many bytes at `data` are its answer's. */
static uint32_t carry_out(struct consumer *consumer, const WNBD_IO_REQUEST *request, uint8_t *data)
{
    uint32_t block_size = consumer->disk->Properties.BlockSize;

    if (request->RequestType == WnbdReqTypeRead) {
        store_read(consumer->store, request->Cmd.Read.BlockAddress * block_size, data,
                   request->Cmd.Read.BlockCount * block_size);
        return request->Cmd.Read.BlockCount * block_size;
    }
    if (request->RequestType == WnbdReqTypeWrite)
        store_write(consumer->store, request->Cmd.Write.BlockAddress * block_size, data,
                    request->Cmd.Write.BlockCount * block_size);
    return 0;
}

static void serve(struct consumer *consumer, uint8_t *data, LPOVERLAPPED overlapped)
{
    WNBD_IO_REQUEST request;
    DWORD error;

    while ((error = fetch(consumer, &request, data, overlapped)) == ERROR_SUCCESS &&
           request.RequestType != WnbdReqTypeDisconnect) {
        if (consumer->manner.log)
            say("fetched %016llx %s", (unsigned long long)request.RequestHandle,
                WnbdRequestTypeToStr(request.RequestType));
        error = answer(consumer, &request, data, carry_out(consumer, &request, data), overlapped);
        if (error != ERROR_SUCCESS)
            say("answer %016llx %lu", (unsigned long long)request.RequestHandle, error);
    }
    say("fetch %lu %s", error, WnbdRequestTypeToStr(request.RequestType));
}

void serve_singly(struct consumer *consumer)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    uint8_t *data = malloc(consumer->room);

    serve(consumer, data, &overlapped);
    free(data);
    CloseHandle(overlapped.hEvent);
}
