/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Serving without the dispatcher: one request at a time, overlapped, as an event loop would do it, or with functions
 * that wait. Lines: `fetched HANDLE TYPE` with --log; `room 122`; at the end `fetch ERROR TYPE`.
 */
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
                                        length && !consumer->manner.null_with_size ? data : NULL, length, overlapped);

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

/* A request for which there is no room stays: it is asked for once more with room for any. */
static DWORD fetch_with_room(struct consumer *consumer, PWNBD_IO_REQUEST request, uint8_t *data,
                             LPOVERLAPPED overlapped)
{
    DWORD error = fetch(consumer, request, data, overlapped);

    if (error != ERROR_INSUFFICIENT_BUFFER)
        return error;
    say("room %lu", error);
    consumer->room = WNBD_DEFAULT_MAX_TRANSFER_LENGTH;
    return fetch(consumer, request, data, overlapped);
}

static void serve(struct consumer *consumer, uint8_t *data, LPOVERLAPPED overlapped)
{
    WNBD_IO_REQUEST request;
    DWORD error;

    while ((error = fetch_with_room(consumer, &request, data, overlapped)) == ERROR_SUCCESS &&
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
    uint8_t *data = malloc(WNBD_DEFAULT_MAX_TRANSFER_LENGTH);

    serve(consumer, data, consumer->synchronous ? NULL : &overlapped);
    free(data);
    CloseHandle(overlapped.hEvent);
}

/* Into no buffer, and into one that is no memory; and to a handle that no request has. */
void misuse_singly(const struct consumer *consumer)
{
    WNBD_CONNECTION_ID id = consumer->disk->ConnectionInfo.ConnectionId;
    WNBD_IO_RESPONSE response = {.RequestHandle = 1, .RequestType = WnbdReqTypeRead};
    HANDLE adapter = consumer->disk->Handle;
    WNBD_IO_REQUEST request;

    say("misused fetch %lu %lu send %lu", WnbdIoctlFetchRequest(adapter, id, &request, NULL, 4096, NULL),
        WnbdIoctlFetchRequest(adapter, id, &request, (PVOID)16, 4096, NULL),
        WnbdIoctlSendResponse(adapter, id, &response, NULL, 0, NULL));
}
