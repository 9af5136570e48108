/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies from the wire: many from one receive, a large payload straight into the memory of its request. */
#include "libwnbd/nbd_session.h"

#define SILENCE_MAX_MS 30000 /* of a server that has something to answer; as long as Windows waits for one request */
#define LOOK_MS        5000  /* how often it is looked for */
#define DIRECT_MIN     (4 << 10) /* payload that is worth a piece of its own */
#define MIXED_MAX      (4 << 10) /* received at once while large payload may come: what of it has to be copied */

/* ---- Replies ---- */

/* Whose reply it is. FALSE: nobody waits for it. */
static BOOL expect(struct nbd_session *session)
{
    struct nbd_job *job;

    AcquireSRWLockExclusive(&session->lock);
    job = nbd_jobs_find(&session->jobs, session->reader.cookie);
    ReleaseSRWLockExclusive(&session->lock);
    session->receiving = job;
    if (job)
        nbd_reader_expect(&session->reader, &job->request, &job->progress);
    else
        nbd_lose(session, "the server answered a request that is not out");
    return job != NULL;
}

static struct scsi_sense sense_of(const struct nbd_session *session, const struct nbd_job *job)
{
    const struct nbd_progress *progress = &job->progress;

    return progress->has_error_offset ? nbd_error_sense_at(progress->error, &job->request, progress->error_offset,
                                                           session->disk->Properties.BlockSize)
                                      : nbd_error_sense(progress->error, &job->request);
}

static BOOL has_more(struct nbd_session *session, struct nbd_job *job)
{
    BOOL more;

    AcquireSRWLockExclusive(&session->lock);
    more = nbd_jobs_advance(&session->jobs, job);
    ReleaseSRWLockExclusive(&session->lock);
    return more;
}

/* A whole answer is in. FALSE: the connection is not used any more. */
static BOOL answered(struct nbd_session *session)
{
    struct nbd_job *job = session->receiving;
    struct scsi_sense sense;

    if (job->progress.error == NBD_ESHUTDOWN) { /* "Terminating the transmission phase": who is told so leaves */
        session->shutting_down = TRUE;
        nbd_lose(session, "the server is shutting down");
        return FALSE;
    }
    session->was_of_use = TRUE;
    if (job->progress.error != 0) {
        sense = sense_of(session, job);
        nbd_respond(session, job, &sense);
    } else if (!has_more(session, job)) {
        nbd_respond(session, job, NULL);
    }
    return TRUE;
}

/* FALSE: the connection is lost. */
static BOOL carry_out(struct nbd_session *session, enum nbd_reader_step step, const struct nbd_part *part)
{
    switch (step) {
    case NBD_READER_MORE:
    case NBD_READER_EXTENT: /* nobody asks for them */
        break;
    case NBD_READER_REPLY:
        return expect(session);
    case NBD_READER_DATA:
        memcpy(nbd_job_data(session->receiving, part->offset), part->bytes, part->length);
        break;
    case NBD_READER_HOLE:
        memset(nbd_job_data(session->receiving, part->offset), 0, part->length);
        break;
    case NBD_READER_DONE:
        return answered(session);
    case NBD_READER_BAD:
        nbd_lose(session, "%s", session->reader.broken);
        return FALSE;
    }
    return TRUE;
}

static void parse(struct nbd_session *session, size_t length)
{
    const uint8_t *bytes = session->buffer;
    enum nbd_reader_step step;
    struct nbd_part part;

    do {
        step = nbd_reader_step(&session->reader, &bytes, &length, &part);
    } while (step != NBD_READER_MORE && carry_out(session, step, &part));
}

/* ---- Receiving ---- */

/* Where the next bytes go: what is left of a payload where it belongs, and what comes behind it into the buffer. */
static DWORD choose(struct nbd_session *session, WSABUF pieces[2])
{
    uint32_t payload = nbd_reader_payload(&session->reader);
    BOOL is_mixed;
    DWORD count = 0;

    AcquireSRWLockExclusive(&session->lock);
    is_mixed = session->jobs.large_reads != 0;
    ReleaseSRWLockExclusive(&session->lock);
    if (payload >= DIRECT_MIN) {
        pieces[count].buf = (CHAR *)nbd_job_data(session->receiving, session->reader.payload_offset);
        pieces[count++].len = payload;
    }
    pieces[count].buf = (CHAR *)session->buffer;
    pieces[count++].len = is_mixed ? MIXED_MAX : NBD_RECEIVE_BUFFER;
    return count;
}

static BOOL is_silent(struct nbd_session *session)
{
    UINT64 now_ms = GetTickCount64();
    BOOL is_overdue = FALSE;

    AcquireSRWLockExclusive(&session->lock);
    if (!list_is_empty(&session->jobs.out))
        is_overdue = now_ms - nbd_job_of_link(session->jobs.out.next)->sent_ms >= SILENCE_MAX_MS;
    ReleaseSRWLockExclusive(&session->lock);
    return is_overdue && now_ms - session->heard_ms >= SILENCE_MAX_MS;
}

/* The receive is out. What else there is to do meanwhile is done. */
static DWORD await(struct nbd_session *session)
{
    struct nbd_link *link = &session->link;
    HANDLE events[] = {session->lost, link->in.overlapped.hEvent, link->out.overlapped.hEvent};

    for (;;) {
        switch (WaitForMultipleObjects(session->send_pending ? 3 : 2, events, FALSE, LOOK_MS)) {
        case WAIT_OBJECT_0:
            nbd_call_finish(link->socket, &link->in, TRUE);
            return ERROR_OPERATION_ABORTED;
        case WAIT_OBJECT_0 + 1:
            return nbd_call_finish(link->socket, &link->in, FALSE);
        case WAIT_OBJECT_0 + 2:
            nbd_send_finish(session, FALSE);
            nbd_send_waiting(session, FALSE);
            break;
        default:
            if (is_silent(session))
                nbd_lose(session, "the server has not answered for %d s", SILENCE_MAX_MS / 1000);
            break;
        }
    }
}

/* Of the bytes that came `direct` could go where they belong. */
static void take(struct nbd_session *session, DWORD direct)
{
    DWORD moved = session->link.in.moved;

    if (direct > moved)
        direct = moved;
    session->heard_ms = GetTickCount64();
    nbd_reader_received(&session->reader, direct);
    parse(session, moved - direct);
    nbd_respond_now(session);
}

static void receive(struct nbd_session *session)
{
    struct nbd_link *link = &session->link;
    WSABUF pieces[2];
    DWORD count = choose(session, pieces);
    DWORD direct = count == 2 ? pieces[0].len : 0;
    DWORD error = nbd_socket_receive(link->socket, &link->in, pieces, count);

    if (error == WSA_IO_PENDING)
        error = await(session);
    if (error != ERROR_SUCCESS)
        nbd_lose(session, "receiving failed (Winsock error %lu)", error);
    else if (link->in.moved == 0)
        nbd_lose(session, "the server closed the connection");
    else
        take(session, direct);
}

static BOOL is_open(struct nbd_session *session)
{
    BOOL open;

    AcquireSRWLockExclusive(&session->lock);
    open = session->state == NBD_OPEN;
    ReleaseSRWLockExclusive(&session->lock);
    return open;
}

void nbd_receive_replies(struct nbd_session *session)
{
    nbd_reader_init(&session->reader, &session->link.terms);
    session->was_of_use = FALSE;
    session->heard_ms = GetTickCount64();
    while (is_open(session)) {
        receive(session);
        nbd_send_waiting(session, FALSE); /* the next pieces, and what had to wait for an answer */
    }
}
