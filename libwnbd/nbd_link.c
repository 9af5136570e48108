/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/nbd_link.h"

#include "core/nbd/encode.h"

#include <stdarg.h>
#include <stdio.h>

DWORD nbd_link_init(struct nbd_link *link, const WNBD_PROPERTIES *properties, HANDLE stop)
{
    DWORD error;

    memset(link, 0, sizeof(*link));
    link->properties = properties;
    link->stop = stop;
    link->socket = INVALID_SOCKET;
    error = nbd_call_open(&link->in);
    return error == ERROR_SUCCESS ? nbd_call_open(&link->out) : error;
}

void nbd_link_free(struct nbd_link *link)
{
    nbd_call_close(&link->in);
    nbd_call_close(&link->out);
}

DWORD nbd_link_fail(struct nbd_link *link, DWORD error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(link->problem, sizeof(link->problem), format, arguments);
    va_end(arguments);
    return error;
}

DWORD nbd_link_open(struct nbd_link *link, DWORD timeout_ms)
{
    struct nbd_limit limit = nbd_limit_in(link->stop, timeout_ms);
    DWORD error = nbd_link_connect(link, &limit);

    if (error == ERROR_SUCCESS)
        error = nbd_link_greet(link, &limit);
    if (error != ERROR_SUCCESS)
        nbd_link_close(link);
    return error;
}

void nbd_link_close(struct nbd_link *link)
{
    if (link->socket != INVALID_SOCKET)
        closesocket(link->socket);
    link->socket = INVALID_SOCKET;
}

/* ---- Leaving ---- */

static DWORD send_disconnect(struct nbd_link *link, const struct nbd_limit *limit)
{
    uint8_t request[NBD_REQUEST_SIZE_MAX];
    WSABUF piece = {nbd_encode_disconnect(request, link->terms.form), (CHAR *)request};

    return nbd_call_wait(link->socket, &link->out, nbd_socket_send(link->socket, &link->out, &piece, 1), limit);
}

/* Passes over what still comes. */
static BOOL await_end(struct nbd_link *link, const struct nbd_limit *limit)
{
    WSABUF piece = {sizeof(link->handshake.buffer), (CHAR *)link->handshake.buffer};
    DWORD error;

    do {
        error = nbd_call_wait(link->socket, &link->in, nbd_socket_receive(link->socket, &link->in, &piece, 1), limit);
    } while (error == ERROR_SUCCESS && link->in.moved != 0);
    return error == ERROR_SUCCESS;
}

BOOL nbd_link_leave(struct nbd_link *link, BOOL cut, DWORD timeout_ms)
{
    HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL); /* a removal does not end it: the time is short */
    struct nbd_limit limit = nbd_limit_in(never, timeout_ms);
    BOOL has_ended = FALSE;

    if (never && (cut || send_disconnect(link, &limit) == ERROR_SUCCESS)) {
        shutdown(link->socket, SD_SEND);
        has_ended = await_end(link, &limit);
    }
    if (never)
        CloseHandle(never);
    return has_ended;
}
