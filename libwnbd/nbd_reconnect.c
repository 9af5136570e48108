/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a lost connection to the next, on the session's thread. The rules are those of the driver (docs/architecture.md,
 * "A lost connection"). */
#include "libwnbd/log.h"
#include "libwnbd/nbd_session.h"

#define FENCE_MS       2000 /* how long the server has to close when writes are unanswered */
#define GOODBYE_MS     500  /* how long a server that is not wanted has to take leave */
#define FIRST_PAUSE_MS 100  /* doubled after each try */
#define LAST_PAUSE_MS  5000
#define TRY_MS_MIN     1000 /* a try at the end of the time still gets this */

static const char *name_of(const struct nbd_session *session)
{
    return session->properties.InstanceName;
}

/* ---- The end of the old one ---- */

/* Nobody sends any more. TRUE: the server is to be told goodbye. */
static BOOL settle(struct nbd_session *session, BOOL *risky)
{
    if (session->send_pending)
        nbd_send_finish(session, TRUE);
    AcquireSRWLockExclusive(&session->lock);
    while (session->sending)
        SleepConditionVariableSRW(&session->quiet, &session->lock, INFINITE, 0);
    *risky = nbd_jobs_has_writes_out(&session->jobs);
    ReleaseSRWLockExclusive(&session->lock);
    return *risky || session->shutting_down;
}

/* Without the server's FIN the protocol promises nothing of writes it has not answered: it may carry them out later. */
static void fence(struct nbd_session *session)
{
    BOOL risky;

    if (settle(session, &risky) && !nbd_link_leave(&session->link, session->cut, FENCE_MS) && risky)
        log_message(MESSAGE_SERVER_DID_NOT_CLOSE,
                    "'%s': the server did not close the old connection, whose writes may be carried out after newer "
                    "ones",
                    name_of(session));
    nbd_link_close(&session->link);
}

static void fail_all(struct nbd_session *session, struct list_link *jobs)
{
    while (!list_is_empty(jobs))
        nbd_respond(session, nbd_job_of_link(jobs->next), &nbd_sense_no_server);
    nbd_respond_now(session);
}

/* What was not answered waits. */
static void suspend(struct nbd_session *session)
{
    struct list_link given_up;
    UINT32 replayed;

    fence(session);
    list_init(&given_up);
    AcquireSRWLockExclusive(&session->lock);
    replayed = nbd_jobs_withdraw(&session->jobs, &given_up);
    ReleaseSRWLockExclusive(&session->lock);
    if (replayed != 0)
        log_message(MESSAGE_SENT_AGAIN, "'%s': %u requests will be sent again", name_of(session), replayed);
    fail_all(session, &given_up);
}

/* ---- The time there is ---- */

/* A connection that was made and broke at once does not begin it anew. */
static void begin(struct nbd_session *session)
{
    struct nbd_search *search = &session->search;

    if (search->begun && !session->was_of_use)
        return;
    search->begun = TRUE;
    search->begun_ms = GetTickCount64();
    search->pause_ms = 0;
    search->given_up = FALSE;
}

static DWORD left_ms(const struct nbd_session *session)
{
    ULONGLONG waited_ms = GetTickCount64() - session->search.begun_ms;
    DWORD timeout_ms = session->timeouts.reconnect_ms;

    if (timeout_ms == 0)
        return MAXDWORD;
    return waited_ms < timeout_ms ? (DWORD)(timeout_ms - waited_ms) : 0;
}

static void next_pause(struct nbd_session *session)
{
    struct nbd_search *search = &session->search;
    DWORD left = left_ms(session);

    search->pause_ms = search->pause_ms == 0 ? FIRST_PAUSE_MS : min(2 * search->pause_ms, LAST_PAUSE_MS);
    if (!search->given_up) /* a try must not begin later than the requests may wait */
        search->pause_ms = min(search->pause_ms, max(left, FIRST_PAUSE_MS));
}

/* From now on requests fail: those that wait here, and those that come, in nbd_session_take. */
static void fail_requests(struct nbd_session *session)
{
    struct list_link waiting;

    list_init(&waiting);
    AcquireSRWLockExclusive(&session->lock);
    session->state = NBD_GIVEN_UP;
    list_move_all(&waiting, &session->jobs.waiting);
    ReleaseSRWLockExclusive(&session->lock);
    fail_all(session, &waiting);
}

