/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The requests of a disk that an NBD server is to carry out. A job has the slot that the driver has given its request
 * (the low 32 bits of the handle), and the handle is its cookie on the wire.
 *
 *   free --(add)--> waiting --(next)--> out --(carried out)--> waiting, for its next piece, or --(end)--> free
 *                      +----(withdraw)---+
 *
 * A server has a longest read or write, so that a job may be sent in pieces, one after the other. A write or trim waits
 * for those before it that overlap it: Windows sends a write again when an answer takes long, and the old one must not
 * be carried out after what came later.
 *
 * Calls nothing; the caller serialises.
 */
#ifndef LIBWNBD_NBD_JOBS_H
#define LIBWNBD_NBD_JOBS_H

#include "core/base/list.h"
#include "core/io/request.h"
#include "core/nbd/progress.h"

#include "libwnbd/requests.h"

#define NBD_REPLAYS_MAX 8 /* of one job: what connection after connection ends over fails */

enum nbd_job_state {
    NBD_JOB_FREE,
    NBD_JOB_WAITING,
    NBD_JOB_OUT,
};

struct nbd_job {
    struct list_link link; /* on waiting or out */
    enum nbd_job_state state;
    UINT64 handle;
    WnbdRequestType type;
    uint8_t *data; /* borrowed until the end */
    UINT64 offset; /* of all of it */
    uint32_t length;
    uint32_t done; /* bytes of it: by the pieces before */
    UINT32 replays;
    UINT64 sent_ms;            /* while it is out: since when */
    struct io_request request; /* the piece in hand */
    struct nbd_progress progress;
};

struct nbd_jobs {
    uint32_t maximum_length; /* bytes of a read or write */
    uint32_t large_reads;    /* out */
    struct list_link waiting;
    struct list_link out; /* in the order they were sent */
    struct nbd_job slots[REQUEST_SLOTS];
};

void nbd_jobs_init(struct nbd_jobs *jobs, uint32_t maximum_length);

/* A job for `request`, whose cookie is the handle; its data is kept until the end. NULL: no handle of the driver's, or
 * its slot is in use. */
struct nbd_job *nbd_jobs_add(struct nbd_jobs *jobs, const struct io_request *request, WnbdRequestType type,
                             uint8_t *data);

/* The first that waits is out from now on; NULL: there is none, or it has to wait for another. */
struct nbd_job *nbd_jobs_next(struct nbd_jobs *jobs, UINT64 now_ms);

/* The job that is out with that cookie, which may come from anybody; NULL. */
struct nbd_job *nbd_jobs_find(struct nbd_jobs *jobs, UINT64 cookie);

/* The piece that was out has been carried out. TRUE: the job waits for the next; FALSE: that was the last. */
BOOL nbd_jobs_advance(struct nbd_jobs *jobs, struct nbd_job *job);

/* The job's slot is free. */
void nbd_jobs_end(struct nbd_jobs *jobs, struct nbd_job *job);

/* What is out waits again, before what waits already, in the order it was sent; what that happens to too often goes to
 * `given_up` instead. How many wait again. */
UINT32 nbd_jobs_withdraw(struct nbd_jobs *jobs, struct list_link *given_up);

/* Whether a write or trim is out: the server may carry it out later. */
BOOL nbd_jobs_has_writes_out(const struct nbd_jobs *jobs);

static inline struct nbd_job *nbd_job_of_link(struct list_link *link)
{
    return list_member(link, struct nbd_job, link);
}

/* Where its data is, or goes. */
static inline uint8_t *nbd_job_data(const struct nbd_job *job, uint32_t offset)
{
    return job->data + job->done + offset;
}

#endif
