/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <winsock2.h>
#include <ws2tcpip.h>

#include "wnbd-client/talk.h"

#include "core/nbd/encode.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define LIMIT_MS 10000

struct line {
    SOCKET socket;
    ULONGLONG end_ms;
    const NBD_CONNECTION_PROPERTIES *server;
    char *problem; /* TALK_PROBLEM_SIZE */
};

static DWORD fail(struct line *line, DWORD error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line->problem, TALK_PROBLEM_SIZE, format, arguments);
    va_end(arguments);
    return error;
}

static DWORD fail_late(struct line *line)
{
    return fail(line, ERROR_SEM_TIMEOUT, "the server %s port %u did not answer within %d s", line->server->Hostname,
                line->server->PortNumber, LIMIT_MS / 1000);
}

/* Waits until the socket can send or receive. False: it took too long. */
static bool await(const struct line *line, bool out)
{
    WSAPOLLFD poll_on = {.fd = line->socket, .events = out ? POLLOUT : POLLIN};
    ULONGLONG now_ms = GetTickCount64();

    return now_ms < line->end_ms && WSAPoll(&poll_on, 1, (INT)(line->end_ms - now_ms)) == 1;
}

/* ---- The connection ---- */

/* The socket is connected, or closed again. */
static DWORD finish_connect(struct line *line)
{
    int error = 0;
    int length = sizeof(error);

    if (!await(line, true))
        return WAIT_TIMEOUT;
    if (getsockopt(line->socket, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0)
        return (DWORD)WSAGetLastError();
    return (DWORD)error;
}

static DWORD connect_to(struct line *line, const ADDRINFOW *address)
{
    u_long on = 1;
    DWORD error;

    line->socket = socket(address->ai_family, SOCK_STREAM, IPPROTO_TCP);
    if (line->socket == INVALID_SOCKET)
        return (DWORD)WSAGetLastError();
    ioctlsocket(line->socket, FIONBIO, &on);
    if (connect(line->socket, address->ai_addr, (int)address->ai_addrlen) == 0)
        return ERROR_SUCCESS;
    error = (DWORD)WSAGetLastError();
    if (error == WSAEWOULDBLOCK)
        error = finish_connect(line);
    if (error != ERROR_SUCCESS) {
        closesocket(line->socket);
        line->socket = INVALID_SOCKET;
    }
    return error;
}

static DWORD connect_any(struct line *line, const ADDRINFOW *list)
{
    DWORD error = WSAHOST_NOT_FOUND;

    for (; list && line->socket == INVALID_SOCKET; list = list->ai_next)
        error = connect_to(line, list);
    if (error == ERROR_SUCCESS)
        return error;
    if (error == WAIT_TIMEOUT)
        return fail_late(line);
    if (error == WSAECONNREFUSED)
        return fail(line, ERROR_CONNECTION_REFUSED, "the server %s port %u refused the connection",
                    line->server->Hostname, line->server->PortNumber);
    return fail(line, error, "the server %s port %u cannot be reached (Winsock error %lu)", line->server->Hostname,
                line->server->PortNumber, error);
}

static DWORD open_line(struct line *line)
{
    ADDRINFOW hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    WCHAR host[WNBD_MAX_NAME_LENGTH];
    WCHAR port[8];
    ADDRINFOW *list = NULL;
    DWORD error;

    if (MultiByteToWideChar(CP_UTF8, 0, line->server->Hostname, -1, host, ARRAYSIZE(host)) == 0)
        return fail(line, ERROR_INVALID_PARAMETER, "the server's name is not UTF-8");
    swprintf(port, ARRAYSIZE(port), L"%u", line->server->PortNumber);
    if (GetAddrInfoW(host, port, &hints, &list) != 0)
        return fail(line, ERROR_BAD_NETPATH, "the name '%s' leads to no address", line->server->Hostname);
    error = connect_any(line, list);
    FreeAddrInfoW(list);
    return error;
}

/* ---- The handshake ---- */

static int move_some(SOCKET socket, uint8_t *bytes, size_t length, bool out)
{
    return out ? send(socket, (const char *)bytes, (int)length, 0) : recv(socket, (char *)bytes, (int)length, 0);
}

/* False: the connection has ended, or `*late`. */
static bool move(const struct line *line, uint8_t *bytes, size_t length, bool out, bool *late)
{
    while (length != 0) {
        int count = move_some(line->socket, bytes, length, out);

        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        } else if (count == 0 || WSAGetLastError() != WSAEWOULDBLOCK) {
            return false;
        } else if (!await(line, out)) {
            *late = true;
            return false;
        }
    }
    return true;
}

