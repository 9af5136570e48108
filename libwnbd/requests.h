/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests that the driver has given to this process and that are not answered. The driver names a request by slot
 * (the low 32 bits of its handle) and generation (the high ones); it gives a slot again when the request in it was
 * answered or aborted, so what comes later replaces what was there.
 *
 *   FREE --(put)--> QUEUED --(give)--> GIVEN --(claim)--> CLAIMED --(defer)--> ANSWERED --(take)--> FREE
 *                                                            +--(release)--> FREE
 *
 * Calls nothing of Windows; the caller serialises.
 */
#ifndef LIBWNBD_REQUESTS_H
#define LIBWNBD_REQUESTS_H

#include "include/wnbd.h"

#define REQUEST_SLOTS WNBD_ABS_MAX_IO_REQ_PER_LUN

struct worker;

enum request_state {
    REQUEST_FREE,
    REQUEST_QUEUED,   /* its callback has not been called; in the list `queued` */
    REQUEST_GIVEN,    /* its callback was called */
    REQUEST_CLAIMED,  /* somebody makes its answer */
    REQUEST_ANSWERED, /* its answer waits for the next command to the driver; in the list `answered` */
};

struct request {
    enum request_state state;
    UINT16 previous; /* in its list, as index + 1; 0: none */
    UINT16 next;
    UINT32 bytes;          /* of data, while in a list: what came or may be answered, or the answer's */
    struct worker *runner; /* borrowed: in whose callback it is; NULL: in none (any more) */
    UINT64 fetched_ns;     /* when it came */
    WNBD_ARENA_REQUEST of; /* what the driver gave */
    WNBD_ANSWER answer;    /* while ANSWERED */
};

/* First come, first served. */
struct request_list {
    UINT16 first; /* as index + 1; 0: empty */
    UINT16 last;
    UINT32 count;
    UINT64 bytes; /* of all that are in it */
    UINT64 added; /* ever */
};

struct requests {
    struct request_list queued;
    struct request_list answered;
    struct request slots[REQUEST_SLOTS];
};

/* What a new request has replaced: one that the driver has aborted, if any. */
enum requests_put_result {
    REQUESTS_PUT,
    REQUESTS_PUT_OVER_QUEUED, /* its callback will not be called */
    REQUESTS_PUT_OVER_GIVEN,  /* its answer will find nothing */
    REQUESTS_PUT_OVER_CLAIMED,
    REQUESTS_PUT_OVER_ANSWERED,
    REQUESTS_BAD_HANDLE, /* no handle of this driver: not put */
};

/* Puts what came at the end of the queue. */
enum requests_put_result requests_put(struct requests *requests, const WNBD_ARENA_REQUEST *of, UINT64 now_ns);

/* The first of the queue is given to `runner`, which is kept until requests_end; NULL: the queue is empty. */
struct request *requests_give(struct requests *requests, struct worker *runner);

/* Its callback has returned; the request may be long gone. */
void requests_end(struct requests *requests, UINT64 handle);

/* GIVEN becomes CLAIMED, so that only one caller answers it. NULL: there is no such request, or it is answered. */
struct request *requests_claim(struct requests *requests, UINT64 handle);

/* Of a claimed request. FALSE: it has been replaced meanwhile. */
BOOL requests_defer(struct requests *requests, const WNBD_ANSWER *answer);
BOOL requests_release(struct requests *requests, UINT64 handle);

/* Takes up to `capacity` answers; how many. */
UINT32 requests_take_answers(struct requests *requests, PWNBD_ANSWER answers, UINT32 capacity);

/* Empties both lists: the disk is gone. */
void requests_drop_lists(struct requests *requests);

/* Is the first of the list one of those that were added before `added` was `added_before`? */
BOOL request_list_waits_since(const struct request_list *list, UINT64 added_before);

#endif
