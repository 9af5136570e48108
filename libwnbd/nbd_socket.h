/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets whose calls end in time: each waits for its end, for an event that ends it early, or for a moment. */
#ifndef LIBWNBD_NBD_SOCKET_H
#define LIBWNBD_NBD_SOCKET_H

#include <winsock2.h>
#include <ws2tcpip.h>

#include "include/wnbd.h"

#define NBD_NO_LIMIT_MS MAXULONGLONG

/* Until when somebody waits. */
struct nbd_limit {
    HANDLE stop;      /* borrowed: signalled, the wait is over */
    ULONGLONG end_ms; /* by GetTickCount64; NBD_NO_LIMIT_MS: never */
};

struct nbd_limit nbd_limit_in(HANDLE stop, DWORD timeout_ms);
DWORD nbd_limit_left_ms(const struct nbd_limit *limit);

/* Waits for `event`. 995 ERROR_OPERATION_ABORTED: `stop` came first; 258 WAIT_TIMEOUT. */
DWORD nbd_limit_wait(const struct nbd_limit *limit, HANDLE event);

/* A send or a receive that is out, one at a time. */
struct nbd_call {
    OVERLAPPED overlapped; /* its event is there from nbd_call_open on */
    DWORD moved;           /* bytes, after success */
    DWORD flags;
};

/* 8: no event. */
DWORD nbd_call_open(struct nbd_call *call);
void nbd_call_close(struct nbd_call *call);

/* Connects, as a socket of its own. `event` is a manual one that is used meanwhile. A Winsock error; 995, 258. */
DWORD nbd_socket_connect(const SOCKADDR_STORAGE *peer, int peer_length, HANDLE event, const struct nbd_limit *limit,
                         SOCKET *socket);

/*
 * Begin to move bytes. 0: it is done; 997 WSA_IO_PENDING: nbd_call_finish or nbd_call_wait tells, and the memory is
 * kept until then; else a Winsock error. A send moves all, a receive as much as there is, nothing when the peer has
 * ended its side.
 */
DWORD nbd_socket_send(SOCKET socket, struct nbd_call *call, WSABUF *pieces, DWORD count);
DWORD nbd_socket_receive(SOCKET socket, struct nbd_call *call, WSABUF *pieces, DWORD count);

/* The result of a call that was pending, whose event has been signalled; `cancel`: which is to end now. */
DWORD nbd_call_finish(SOCKET socket, struct nbd_call *call, BOOL cancel);

/* The result of a call whose beginning has given `error`. After 995 and 258 it is over: cancelled, or done too late. */
DWORD nbd_call_wait(SOCKET socket, struct nbd_call *call, DWORD error, const struct nbd_limit *limit);

#endif