/* The codes that map ends with. */
static DWORD error_of(enum nbd_handshake_failure failure)
{
    switch (failure) {
    case NBD_HANDSHAKE_OLDSTYLE:
    case NBD_HANDSHAKE_NOT_FIXED:
        return ERROR_NOT_SUPPORTED;
    case NBD_HANDSHAKE_UNKNOWN_EXPORT:
        return ERROR_BAD_NET_NAME;
    case NBD_HANDSHAKE_TLS_REQUIRED:
    case NBD_HANDSHAKE_POLICY:
        return ERROR_ACCESS_DENIED;
    case NBD_HANDSHAKE_SHUTDOWN:
    case NBD_HANDSHAKE_REFUSED:
        return ERROR_CONNECTION_REFUSED;
    case NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED:
        return ERROR_INVALID_PARAMETER;
    case NBD_HANDSHAKE_CLOSED:
        return ERROR_NETNAME_DELETED;
    case NBD_HANDSHAKE_NO_FAILURE:
    case NBD_HANDSHAKE_NOT_NBD:
    case NBD_HANDSHAKE_BROKEN:
        break;
    }
    return ERROR_BAD_NET_RESP;
}

static DWORD converse(struct line *line, struct nbd_handshake *handshake, talk_entry *entry, void *context)
{
    for (;;) {
        uint8_t *bytes;
        size_t length;
        bool late = false;
        enum nbd_handshake_step step = nbd_handshake_step(handshake, &bytes, &length);

        switch (step) {
        case NBD_HANDSHAKE_ENTRY:
            entry(handshake, context);
            nbd_handshake_advance(handshake);
            break;
        case NBD_HANDSHAKE_DONE:
            return ERROR_SUCCESS;
        case NBD_HANDSHAKE_FAILED:
            nbd_handshake_describe(handshake, line->problem, TALK_PROBLEM_SIZE);
            return error_of(handshake->failure);
        case NBD_HANDSHAKE_SEND:
        case NBD_HANDSHAKE_RECEIVE:
            if (move(line, bytes, length, step == NBD_HANDSHAKE_SEND, &late))
                nbd_handshake_advance(handshake);
            else if (late)
                return fail_late(line);
            else
                nbd_handshake_closed(handshake);
            break;
        }
    }
}

/* A session that nobody wants is ended as the protocol has it. */
static void take_leave(const struct line *line, const struct nbd_handshake *handshake)
{
    uint8_t request[NBD_REQUEST_SIZE_MAX];
    bool late = false;

    if (handshake->purpose == NBD_FOR_SESSION)
        (void)move(line, request, nbd_encode_disconnect(request, handshake->terms.form), true, &late);
}

DWORD talk(const NBD_CONNECTION_PROPERTIES *server, struct nbd_handshake *handshake, talk_entry *entry, void *context,
           char problem[TALK_PROBLEM_SIZE])
{
    struct line line = {INVALID_SOCKET, GetTickCount64() + LIMIT_MS, server, problem};
    WSADATA winsock;
    DWORD error;

    if (WSAStartup(MAKEWORD(2, 2), &winsock) != 0)
        return fail(&line, ERROR_NOT_READY, "the network of this machine is not ready");
    error = open_line(&line);
    if (error == ERROR_SUCCESS) {
        error = converse(&line, handshake, entry, context);
        if (error == ERROR_SUCCESS)
            take_leave(&line, handshake);
        closesocket(line.socket);
    }
    WSACleanup();
    return error;
}
