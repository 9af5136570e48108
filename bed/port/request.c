/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store of requests of an adapter. What the miniport sees of a request (SRB, sense buffer, SRB extension) is filled
 * with PORT_FILL when the request is over, and must still be so when the request is used again; free ones are used in
 * the order in which they became free, so that there is time to notice.
 */
#include "bed/port/internal.h"

#define CHUNK_REQUESTS 64
#define SPARE_REQUESTS 32 /* below that another chunk is made */

struct request_chunk {
    struct request_chunk *next;
    ULONG stride;
    ULONG reserved;
    UCHAR *begin;
    UCHAR *end;
};

static ULONG align16(ULONG length)
{
    return (length + 15) & ~15u;
}

/* Several words at a time: each request is looked at, whole. */
BOOLEAN is_filled(const void *memory, ULONG length)
{
    const ULONGLONG fill = 0x0101010101010101ULL * PORT_FILL;
    const UCHAR *bytes = memory;
    ULONG i = 0;

    for (; i + 32 <= length; i += 32) {
        const volatile ULONGLONG *words = (const volatile ULONGLONG *)(bytes + i);

        if (((words[0] ^ fill) | (words[1] ^ fill) | (words[2] ^ fill) | (words[3] ^ fill)) != 0) {
            return FALSE;
        }
    }
    for (; i < length; i++) {
        if (bytes[i] != PORT_FILL) {
            return FALSE;
        }
    }
    return TRUE;
}

/* With BedSample 0 the bed does not watch memory: what is measured then is not to be its vigilance. */
static BOOLEAN is_watched(const struct request *request)
{
    return request->adapter->miniport->parameters.sample != 0;
}

/* Ends the miniport's rights in the request's memory. */
void request_spoil(struct request *request)
{
    RtlFillMemory(&request->srb, sizeof(request->srb), PORT_FILL);
    RtlFillMemory(request->sense, sizeof(request->sense), PORT_FILL);
    if (is_watched(request)) {
        RtlFillMemory(request->extension, request->adapter->config.SrbExtensionSize, PORT_FILL);
    }
}

static void check_spoiled(struct request *request)
{
    const char *what = NULL;

    if (!is_watched(request)) {
        return;
    }
    if (!is_filled(&request->srb, sizeof(request->srb))) {
        what = "SRB";
    } else if (!is_filled(request->sense, sizeof(request->sense))) {
        what = "sense buffer";
    } else if (!is_filled(request->extension, request->adapter->config.SrbExtensionSize)) {
        what = "SRB extension";
    }
    if (what != NULL) {
        port_violation("touched-after-completion: the %s at %p was written after the SRB had been completed "
                       "(function 0x%x, CDB 0x%x)",
                       what, (void *)&request->srb, request->command.function, request->command.cdb[0]);
        request_spoil(request);
    }
}

static void chunk_fill(struct adapter *adapter, struct request_chunk *chunk)
{
    for (UCHAR *at = chunk->begin; at < chunk->end; at += chunk->stride) {
        struct request *request = (struct request *)(void *)at;

        request->adapter = adapter;
        request->extension = at + align16(sizeof(*request));
        request_spoil(request);
        list_append(&adapter->free, &request->link);
        adapter->free_count++;
    }
}

/* With adapter->free_lock held. */
static void chunk_add(struct adapter *adapter)
{
    ULONG stride = align16(sizeof(struct request)) + align16(adapter->config.SrbExtensionSize);
    ULONG head = align16(sizeof(struct request_chunk));
    ULONG length = head + CHUNK_REQUESTS * stride;
    struct request_chunk *chunk = ExAllocatePoolWithTag(NonPagedPoolNx, length, PORT_TAG);

    if (chunk == NULL) {
        return;
    }
    RtlZeroMemory(chunk, length);
    chunk->stride = stride;
    chunk->begin = (UCHAR *)chunk + head;
    chunk->end = chunk->begin + CHUNK_REQUESTS * stride;
    chunk->next = adapter->chunks;
    adapter->chunks = chunk;
    chunk_fill(adapter, chunk);
}

static void request_reset(struct request *request, struct unit *unit)
{
    unit_reference(unit);
    request->unit = unit;
    request->state = REQUEST_WAITING;
    request->deadline = 0;
    request->busy_retries = 0;
    request->retries = 0;
    request->overdue = FALSE;
    request->head = FALSE;
    request->unheld = FALSE;
    request->done = NULL;
    request->context = NULL;
    request->irp = NULL;
    request->guard = NULL;
    RtlZeroMemory(&request->command, sizeof(request->command));
}

/* A request for the unit, or NULL when there is no memory. Any IRQL up to DISPATCH_LEVEL. */
struct request *request_take(struct unit *unit)
{
    struct adapter *adapter = unit->adapter;
    struct list_link *link;
    struct request *request;
    KIRQL irql;

    KeAcquireSpinLock(&adapter->free_lock, &irql);
    if (adapter->free_count <= SPARE_REQUESTS) {
        chunk_add(adapter);
    }
    link = list_take_first(&adapter->free);
    if (link != NULL) {
        adapter->free_count--;
    }
    KeReleaseSpinLock(&adapter->free_lock, irql);
    if (link == NULL) {
        return NULL;
    }
    request = list_member(link, struct request, link);
    check_spoiled(request);
    request_reset(request, unit);
    return request;
}

/* The request is over; its memory is spoiled already or was never shown to the miniport. */
void request_give(struct request *request)
{
    struct adapter *adapter = request->adapter;
    struct unit *unit = request->unit;
    KIRQL irql;

    request->unit = NULL;
    InterlockedExchange(&request->state, REQUEST_FREE);
    KeAcquireSpinLock(&adapter->free_lock, &irql);
    list_append(&adapter->free, &request->link);
    adapter->free_count++;
    KeReleaseSpinLock(&adapter->free_lock, irql);
    unit_release(unit);
}

/* The request whose SRB this is, NULL when it is none of the adapter's. */
struct request *request_find(struct adapter *adapter, const void *srb)
{
    const UCHAR *at = (const UCHAR *)srb - offsetof(struct request, srb);

    for (const struct request_chunk *chunk = adapter->chunks; chunk != NULL; chunk = chunk->next) {
        if (at >= chunk->begin && at < chunk->end) {
            return (ULONG_PTR)(at - chunk->begin) % chunk->stride == 0 ? (struct request *)(ULONG_PTR)at : NULL;
        }
    }
    return NULL;
}

/* Looks at all free requests: what the miniport may not touch must be as it was left. */
void requests_check(struct adapter *adapter)
{
    KIRQL irql;

    KeAcquireSpinLock(&adapter->free_lock, &irql);
    for (struct list_link *link = adapter->free.next; link != &adapter->free; link = link->next) {
        check_spoiled(list_member(link, struct request, link));
    }
    KeReleaseSpinLock(&adapter->free_lock, irql);
}

/* SRBs that the miniport never gave back keep their memory. */
void requests_free(struct adapter *adapter)
{
    if (adapter->outstanding != 0) {
        return;
    }
    list_init(&adapter->free);
    adapter->free_count = 0;
    while (adapter->chunks != NULL) {
        struct request_chunk *chunk = adapter->chunks;

        adapter->chunks = chunk->next;
        ExFreePoolWithTag(chunk, PORT_TAG);
    }
}
