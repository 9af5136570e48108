/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk of this process whose blocks an NBD server has: one connection, made again when it is lost.
 *
 *   open --(nbd_lose)--> away --(connected again)--> open
 *                          +--(ReconnectTimeoutMs over)--> given up --(connected again)--> open
 *
 * Threads: the dispatcher's put jobs in and send them; the session's own receives, and does all else. It never waits
 * for a send: a server may wait until its replies are read before it reads on. One lock, under which nothing waits.
 */
#ifndef LIBWNBD_NBD_SESSION_H
#define LIBWNBD_NBD_SESSION_H

#include "libwnbd/nbd_jobs.h"
#include "libwnbd/nbd_link.h"
#include "libwnbd/nbd_timeouts.h"
#include "core/base/compiler.h"

#include "core/nbd/reader.h"

#define NBD_BATCH_MAX      64          /* jobs in one send */
#define NBD_SEND_MAX       (512 << 10) /* bytes, but for the last job's */
#define NBD_RECEIVE_BUFFER (64 << 10)
#define NBD_RESPONSES_MAX  64

enum nbd_session_state {
    NBD_OPEN,     /* jobs are sent */
    NBD_AWAY,     /* they wait */
    NBD_GIVEN_UP, /* they fail */
};

/* For a connection, since the last one that was of use. */
struct nbd_search {
    BOOL begun;
    BOOL given_up;
    ULONGLONG begun_ms;
    DWORD pause_ms;
};

struct nbd_session {
    /* Fixed after nbd_session_make, but for the disk. */
    WNBD_PROPERTIES properties; /* as the caller gave them */
    struct nbd_timeouts timeouts;
    PWNBD_DISK disk;
    HANDLE stop;   /* event: the disk is gone */
    HANDLE lost;   /* event: the connection is to be ended */
    HANDLE thread; /* NULL: not started */

    /* Guarded by lock. */
    SRWLOCK lock;
    CONDITION_VARIABLE quiet; /* `sending` has become FALSE */
    enum nbd_session_state state;
    struct nbd_jobs jobs;
    BOOL sending;               /* somebody is sending, and the only one */
    BOOL send_pending;          /* it is the session's thread, which goes on when link.out has ended */
    BOOL cut;                   /* a send has ended in between: nothing can be said after it */
    CHAR why[NBD_PROBLEM_SIZE]; /* the connection is lost */

    /* Whoever is sending. */
    uint8_t headers[NBD_BATCH_MAX][NBD_REQUEST_SIZE_MAX];
    WSABUF pieces[2 * NBD_BATCH_MAX];
    DWORD send_bytes;

    /* The thread's; `link` also whoever is sending, of its socket and `out`. */
    struct nbd_link link;
    struct nbd_export export; /* that the disk was made for */
    struct nbd_reader reader;
    struct nbd_job *receiving; /* whose reply is in hand */
    BOOL was_of_use;           /* this connection has answered something */
    BOOL shutting_down;        /* the server says so */
    UINT64 heard_ms;           /* when something came last */
    struct nbd_search search;
    UINT32 response_count;
    WNBD_IO_RESPONSE responses[NBD_RESPONSES_MAX]; /* to be sent to the driver */
    uint8_t buffer[NBD_RECEIVE_BUFFER];
};

/* 8. */
DWORD nbd_session_make(const WNBD_PROPERTIES *properties, struct nbd_session **session);
void nbd_session_free(struct nbd_session *session);

/* Starts the thread: the connection is made and the disk is there. */
DWORD nbd_session_start(struct nbd_session *session);

/* The disk is gone: ends the connection, within a second or so. */
void nbd_session_stop(struct nbd_session *session);

/* Takes a request of the disk, whose cookie is its handle, or answers it at once. It is sent with the next
 * nbd_send_waiting. A callback's thread. */
void nbd_session_take(struct nbd_session *session, const struct io_request *request, WnbdRequestType type, void *data);

/* ---- Between its files ---- */

/* Any thread. The connection is to be ended, for this reason; the first one counts. */
void nbd_lose(struct nbd_session *session, const char *format, ...) PRINTF_LIKE(2, 3);

/* nbd_send.c: sends what waits. `may_wait`: until it is sent, or the connection is lost. */
void nbd_send_waiting(struct nbd_session *session, BOOL may_wait);

/* The session's thread: the send it has left pending has ended, or is to. */
void nbd_send_finish(struct nbd_session *session, BOOL cancel);

/* nbd_receive.c: replies, until the connection is lost. The session's thread. */
void nbd_receive_replies(struct nbd_session *session);

/* nbd_reconnect.c: from a lost connection to the next. FALSE: the disk is gone. The session's thread. */
BOOL nbd_reconnect(struct nbd_session *session);

/* nbd_respond.c: the job has ended and is to be answered; `sense` NULL: well. The session's thread, without the lock.
 */
void nbd_respond(struct nbd_session *session, struct nbd_job *job, const struct scsi_sense *sense);
void nbd_respond_now(struct nbd_session *session);

/* For a request that cannot be carried out because there is no server. */
extern const struct scsi_sense nbd_sense_no_server;

/* Is the disk gone? */
BOOL nbd_is_stopped(const struct nbd_session *session);

#endif
