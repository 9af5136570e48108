/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a server's name to a connection in the transmission phase, on the disk's thread. */
#include "driver/nbd.h"

#include "driver/disk.h"
#include "driver/log.h"
#include "driver/text.h"

#include "core/nbd/wire.h"

NTSTATUS nbd_fail(struct disk *disk, NTSTATUS status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_format_list(disk->message, sizeof disk->message, format, arguments);
    va_end(arguments);
    return status;
}

static const NBD_CONNECTION_PROPERTIES *server_of(const struct disk *disk)
{
    return &disk->properties.NbdProperties;
}

NTSTATUS nbd_fail_cancelled(struct disk *disk)
{
    return nbd_fail(disk, STATUS_CANCELLED, "the mapping was given up before it was ready");
}

NTSTATUS nbd_fail_timeout(struct disk *disk, const char *what)
{
    const NBD_CONNECTION_PROPERTIES *server = server_of(disk);
    ULONG milliseconds = (ULONG)driver_options.connect_timeout_ms;

    return nbd_fail(disk, STATUS_IO_TIMEOUT, "the server %s port %u did not %s within %lu ms", server->Hostname,
                    server->PortNumber, what, milliseconds);
}

/* ---- Name and connection ---- */

static NTSTATUS resolve(struct disk *disk, const struct wsk_limit *limit)
{
    const NBD_CONNECTION_PROPERTIES *server = server_of(disk);
    struct nbd_backend *nbd = &disk->nbd;
    NTSTATUS status =
        wsk_resolve(&nbd->npi, nbd->lookup, server->Hostname, text_length(server->Hostname, sizeof server->Hostname),
                    (USHORT)server->PortNumber, limit);

    if (NT_SUCCESS(status) && nbd->lookup->list != NULL) {
        return STATUS_SUCCESS;
    }
    if (status == STATUS_CANCELLED) {
        return nbd_fail_cancelled(disk);
    }
    if (status == STATUS_IO_TIMEOUT) {
        return nbd_fail(disk, status, "the name '%s' could not be looked up within %lu ms", server->Hostname,
                        (ULONG)driver_options.connect_timeout_ms);
    }
    log_disk(NAME_NOT_FOUND, disk, server->Hostname, status);
    return nbd_fail(disk, STATUS_BAD_NETWORK_PATH, "there is no host named '%s'", server->Hostname);
}

static NTSTATUS explain_connect(struct disk *disk, NTSTATUS status)
{
    const NBD_CONNECTION_PROPERTIES *server = server_of(disk);

    switch (status) {
    case STATUS_CONNECTION_REFUSED:
        return nbd_fail(disk, status, "the server %s port %u refused the connection", server->Hostname,
                        server->PortNumber);
    case STATUS_NETWORK_UNREACHABLE:
        return nbd_fail(disk, status, "there is no route to the network of the server %s", server->Hostname);
    case STATUS_HOST_UNREACHABLE:
        return nbd_fail(disk, status, "there is no route to the server %s", server->Hostname);
    case STATUS_CANCELLED:
        return nbd_fail_cancelled(disk);
    case STATUS_IO_TIMEOUT:
    case STATUS_TIMEOUT:
        return nbd_fail_timeout(disk, "answer the connection");
    default:
        return nbd_fail(disk, status, "connecting to the server %s port %u failed with status 0x%08lx",
                        server->Hostname, server->PortNumber, status);
    }
}

static void drop_socket(struct nbd_connection *connection)
{
    if (connection->socket != NULL) {
        wsk_close(connection->socket, &connection->close_call);
        wsk_call_recall(&connection->call);
        connection->socket = NULL;
    }
}

static NTSTATUS connect_one(struct nbd_connection *connection, const SOCKADDR_STORAGE *peer,
                            const struct wsk_limit *limit)
{
    const WSK_PROVIDER_NPI *npi = &connection->disk->nbd.npi;
    NTSTATUS status = wsk_open(npi, &connection->call, peer->ss_family, limit, &connection->socket);

    if (NT_SUCCESS(status)) {
        status = wsk_connect(connection->socket, &connection->call, peer, limit);
    }
    if (!NT_SUCCESS(status)) {
        drop_socket(connection);
    }
    return status;
}