static void give_up_in_time(struct nbd_session *session)
{
    if (!session->search.given_up && left_ms(session) == 0) {
        log_message(MESSAGE_GIVEN_UP, "'%s': no connection within %lu ms: requests fail until there is one (%s)",
                    name_of(session), session->timeouts.reconnect_ms, session->link.problem);
        session->search.given_up = TRUE;
        fail_requests(session);
    }
}

/* ---- The next one ---- */

static DWORD grow(struct nbd_session *session)
{
    struct nbd_link *link = &session->link;
    PWNBD_DISK disk = session->disk;
    enum nbd_geometry_problem problem;
    struct nbd_geometry geometry;

    problem = nbd_export_geometry(&link->export, disk->Properties.BlockSize, &geometry);
    if (problem != NBD_GEOMETRY_OK)
        return nbd_link_fail(link, ERROR_REVISION_MISMATCH, "%s", nbd_geometry_problem_text(problem));
    log_message(MESSAGE_EXPORT_GREW, "'%s': %s: %llu bytes, was %llu", name_of(session),
                nbd_export_change_text(NBD_EXPORT_GROWN), (unsigned long long)link->export.size,
                (unsigned long long)session->export.size);
    session->export.size = link->export.size;
    disk->Properties.BlockCount = geometry.block_count;
    /* Windows learns it by a unit attention: WnbdSetDiskSize would have it ask, and be answered by this thread. */
    WnbdIoctlSetDiskSize(disk->Handle, disk->ConnectionInfo.ConnectionId, geometry.block_count, NULL);
    return ERROR_SUCCESS;
}

/* Whether the disk's requests can go to the export. */
static DWORD recognize(struct nbd_session *session)
{
    const struct nbd_export *was = &session->export;
    struct nbd_link *link = &session->link;
    enum nbd_export_change change = nbd_export_compare(was, &link->export);

    switch (change) {
    case NBD_EXPORT_SAME:
        return ERROR_SUCCESS;
    case NBD_EXPORT_GROWN:
        return grow(session);
    case NBD_EXPORT_SHRUNK:
    case NBD_EXPORT_FLAGS_DIFFER:
    case NBD_EXPORT_BLOCKS_DIFFER:
        break;
    }
    return nbd_link_fail(link, ERROR_REVISION_MISMATCH, "%s (%llu bytes, was %llu)", nbd_export_change_text(change),
                         (unsigned long long)link->export.size, (unsigned long long)was->size);
}

static BOOL try(struct nbd_session *session)
{
    struct nbd_link *link = &session->link;
    DWORD timeout_ms = session->timeouts.connect_ms;
    DWORD left = left_ms(session);

    if (!session->search.given_up)
        timeout_ms = min(timeout_ms, max(left, TRY_MS_MIN));
    if (nbd_link_open(link, timeout_ms) == ERROR_SUCCESS) {
        if (recognize(session) == ERROR_SUCCESS)
            return TRUE;
        nbd_link_leave(link, FALSE, GOODBYE_MS);
        nbd_link_close(link);
    }
    log_message(MESSAGE_NO_CONNECTION_YET, "'%s': still no connection: %s", name_of(session), link->problem);
    return FALSE;
}

/* FALSE: the disk went meanwhile. nbd_session_stop sets its event before it looks at the state. */
static BOOL open(struct nbd_session *session)
{
    BOOL is_open;

    AcquireSRWLockExclusive(&session->lock);
    is_open = !nbd_is_stopped(session);
    if (is_open) {
        session->state = NBD_OPEN;
        session->cut = FALSE;
        session->shutting_down = FALSE;
        ResetEvent(session->lost);
    }
    ReleaseSRWLockExclusive(&session->lock);
    return is_open;
}

static BOOL go_on(struct nbd_session *session)
{
    if (!open(session))
        return FALSE;
    log_message(MESSAGE_CONNECTED_AGAIN, "'%s': connected again", name_of(session));
    nbd_send_waiting(session, FALSE);
    return TRUE;
}

BOOL nbd_reconnect(struct nbd_session *session)
{
    struct nbd_search *search = &session->search;

    begin(session);
    log_message(MESSAGE_CONNECTION_LOST, "'%s': the connection is lost: %s", name_of(session), session->why);
    suspend(session);
    if (search->given_up)
        fail_requests(session);
    while (WaitForSingleObject(session->stop, search->pause_ms) == WAIT_TIMEOUT) {
        next_pause(session);
        if (try(session))
            return go_on(session);
        give_up_in_time(session);
    }
    return FALSE;
}
