/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a server's name to a socket that is connected to it. */
#include "libwnbd/nbd_link.h"

#include <stdio.h>

static const NBD_CONNECTION_PROPERTIES *server_of(const struct nbd_link *link)
{
    return &link->properties->NbdProperties;
}

static DWORD explain(struct nbd_link *link, DWORD error)
{
    const NBD_CONNECTION_PROPERTIES *server = server_of(link);

    switch (error) {
    case ERROR_SUCCESS:
        return error;
    case ERROR_OPERATION_ABORTED:
        return nbd_link_fail(link, error, "it was given up before it was ready");
    case WAIT_TIMEOUT:
    case WSAETIMEDOUT:
        return nbd_link_fail(link, ERROR_NOT_CONNECTED, "the server %s port %u did not answer the connection in time",
                             server->Hostname, server->PortNumber);
    case WSAECONNREFUSED:
        return nbd_link_fail(link, ERROR_NOT_CONNECTED, "the server %s port %u refused the connection",
                             server->Hostname, server->PortNumber);
    default:
        return nbd_link_fail(link, ERROR_NOT_CONNECTED, "the server %s port %u cannot be reached (Winsock error %lu)",
                             server->Hostname, server->PortNumber, error);
    }
}

static DWORD connect_one(struct nbd_link *link, const struct nbd_limit *limit)
{
    return nbd_socket_connect(&link->peer, link->peer_length, link->in.overlapped.hEvent, limit, &link->socket);
}

/* ---- By its name ---- */

static DWORD resolve(struct nbd_link *link, ADDRINFOW **list)
{
    const ADDRINFOW hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    const NBD_CONNECTION_PROPERTIES *server = server_of(link);
    WCHAR host[WNBD_MAX_NAME_LENGTH];
    WCHAR port[8];
    int error;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, server->Hostname, -1, host, ARRAYSIZE(host)) == 0)
        return nbd_link_fail(link, WSAHOST_NOT_FOUND, "the name of the server is not UTF-8");
    swprintf(port, ARRAYSIZE(port), L"%u", server->PortNumber);
    error = GetAddrInfoW(host, port, &hints, list);
    if (error != 0)
        return nbd_link_fail(link, (DWORD)error, "there is no host named '%s'", server->Hostname);
    return ERROR_SUCCESS;
}

static DWORD count_of(const ADDRINFOW *list)
{
    DWORD count = 0;

    for (; list; list = list->ai_next)
        count++;
    return count;
}

/* Each address has its share of the time that is left, so that one that does not answer does not keep the next from
 * being tried. */
static DWORD connect_any(struct nbd_link *link, const ADDRINFOW *list, const struct nbd_limit *limit)
{
    DWORD untried = count_of(list);
    DWORD error = WSAHOST_NOT_FOUND;

    for (; list; list = list->ai_next) {
        struct nbd_limit share = nbd_limit_in(link->stop, nbd_limit_left_ms(limit) / untried--);

        if (list->ai_addrlen > sizeof(link->peer))
            continue;
        memcpy(&link->peer, list->ai_addr, list->ai_addrlen);
        link->peer_length = (int)list->ai_addrlen;
        error = connect_one(link, &share);
        if (error == ERROR_SUCCESS || error == ERROR_OPERATION_ABORTED)
            return error;
    }
    link->peer_length = 0;
    return error;
}

static DWORD connect_by_name(struct nbd_link *link, const struct nbd_limit *limit)
{
    ADDRINFOW *list;
    DWORD error = resolve(link, &list);

    if (error != ERROR_SUCCESS)
        return error;
    error = explain(link, connect_any(link, list, limit));
    FreeAddrInfoW(list);
    return error;
}

/* The name may not be looked up while the network is away, and the address that was there last is the likely one. */
DWORD nbd_link_connect(struct nbd_link *link, const struct nbd_limit *limit)
{
    struct nbd_limit half = nbd_limit_in(link->stop, nbd_limit_left_ms(limit) / 2);
    DWORD error;

    if (link->peer_length == 0)
        return connect_by_name(link, limit);
    error = connect_one(link, &half);
    if (error == ERROR_SUCCESS || error == ERROR_OPERATION_ABORTED)
        return explain(link, error);
    return connect_by_name(link, limit);
}
