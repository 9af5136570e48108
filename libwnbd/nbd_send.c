/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs to the wire: whoever has none to send but others waits for nobody; all that waits leaves in one send. */
#include "libwnbd/nbd_session.h"

#include "core/nbd/encode.h"

static void add_piece(struct nbd_session *session, DWORD *count, uint8_t *bytes, uint32_t length)
{
    session->pieces[*count].buf = (CHAR *)bytes;
    session->pieces[*count].len = length;
    session->send_bytes += length;
    ++*count;
}

/* Under the lock. How many pieces: 0: nothing is to be sent. */
static DWORD gather(struct nbd_session *session)
{
    UINT64 now_ms = GetTickCount64();
    DWORD count = 0;

    session->send_bytes = 0;
    for (UINT32 i = 0; i < NBD_BATCH_MAX && session->send_bytes < NBD_SEND_MAX; i++) {
        struct nbd_job *job = nbd_jobs_next(&session->jobs, now_ms);
        uint8_t *header = session->headers[i];

        if (!job)
            break;
        add_piece(session, &count, header, nbd_encode_request(header, &job->request, session->link.terms.form));
        if (job->request.operation == IO_WRITE)
            add_piece(session, &count, nbd_job_data(job, 0), job->request.length);
    }
    return count;
}

/* The data may be read for as long as the send is out. A server that answers before it has all of a write, and so lets
 * the memory be used for another request, gets what it deserves. */
static void sent(struct nbd_session *session, DWORD error)
{
    BOOL all = error == ERROR_SUCCESS && session->link.out.moved == session->send_bytes;

    if (!all)
        nbd_lose(session, "sending failed (Winsock error %lu)", error);
    AcquireSRWLockExclusive(&session->lock);
    session->cut = session->cut || !all;
    session->sending = FALSE;
    session->send_pending = FALSE;
    WakeAllConditionVariable(&session->quiet);
    ReleaseSRWLockExclusive(&session->lock);
}

/* FALSE: it has been left pending. */
static BOOL send_batch(struct nbd_session *session, DWORD count, BOOL may_wait)
{
    struct nbd_limit limit = {session->lost, NBD_NO_LIMIT_MS};
    struct nbd_link *link = &session->link;
    DWORD error = nbd_socket_send(link->socket, &link->out, session->pieces, count);

    if (error == WSA_IO_PENDING && !may_wait) {
        session->send_pending = TRUE;
        return FALSE;
    }
    sent(session, nbd_call_wait(link->socket, &link->out, error, &limit));
    return TRUE;
}

/* How many pieces the caller is to send now. */
static DWORD begin(struct nbd_session *session)
{
    DWORD count = 0;

    AcquireSRWLockExclusive(&session->lock);
    if (session->state == NBD_OPEN && !session->sending)
        count = gather(session);
    session->sending = session->sending || count != 0;
    ReleaseSRWLockExclusive(&session->lock);
    return count;
}

void nbd_send_waiting(struct nbd_session *session, BOOL may_wait)
{
    DWORD count;

    while ((count = begin(session)) != 0) {
        if (!send_batch(session, count, may_wait))
            return;
    }
}

void nbd_send_finish(struct nbd_session *session, BOOL cancel)
{
    sent(session, nbd_call_finish(session->link.socket, &session->link.out, cancel));
}