static bool is_usable(const ADDRINFOEXW *entry)
{
    return entry->ai_addr != NULL && (entry->ai_family == AF_INET || entry->ai_family == AF_INET6);
}

static ULONG count_usable(const ADDRINFOEXW *entry)
{
    ULONG count = 0;

    for (; entry != NULL; entry = entry->ai_next) {
        count += is_usable(entry) ? 1 : 0;
    }
    return count;
}

/* Tries the addresses in order; each has its share of the time that is left, so that one that does not answer does not
 * keep the next from being tried. */
static NTSTATUS connect_any(struct nbd_connection *connection, const struct wsk_limit *limit, SOCKADDR_STORAGE *peer)
{
    struct disk *disk = connection->disk;
    ULONG untried = count_usable(disk->nbd.lookup->list);
    NTSTATUS status = STATUS_HOST_UNREACHABLE;

    for (const ADDRINFOEXW *entry = disk->nbd.lookup->list; entry != NULL; entry = entry->ai_next) {
        struct wsk_limit share;

        if (!is_usable(entry)) {
            continue;
        }
        share = wsk_limit_in(wsk_limit_left_ms(limit) / untried--, limit->interrupt);
        RtlZeroMemory(peer, sizeof *peer);
        RtlCopyMemory(peer, entry->ai_addr, min(entry->ai_addrlen, sizeof *peer));
        status = connect_one(connection, peer, &share);
        if (NT_SUCCESS(status) || status == STATUS_CANCELLED) {
            break;
        }
    }
    return NT_SUCCESS(status) ? STATUS_SUCCESS : explain_connect(disk, status);
}

static NTSTATUS claim(struct disk *disk, const SOCKADDR_STORAGE *peer)
{
    CHAR other[WNBD_MAX_NAME_LENGTH];

    if (disk_claim_export(disk, peer, other)) {
        return STATUS_SUCCESS;
    }
    return nbd_fail(disk, STATUS_SHARING_VIOLATION,
                    "the export '%s' of the server %s port %u is mapped already as '%s'", server_of(disk)->ExportName,
                    server_of(disk)->Hostname, server_of(disk)->PortNumber, other);
}

/* How many connections there are to be: as many as were asked for, if the server says that they see the same data. */
static uint32_t connections_of(const struct disk *disk, const struct nbd_export *export)
{
    uint32_t asked = server_of(disk)->Connections;

    if ((export->flags & NBD_FLAG_CAN_MULTI_CONN) == 0) {
        return 1;
    }
    return asked != 0 ? asked : WNBD_DEFAULT_CONNECTIONS;
}

