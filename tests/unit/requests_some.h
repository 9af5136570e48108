/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests as the driver would give them, and a table for them. */
#ifndef TESTS_UNIT_REQUESTS_SOME_H
#define TESTS_UNIT_REQUESTS_SOME_H

#include "guard.h"
#include "libwnbd/requests.h"

static inline UINT64 handle_of(UINT32 generation, UINT32 slot)
{
    return (UINT64)generation << 32 | slot;
}

static inline WNBD_ARENA_REQUEST some_request(UINT64 handle)
{
    WNBD_ARENA_REQUEST request = {.Request = {.RequestHandle = handle, .RequestType = WnbdReqTypeRead}};

    return request;
}

static inline enum requests_put_result put(struct requests *requests, UINT64 handle)
{
    WNBD_ARENA_REQUEST request = some_request(handle);

    return requests_put(requests, &request, handle);
}

/* For free(). */
static inline struct requests *new_requests(void)
{
    struct requests *requests = calloc(1, sizeof(*requests));

    assert_non_null(requests);
    return requests;
}

#endif
