/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests become reads and writes of the medium. All is answered within the callback, which is the cheapest way: the
 * answers go to the driver together with others. */
#include "wnbd-client/serve_answer.h"
#include "wnbd-client/report.h"
#include "wnbd-client/serve_sense.h"

/* What is done, for sentences. */
static const char *doing(WnbdRequestType type)
{
    switch (type) {
    case WnbdReqTypeRead:
        return "reading";
    case WnbdReqTypeWrite:
        return "writing";
    case WnbdReqTypeFlush:
        return "flushing";
    case WnbdReqTypeUnmap:
        return "unmapping";
    case WnbdReqTypePersistResIn:
    case WnbdReqTypePersistResOut:
    case WnbdReqTypeUnknown:
    case WnbdReqTypeDisconnect:
        break;
    }
    return "a request";
}

/* Programs on the disk see the error; whoever looks at this program's output should see that it begins. */
static void note_failure(struct service *service, WnbdRequestType type, DWORD error)
{
    if (InterlockedIncrement(&service->failures) > 1)
        return;
    if (serve_is_full(error))
        report_note("'%s' has no room left: %s fails, and nothing that was written before is lost", service->name,
                    doing(type));
    else
        report_note("%s fails on '%s' (Windows error %lu); more failures are not told here", doing(type), service->name,
                    error);
}

static struct service *service_of(PWNBD_DISK disk)
{
    PVOID context = NULL;

    WnbdGetUserContext(disk, &context);
    return context;
}

/* A request that Windows has given up meanwhile has nobody who waits: the result does not matter. */
static void answer(PWNBD_DISK disk, UINT64 handle, WnbdRequestType type, DWORD error, UINT64 block, void *data,
                   UINT32 size)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = type};

    if (error != ERROR_SUCCESS) {
        serve_sense(type, error, block, &response.Status);
        note_failure(service_of(disk), type, error);
    }
    WnbdSendResponse(disk, &response, data, size);
}

static VOID on_read(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 block, UINT32 count, BOOLEAN fua)
{
    struct service *service = service_of(disk);
    uint32_t length = count * service->block_size; /* 2 MiB at most */
    DWORD error = service->medium->functions->read(service->medium, block * service->block_size, buffer, length);

    (void)fua;
    answer(disk, handle, WnbdReqTypeRead, error, block, buffer, length);
}

/* FUA is not offered: the driver sends a flush after such a write. */
static VOID on_write(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 block, UINT32 count, BOOLEAN fua)
{
    struct service *service = service_of(disk);
    DWORD error = service->medium->functions->write(service->medium, block * service->block_size, buffer,
                                                    count * service->block_size);

    (void)fua;
    answer(disk, handle, WnbdReqTypeWrite, error, block, NULL, 0);
}

static VOID on_flush(PWNBD_DISK disk, UINT64 handle, UINT64 block, UINT32 count)
{
    struct service *service = service_of(disk);
    DWORD error = service->medium->functions->flush(service->medium);

    (void)count; /* all of it is flushed */
    answer(disk, handle, WnbdReqTypeFlush, error, block, NULL, 0);
}

static VOID on_unmap(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR ranges, UINT32 count)
{
    struct service *service = service_of(disk);
    DWORD error = ERROR_SUCCESS;

    for (UINT32 i = 0; i < count && error == ERROR_SUCCESS; i++)
        error = service->medium->functions->unmap(service->medium, ranges[i].BlockAddress * service->block_size,
                                                  (uint64_t)ranges[i].BlockCount * service->block_size);
    answer(disk, handle, WnbdReqTypeUnmap, error, 0, NULL, 0);
}

WNBD_INTERFACE serve_callbacks = {.Read = on_read, .Write = on_write, .Flush = on_flush, .Unmap = on_unmap};
