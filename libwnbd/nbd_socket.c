/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/nbd_socket.h"

#include <mstcpip.h>

#define KEEPALIVE_IDLE_MS     30000 /* as the driver's */
#define KEEPALIVE_INTERVAL_MS 10000

/* ---- Time ---- */

struct nbd_limit nbd_limit_in(HANDLE stop, DWORD timeout_ms)
{
    struct nbd_limit limit = {stop, GetTickCount64() + timeout_ms};

    return limit;
}

DWORD nbd_limit_left_ms(const struct nbd_limit *limit)
{
    ULONGLONG now_ms = GetTickCount64();

    if (limit->end_ms == NBD_NO_LIMIT_MS)
        return INFINITE;
    return now_ms < limit->end_ms ? (DWORD)(limit->end_ms - now_ms) : 0;
}

DWORD nbd_limit_wait(const struct nbd_limit *limit, HANDLE event)
{
    HANDLE events[] = {event, limit->stop};

    switch (WaitForMultipleObjects(ARRAYSIZE(events), events, FALSE, nbd_limit_left_ms(limit))) {
    case WAIT_OBJECT_0:
        return ERROR_SUCCESS;
    case WAIT_OBJECT_0 + 1:
        return ERROR_OPERATION_ABORTED;
    case WAIT_TIMEOUT:
        return WAIT_TIMEOUT;
    default:
        return GetLastError();
    }
}

/* ---- Calls ---- */

DWORD nbd_call_open(struct nbd_call *call)
{
    memset(call, 0, sizeof(*call));
    call->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    return call->overlapped.hEvent ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
}

void nbd_call_close(struct nbd_call *call)
{
    if (call->overlapped.hEvent)
        CloseHandle(call->overlapped.hEvent);
}

static DWORD begun(int result)
{
    return result == 0 ? ERROR_SUCCESS : (DWORD)WSAGetLastError();
}

DWORD nbd_socket_send(SOCKET socket, struct nbd_call *call, WSABUF *pieces, DWORD count)
{
    return begun(WSASend(socket, pieces, count, &call->moved, 0, &call->overlapped, NULL));
}

DWORD nbd_socket_receive(SOCKET socket, struct nbd_call *call, WSABUF *pieces, DWORD count)
{
    call->flags = 0;
    return begun(WSARecv(socket, pieces, count, &call->moved, &call->flags, &call->overlapped, NULL));
}

DWORD nbd_call_finish(SOCKET socket, struct nbd_call *call, BOOL cancel)
{
    if (cancel)
        CancelIoEx((HANDLE)socket, &call->overlapped);
    if (WSAGetOverlappedResult(socket, &call->overlapped, &call->moved, TRUE, &call->flags))
        return ERROR_SUCCESS;
    return (DWORD)WSAGetLastError();
}

DWORD nbd_call_wait(SOCKET socket, struct nbd_call *call, DWORD error, const struct nbd_limit *limit)
{
    if (error == ERROR_SUCCESS && nbd_limit_left_ms(limit) == 0) /* a peer that is quick enough could go on for ever */
        return WAIT_TIMEOUT;
    if (error != WSA_IO_PENDING)
        return error;
    error = nbd_limit_wait(limit, call->overlapped.hEvent);
    if (error == ERROR_SUCCESS)
        return nbd_call_finish(socket, call, FALSE);
    nbd_call_finish(socket, call, TRUE);
    return error;
}

/* ---- Connecting ---- */

/* Without them the connection still works. */
static void set_options(SOCKET socket)
{
    struct tcp_keepalive keepalive = {1, KEEPALIVE_IDLE_MS, KEEPALIVE_INTERVAL_MS};
    BOOL on = TRUE;
    DWORD used;

    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
    WSAIoctl(socket, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive), NULL, 0, &used, NULL, NULL);
}

static DWORD finish_connect(SOCKET socket, HANDLE event, const struct nbd_limit *limit)
{
    WSANETWORKEVENTS events;
    DWORD error = nbd_limit_wait(limit, event);

    if (error != ERROR_SUCCESS)
        return error;
    if (WSAEnumNetworkEvents(socket, event, &events) != 0)
        return (DWORD)WSAGetLastError();
    return (DWORD)events.iErrorCode[FD_CONNECT_BIT];
}

static DWORD connect_selected(SOCKET socket, const SOCKADDR_STORAGE *peer, int peer_length, HANDLE event,
                              const struct nbd_limit *limit)
{
    u_long off = 0;
    DWORD error;

    ResetEvent(event);
    if (WSAEventSelect(socket, event, FD_CONNECT) != 0)
        return (DWORD)WSAGetLastError();
    error = begun(connect(socket, (const struct sockaddr *)peer, peer_length));
    if (error == WSAEWOULDBLOCK)
        error = finish_connect(socket, event, limit);
    WSAEventSelect(socket, NULL, 0);
    ioctlsocket(socket, FIONBIO, &off); /* WSAEventSelect has set it */
    return error;
}

DWORD nbd_socket_connect(const SOCKADDR_STORAGE *peer, int peer_length, HANDLE event, const struct nbd_limit *limit,
                         SOCKET *socket)
{
    SOCKET made = WSASocketW(peer->ss_family, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                             WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    DWORD error;

    if (made == INVALID_SOCKET)
        return (DWORD)WSAGetLastError();
    set_options(made);
    error = connect_selected(made, peer, peer_length, event, limit);
    if (error == ERROR_SUCCESS)
        *socket = made;
    else
        closesocket(made);
    return error;
}
