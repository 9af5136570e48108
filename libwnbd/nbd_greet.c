/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake over a fresh connection. */
#include "libwnbd/nbd_link.h"

#include "core/nbd/wire.h"

static DWORD error_of(enum nbd_handshake_failure failure)
{
    switch (failure) {
    case NBD_HANDSHAKE_UNKNOWN_EXPORT:
    case NBD_HANDSHAKE_TLS_REQUIRED:
    case NBD_HANDSHAKE_POLICY:
    case NBD_HANDSHAKE_SHUTDOWN:
    case NBD_HANDSHAKE_REFUSED:
    case NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED:
        return ERROR_ACCESS_DENIED;
    case NBD_HANDSHAKE_NO_FAILURE:
    case NBD_HANDSHAKE_OLDSTYLE:
    case NBD_HANDSHAKE_NOT_FIXED:
    case NBD_HANDSHAKE_CLOSED:
    case NBD_HANDSHAKE_NOT_NBD:
    case NBD_HANDSHAKE_BROKEN:
        break;
    }
    return ERROR_GEN_FAILURE;
}

static DWORD send_all(struct nbd_link *link, uint8_t *bytes, size_t length, const struct nbd_limit *limit)
{
    WSABUF piece = {(ULONG)length, (CHAR *)bytes};

    return nbd_call_wait(link->socket, &link->out, nbd_socket_send(link->socket, &link->out, &piece, 1), limit);
}

static DWORD receive_all(struct nbd_link *link, uint8_t *bytes, size_t length, const struct nbd_limit *limit)
{
    while (length != 0) {
        WSABUF piece = {(ULONG)length, (CHAR *)bytes};
        DWORD error =
            nbd_call_wait(link->socket, &link->in, nbd_socket_receive(link->socket, &link->in, &piece, 1), limit);

        if (error != ERROR_SUCCESS)
            return error;
        if (link->in.moved == 0)
            return ERROR_HANDLE_EOF;
        bytes += link->in.moved;
        length -= link->in.moved;
    }
    return ERROR_SUCCESS;
}

/* A connection that ends is the handshake's business: success then. */
static DWORD transfer(struct nbd_link *link, BOOL out, uint8_t *bytes, size_t length, const struct nbd_limit *limit)
{
    DWORD error = out ? send_all(link, bytes, length, limit) : receive_all(link, bytes, length, limit);

    if (error == ERROR_SUCCESS)
        nbd_handshake_advance(&link->handshake);
    else if (error != WAIT_TIMEOUT && error != ERROR_OPERATION_ABORTED)
        nbd_handshake_closed(&link->handshake);
    else
        return error;
    return ERROR_SUCCESS;
}

static DWORD shake_hands(struct nbd_link *link, const struct nbd_limit *limit)
{
    DWORD error = ERROR_SUCCESS;
    uint8_t *bytes;
    size_t length;

    while (error == ERROR_SUCCESS) {
        enum nbd_handshake_step step = nbd_handshake_step(&link->handshake, &bytes, &length);

        switch (step) {
        case NBD_HANDSHAKE_SEND:
        case NBD_HANDSHAKE_RECEIVE:
            error = transfer(link, step == NBD_HANDSHAKE_SEND, bytes, length, limit);
            break;
        case NBD_HANDSHAKE_ENTRY: /* of a list, which was not asked for */
        case NBD_HANDSHAKE_DONE:
            return ERROR_SUCCESS;
        case NBD_HANDSHAKE_FAILED:
            nbd_handshake_describe(&link->handshake, link->problem, sizeof(link->problem));
            return error_of(link->handshake.failure);
        }
    }
    if (error == ERROR_OPERATION_ABORTED)
        return nbd_link_fail(link, error, "it was given up before it was ready");
    return nbd_link_fail(link, ERROR_GEN_FAILURE, "the server did not complete the NBD handshake in time");
}

/* Without a handshake the caller says what the export is. */
static struct nbd_export export_of_caller(const WNBD_PROPERTIES *properties)
{
    uint16_t flags = 0;

    flags |= properties->Flags.ReadOnly ? NBD_FLAG_READ_ONLY : 0;
    flags |= properties->Flags.FlushSupported ? NBD_FLAG_SEND_FLUSH : 0;
    flags |= properties->Flags.FUASupported ? NBD_FLAG_SEND_FUA : 0;
    flags |= properties->Flags.UnmapSupported ? NBD_FLAG_SEND_TRIM : 0;
    return nbd_export_assumed(properties->BlockCount * properties->BlockSize, flags);
}

DWORD nbd_link_greet(struct nbd_link *link, const struct nbd_limit *limit)
{
    const NBD_CONNECTION_PROPERTIES *server = &link->properties->NbdProperties;
    DWORD error;

    memset(&link->terms, 0, sizeof(link->terms));
    if (server->Flags.SkipNegotiation) {
        link->export = export_of_caller(link->properties);
        return ERROR_SUCCESS;
    }
    nbd_handshake_init(&link->handshake, server->ExportName, strlen(server->ExportName));
    error = shake_hands(link, limit);
    link->terms = link->handshake.terms;
    link->export = link->handshake.server_export;
    return error;
}
