/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/requests.h"

static UINT16 number_of(const struct requests *requests, const struct request *request)
{
    return (UINT16)(request - requests->slots + 1);
}

static struct request *by_number(struct requests *requests, UINT16 number)
{
    return number ? &requests->slots[number - 1] : NULL;
}

static void list_add(struct requests *requests, struct request_list *list, struct request *request, UINT32 bytes)
{
    struct request *last = by_number(requests, list->last);
    UINT16 number = number_of(requests, request);

    request->previous = list->last;
    request->next = 0;
    if (last)
        last->next = number;
    else
        list->first = number;
    list->last = number;
    request->bytes = bytes;
    list->bytes += bytes;
    list->count++;
    list->added++;
}

static void list_remove(struct requests *requests, struct request_list *list, struct request *request)
{
    struct request *previous = by_number(requests, request->previous);
    struct request *next = by_number(requests, request->next);

    if (previous)
        previous->next = request->next;
    else
        list->first = request->next;
    if (next)
        next->previous = request->previous;
    else
        list->last = request->previous;
    list->bytes -= request->bytes;
    list->count--;
}

static struct request *slot_of(struct requests *requests, UINT64 handle)
{
    UINT32 slot = (UINT32)handle;

    return slot < REQUEST_SLOTS ? &requests->slots[slot] : NULL;
}

/* The request of that name in that state. */
static struct request *find(struct requests *requests, UINT64 handle, enum request_state state)
{
    struct request *request = slot_of(requests, handle);

    return request && request->state == state && request->of.Request.RequestHandle == handle ? request : NULL;
}

static enum requests_put_result evict(struct requests *requests, struct request *request)
{
    switch (request->state) {
    case REQUEST_FREE:
        return REQUESTS_PUT;
    case REQUEST_QUEUED:
        list_remove(requests, &requests->queued, request);
        return REQUESTS_PUT_OVER_QUEUED;
    case REQUEST_GIVEN:
        return REQUESTS_PUT_OVER_GIVEN;
    case REQUEST_CLAIMED:
        return REQUESTS_PUT_OVER_CLAIMED;
    case REQUEST_ANSWERED:
        list_remove(requests, &requests->answered, request);
        return REQUESTS_PUT_OVER_ANSWERED;
    }
    return REQUESTS_BAD_HANDLE;
}

enum requests_put_result requests_put(struct requests *requests, const WNBD_ARENA_REQUEST *of, UINT64 now_ns)
{
    struct request *request = slot_of(requests, of->Request.RequestHandle);
    enum requests_put_result result;

    if (!request)
        return REQUESTS_BAD_HANDLE;
    result = evict(requests, request);
    request->state = REQUEST_QUEUED;
    request->runner = NULL;
    request->fetched_ns = now_ns;
    request->of = *of;
    list_add(requests, &requests->queued, request, of->DataLength);
    return result;
}

struct request *requests_give(struct requests *requests, struct worker *runner)
{
    struct request *request = by_number(requests, requests->queued.first);

    if (!request)
        return NULL;
    list_remove(requests, &requests->queued, request);
    request->state = REQUEST_GIVEN;
    request->runner = runner;
    return request;
}

void requests_end(struct requests *requests, UINT64 handle)
{
    struct request *request = slot_of(requests, handle);

    if (request && request->of.Request.RequestHandle == handle)
        request->runner = NULL;
}

struct request *requests_claim(struct requests *requests, UINT64 handle)
{
    struct request *request = find(requests, handle, REQUEST_GIVEN);

    if (request)
        request->state = REQUEST_CLAIMED;
    return request;
}

BOOL requests_defer(struct requests *requests, const WNBD_ANSWER *answer)
{
    struct request *request = find(requests, answer->RequestHandle, REQUEST_CLAIMED);

    if (!request)
        return FALSE;
    request->state = REQUEST_ANSWERED;
    request->answer = *answer;
    list_add(requests, &requests->answered, request, answer->DataLength);
    return TRUE;
}

BOOL requests_release(struct requests *requests, UINT64 handle)
{
    struct request *request = find(requests, handle, REQUEST_CLAIMED);

    if (!request)
        return FALSE;
    request->state = REQUEST_FREE;
    return TRUE;
}

UINT32 requests_take_answers(struct requests *requests, PWNBD_ANSWER answers, UINT32 capacity)
{
    struct request *request;
    UINT32 count = 0;

    while (count < capacity && (request = by_number(requests, requests->answered.first)) != NULL) {
        list_remove(requests, &requests->answered, request);
        request->state = REQUEST_FREE;
        answers[count++] = request->answer;
    }
    return count;
}

static void drop(struct requests *requests, struct request_list *list)
{
    struct request *request;

    while ((request = by_number(requests, list->first)) != NULL) {
        list_remove(requests, list, request);
        request->state = REQUEST_FREE;
    }
}

void requests_drop_lists(struct requests *requests)
{
    drop(requests, &requests->queued);
    drop(requests, &requests->answered);
}

BOOL request_list_waits_since(const struct request_list *list, UINT64 added_before)
{
    return list->count > 0 && list->added - list->count < added_before;
}