static NTSTATUS connect_within(struct nbd_connection *connection, const struct wsk_limit *limit)
{
    struct disk *disk = connection->disk;
    struct nbd_export export;
    SOCKADDR_STORAGE peer;
    NTSTATUS status = resolve(disk, limit);

    if (NT_SUCCESS(status)) {
        status = connect_any(connection, limit, &peer);
    }
    if (NT_SUCCESS(status)) {
        status = nbd_negotiate(connection, limit, &export);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = nbd_adopt(disk, &export);
    if (NT_SUCCESS(status)) {
        status = claim(disk, &peer);
    }
    if (!NT_SUCCESS(status)) {
        nbd_say_goodbye(connection);
        return status;
    }
    nbd_allocate_more(disk, connections_of(disk, &export));
    disk->nbd.wanted = disk->nbd.count;
    disk->properties.NbdProperties.Connections = disk->nbd.wanted;
    return STATUS_SUCCESS;
}

NTSTATUS nbd_connect(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct nbd_connection *first = nbd->connections[0];
    struct wsk_limit limit = wsk_limit_in((ULONG)driver_options.connect_timeout_ms, &disk->stop);
    NTSTATUS status = wsk_capture(&disk->adapter->wsk, &limit, &nbd->npi);

    if (status == STATUS_CANCELLED) {
        return nbd_fail_cancelled(disk);
    }
    if (!NT_SUCCESS(status)) {
        return nbd_fail(disk, status, "the network of this machine is not ready");
    }
    nbd->captured = true;
    first->restarts = disk->adapter->restarts;
    status = connect_within(first, &limit);
    if (!NT_SUCCESS(status)) {
        drop_socket(first);
    }
    return status;
}

/* ---- Again ---- */

struct nbd_connection *nbd_missing(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct nbd_connection *missing = NULL;
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    for (uint32_t i = 0; i < nbd->count && nbd->present < nbd->wanted && missing == NULL; i++) {
        missing = nbd->connections[i]->state == NBD_ABSENT ? nbd->connections[i] : NULL;
    }
    KeReleaseInStackQueuedSpinLock(&handle);
    return missing;
}

/* Where the server was last; half of the time, so that there is some left to ask for its name. */
static NTSTATUS connect_known(struct nbd_connection *connection, const struct wsk_limit *limit, SOCKADDR_STORAGE *peer)
{
    struct wsk_limit half = wsk_limit_in(wsk_limit_left_ms(limit) / 2, limit->interrupt);

    *peer = connection->disk->peer; /* nobody else writes it */
    return connect_one(connection, peer, &half);
}

/* Where its name leads to now. */
static NTSTATUS connect_anew(struct nbd_connection *connection, const struct wsk_limit *limit, SOCKADDR_STORAGE *peer)
{
    struct disk *disk = connection->disk;
    NTSTATUS status;

    wsk_lookup_recall(&disk->nbd.npi, disk->nbd.lookup); /* the last look-up's answer */
    status = resolve(disk, limit);
    return NT_SUCCESS(status) ? connect_any(connection, limit, peer) : status;
}

/* A connection beside others goes to the server that they go to: another one behind the same name does not see what is
 * written over them, whatever it says of several connections. */
static NTSTATUS connect_where_it_is(struct nbd_connection *connection, const struct wsk_limit *limit,
                                    SOCKADDR_STORAGE *peer)
{
    NTSTATUS status = connect_known(connection, limit, peer);

    if (NT_SUCCESS(status) || status == STATUS_CANCELLED) {
        return status;
    }
    return nbd_is_open(connection->disk) ? explain_connect(connection->disk, status)
                                         : connect_anew(connection, limit, peer);
}

/* Whether the server, which may be another one by now, takes this connection beside others. */
static NTSTATUS check_beside(struct disk *disk, const struct nbd_export *export)
{
    bool several = (export->flags & NBD_FLAG_CAN_MULTI_CONN) != 0;

    disk->nbd.wanted = several ? disk->nbd.count : 1;
    if (several || !nbd_is_open(disk)) {
        return STATUS_SUCCESS;
    }
    return nbd_fail(disk, STATUS_NOT_SUPPORTED, "the server does not take several connections any more");
}

static NTSTATUS connect_again_within(struct nbd_connection *connection, const struct wsk_limit *limit)
{
    struct disk *disk = connection->disk;
    struct nbd_export export;
    SOCKADDR_STORAGE peer;
    NTSTATUS status = connect_where_it_is(connection, limit, &peer);

    if (NT_SUCCESS(status)) {
        status = nbd_negotiate(connection, limit, &export);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = check_beside(disk, &export);
    if (NT_SUCCESS(status)) {
        status = nbd_recognize(disk, &export);
    }
    if (!NT_SUCCESS(status)) {
        nbd_say_goodbye(connection);
        return status;
    }
    disk_moved(disk, &peer);
    return STATUS_SUCCESS;
}

NTSTATUS nbd_connect_again(struct nbd_connection *connection, ULONG timeout_ms, PKEVENT interrupt)
{
    struct disk *disk = connection->disk;
    struct wsk_limit limit = wsk_limit_in(timeout_ms, interrupt);
    NTSTATUS status;

    connection->restarts = disk->adapter->restarts;
    status = connect_again_within(connection, &limit);
    if (!NT_SUCCESS(status)) {
        drop_socket(connection);
    }
    return status;
}

void nbd_disconnected(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;

    if (nbd->captured) {
        wsk_lookup_recall(&nbd->npi, nbd->lookup);
        wsk_release(&disk->adapter->wsk);
        nbd->captured = false;
    }
}
