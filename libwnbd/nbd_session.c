/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/nbd_session.h"
#include "libwnbd/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ORDERLY_END_MS 1000 /* how long the server has to take NBD_CMD_DISC and close */

static DWORD make_events(struct nbd_session *session)
{
    session->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    session->lost = CreateEventW(NULL, TRUE, FALSE, NULL);
    return session->stop && session->lost ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
}

DWORD nbd_session_make(const WNBD_PROPERTIES *properties, struct nbd_session **result)
{
    struct nbd_session *session = calloc(1, sizeof(*session));
    DWORD error;

    if (!session)
        return ERROR_NOT_ENOUGH_MEMORY;
    InitializeSRWLock(&session->lock);
    InitializeConditionVariable(&session->quiet);
    session->properties = *properties;
    session->timeouts = nbd_timeouts_read();
    error = make_events(session);
    if (error == ERROR_SUCCESS)
        error = nbd_link_init(&session->link, &session->properties, session->stop);
    if (error == ERROR_SUCCESS)
        *result = session;
    else
        nbd_session_free(session);
    return error;
}

void nbd_session_free(struct nbd_session *session)
{
    HANDLE handles[] = {session->stop, session->lost, session->thread};

    nbd_link_close(&session->link);
    nbd_link_free(&session->link);
    for (size_t i = 0; i < ARRAYSIZE(handles); i++) {
        if (handles[i])
            CloseHandle(handles[i]);
    }
    free(session);
}

void nbd_lose(struct nbd_session *session, const char *format, ...)
{
    va_list arguments;

    AcquireSRWLockExclusive(&session->lock);
    if (session->state == NBD_OPEN) {
        va_start(arguments, format);
        vsnprintf(session->why, sizeof(session->why), format, arguments);
        va_end(arguments);
        session->state = NBD_AWAY;
        SetEvent(session->lost);
    }
    ReleaseSRWLockExclusive(&session->lock);
}

BOOL nbd_is_stopped(const struct nbd_session *session)
{
    return WaitForSingleObject(session->stop, 0) == WAIT_OBJECT_0;
}

/* ---- Requests of the disk ---- */

/* What is wrong with it, NULL: it waits to be sent. */
static const struct scsi_sense *put(struct nbd_session *session, const struct io_request *request, WnbdRequestType type,
                                    void *data)
{
    static const struct scsi_sense failed = {.key = SENSE_KEY_HARDWARE_ERROR, .asc = ASC_INTERNAL_TARGET_FAILURE >> 8};

    if (session->state == NBD_GIVEN_UP)
        return &nbd_sense_no_server;
    return nbd_jobs_add(&session->jobs, request, type, data) ? NULL : &failed;
}

static void refuse(struct nbd_session *session, UINT64 handle, WnbdRequestType type, const struct scsi_sense *sense)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = handle, .RequestType = type};

    WnbdSetSense(&response.Status, sense->key, sense->asc);
    WnbdSendResponse(session->disk, &response, NULL, 0);
}

void nbd_session_take(struct nbd_session *session, const struct io_request *request, WnbdRequestType type, void *data)
{
    const struct scsi_sense *sense;

    AcquireSRWLockExclusive(&session->lock);
    sense = put(session, request, type, data);
    ReleaseSRWLockExclusive(&session->lock);
    if (sense)
        refuse(session, request->cookie, type, sense);
}

/* ---- The thread ---- */

/* The disk is gone, and with it all its requests: there is nothing that could be lost. */
static void end(struct nbd_session *session)
{
    BOOL is_idle;

    AcquireSRWLockExclusive(&session->lock);
    while (session->sending && !session->send_pending)
        SleepConditionVariableSRW(&session->quiet, &session->lock, INFINITE, 0);
    is_idle = !session->sending && list_is_empty(&session->jobs.out);
    ReleaseSRWLockExclusive(&session->lock);
    if (session->send_pending)
        nbd_send_finish(session, TRUE);
    if (is_idle && session->link.socket != INVALID_SOCKET)
        nbd_link_leave(&session->link, session->cut, ORDERLY_END_MS);
    nbd_link_close(&session->link);
}

static DWORD WINAPI session_main(void *parameter)
{
    struct nbd_session *session = parameter;

    do {
        nbd_receive_replies(session);
    } while (!nbd_is_stopped(session) && nbd_reconnect(session));
    end(session);
    return 0;
}

DWORD nbd_session_start(struct nbd_session *session)
{
    session->thread = CreateThread(NULL, 0, session_main, session, 0, NULL);
    return session->thread ? ERROR_SUCCESS : GetLastError();
}

void nbd_session_stop(struct nbd_session *session)
{
    SetEvent(session->stop);
    nbd_lose(session, "the disk is gone");
    if (session->thread)
        WaitForSingleObject(session->thread, INFINITE);
}
