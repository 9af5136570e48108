/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/nbd_jobs.h"

#define LARGE_READ (20u << 10) /* whose payload is worth a receive of its own */

void nbd_jobs_init(struct nbd_jobs *jobs, uint32_t maximum_length)
{
    jobs->maximum_length = maximum_length;
    jobs->large_reads = 0;
    list_init(&jobs->waiting);
    list_init(&jobs->out);
    for (UINT32 i = 0; i < REQUEST_SLOTS; i++)
        jobs->slots[i].state = NBD_JOB_FREE;
}

static BOOL changes(const struct io_request *request)
{
    return request->operation == IO_WRITE || request->operation == IO_TRIM;
}

static BOOL is_large_read(const struct io_request *request)
{
    return request->operation == IO_READ && request->length >= LARGE_READ;
}

/* The next piece. */
static void cut(const struct nbd_jobs *jobs, struct nbd_job *job)
{
    uint32_t left = job->length - job->done;
    BOOL has_limit = job->request.operation == IO_READ || job->request.operation == IO_WRITE;

    job->request.length = has_limit && left > jobs->maximum_length ? jobs->maximum_length : left;
}

struct nbd_job *nbd_jobs_add(struct nbd_jobs *jobs, const struct io_request *request, WnbdRequestType type,
                             uint8_t *data)
{
    UINT32 slot = (UINT32)request->cookie;
    struct nbd_job *job = slot < REQUEST_SLOTS ? &jobs->slots[slot] : NULL;

    if (!job || job->state != NBD_JOB_FREE)
        return NULL;
    job->state = NBD_JOB_WAITING;
    job->handle = request->cookie;
    job->type = type;
    job->data = data;
    job->offset = request->offset;
    job->length = request->length;
    job->done = 0;
    job->replays = 0;
    job->request = *request;
    cut(jobs, job);
    list_append(&jobs->waiting, &job->link);
    return job;
}

/* ---- Sending ---- */

static BOOL overlap(const struct nbd_job *one, const struct nbd_job *other)
{
    return one->offset < other->offset + other->length && other->offset < one->offset + one->length;
}

/* Those that wait behind it cannot overtake it: it is the first. */
static BOOL must_wait(const struct nbd_jobs *jobs, const struct nbd_job *job)
{
    if (!changes(&job->request))
        return FALSE;
    for (struct list_link *link = jobs->out.next; link != &jobs->out; link = link->next) {
        const struct nbd_job *other = nbd_job_of_link(link);

        if (changes(&other->request) && overlap(job, other))
            return TRUE;
    }
    return FALSE;
}

struct nbd_job *nbd_jobs_next(struct nbd_jobs *jobs, UINT64 now_ms)
{
    struct nbd_job *job;

    if (list_is_empty(&jobs->waiting))
        return NULL;
    job = nbd_job_of_link(jobs->waiting.next);
    if (must_wait(jobs, job))
        return NULL;
    list_remove(&job->link);
    list_append(&jobs->out, &job->link);
    job->state = NBD_JOB_OUT;
    jobs->large_reads += is_large_read(&job->request);
    job->sent_ms = now_ms;
    nbd_progress_init(&job->progress);
    return job;
}

/* ---- Answers ---- */

struct nbd_job *nbd_jobs_find(struct nbd_jobs *jobs, UINT64 cookie)
{
    UINT32 slot = (UINT32)cookie;
    struct nbd_job *job = slot < REQUEST_SLOTS ? &jobs->slots[slot] : NULL;

    return job && job->state == NBD_JOB_OUT && job->handle == cookie ? job : NULL;
}

/* Out no more; on no list. */
static void take_back(struct nbd_jobs *jobs, struct nbd_job *job)
{
    list_remove(&job->link);
    if (job->state == NBD_JOB_OUT)
        jobs->large_reads -= is_large_read(&job->request);
}

/* Before all that waits. */
static void wait_first(struct nbd_jobs *jobs, struct nbd_job *job)
{
    take_back(jobs, job);
    job->state = NBD_JOB_WAITING;
    list_append(jobs->waiting.next, &job->link);
}

BOOL nbd_jobs_advance(struct nbd_jobs *jobs, struct nbd_job *job)
{
    uint32_t carried_out = job->request.length;

    if (job->done + carried_out >= job->length)
        return FALSE;
    wait_first(jobs, job);
    job->done += carried_out;
    job->request.offset += carried_out;
    cut(jobs, job);
    return TRUE;
}

void nbd_jobs_end(struct nbd_jobs *jobs, struct nbd_job *job)
{
    take_back(jobs, job);
    job->state = NBD_JOB_FREE;
}

/* ---- Without a connection ---- */

UINT32 nbd_jobs_withdraw(struct nbd_jobs *jobs, struct list_link *given_up)
{
    UINT32 replayed = 0;

    while (!list_is_empty(&jobs->out)) {
        struct nbd_job *last = nbd_job_of_link(jobs->out.previous);

        wait_first(jobs, last);
        if (++last->replays > NBD_REPLAYS_MAX) {
            list_remove(&last->link);
            list_append(given_up, &last->link);
        } else {
            replayed++;
        }
    }
    return replayed;
}

BOOL nbd_jobs_has_writes_out(const struct nbd_jobs *jobs)
{
    for (struct list_link *link = jobs->out.next; link != &jobs->out; link = link->next) {
        if (changes(&nbd_job_of_link(link)->request))
            return TRUE;
    }
    return FALSE;
}
