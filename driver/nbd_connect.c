/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a server's name to a connection in the transmission phase, on the disk's thread. */
#include "driver/nbd.h"

#include "driver/disk.h"
#include "driver/identity.h"
#include "driver/log.h"
#include "driver/text.h"

#include "core/nbd/export.h"
#include "core/nbd/wire.h"

#define PHYSICAL_BLOCK_MAX 4096

/* Notes why connecting failed, a clause for people, and answers `status`. */
__attribute__((format(printf, 3, 4))) static NTSTATUS fail(struct disk *disk, NTSTATUS status, const char *format, ...)
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

static NTSTATUS fail_cancelled(struct disk *disk)
{
    return fail(disk, STATUS_CANCELLED, "the mapping was given up before it was ready");
}

static NTSTATUS fail_timeout(struct disk *disk, const char *what)
{
    const NBD_CONNECTION_PROPERTIES *server = server_of(disk);
    ULONG milliseconds = disk->adapter->options.connect_timeout_ms;

    return fail(disk, STATUS_IO_TIMEOUT, "the server %s port %u did not %s within %lu ms", server->Hostname,
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
        return fail_cancelled(disk);
    }
    if (status == STATUS_IO_TIMEOUT) {
        return fail(disk, status, "the name '%s' could not be looked up within %lu ms", server->Hostname,
                    disk->adapter->options.connect_timeout_ms);
    }
    log_print(LOG_WARNING, "%s: looking '%s' up failed with status 0x%08lx", disk->properties.InstanceName,
              server->Hostname, status);
    return fail(disk, STATUS_BAD_NETWORK_PATH, "there is no host named '%s'", server->Hostname);
}

static NTSTATUS explain_connect(struct disk *disk, NTSTATUS status)
{
    const NBD_CONNECTION_PROPERTIES *server = server_of(disk);

    switch (status) {
    case STATUS_CONNECTION_REFUSED:
        return fail(disk, status, "the server %s port %u refused the connection", server->Hostname, server->PortNumber);
    case STATUS_NETWORK_UNREACHABLE:
        return fail(disk, status, "there is no route to the network of the server %s", server->Hostname);
    case STATUS_HOST_UNREACHABLE:
        return fail(disk, status, "there is no route to the server %s", server->Hostname);
    case STATUS_CANCELLED:
        return fail_cancelled(disk);
    case STATUS_IO_TIMEOUT:
    case STATUS_TIMEOUT:
        return fail_timeout(disk, "answer the connection");
    default:
        return fail(disk, status, "connecting to the server %s port %u failed with status 0x%08lx", server->Hostname,
                    server->PortNumber, status);
    }
}

static void drop_socket(struct nbd_backend *nbd)
{
    if (nbd->socket != NULL) {
        wsk_close(nbd->socket, &nbd->close_call);
        wsk_call_recall(&nbd->call);
        nbd->socket = NULL;
    }
}

static NTSTATUS connect_one(struct nbd_backend *nbd, const ADDRINFOEXW *entry, const struct wsk_limit *limit,
                            SOCKADDR_STORAGE *peer)
{
    NTSTATUS status;

    RtlZeroMemory(peer, sizeof *peer);
    RtlCopyMemory(peer, entry->ai_addr, min(entry->ai_addrlen, sizeof *peer));
    status = wsk_open(&nbd->npi, &nbd->call, peer->ss_family, limit, &nbd->socket);
    if (NT_SUCCESS(status)) {
        status = wsk_connect(nbd->socket, &nbd->call, peer, limit);
    }
    if (!NT_SUCCESS(status)) {
        drop_socket(nbd);
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
static NTSTATUS connect_any(struct disk *disk, const struct wsk_limit *limit, SOCKADDR_STORAGE *peer)
{
    struct nbd_backend *nbd = &disk->nbd;
    ULONG untried = count_usable(nbd->lookup->list);
    NTSTATUS status = STATUS_HOST_UNREACHABLE;

    for (const ADDRINFOEXW *entry = nbd->lookup->list; entry != NULL; entry = entry->ai_next) {
        struct wsk_limit share;

        if (!is_usable(entry)) {
            continue;
        }
        share = wsk_limit_in(wsk_limit_left_ms(limit) / untried--, limit->interrupt);
        status = connect_one(nbd, entry, &share, peer);
        if (NT_SUCCESS(status) || status == STATUS_CANCELLED) {
            break;
        }
    }
    return NT_SUCCESS(status) ? STATUS_SUCCESS : explain_connect(disk, status);
}

/* ---- Handshake ---- */

static NTSTATUS handshake_status(enum nbd_handshake_failure failure)
{
    switch (failure) {
    case NBD_HANDSHAKE_NO_FAILURE:
        return STATUS_SUCCESS;
    case NBD_HANDSHAKE_NOT_NBD:
    case NBD_HANDSHAKE_BROKEN:
        return STATUS_INVALID_NETWORK_RESPONSE;
    case NBD_HANDSHAKE_OLDSTYLE:
        return STATUS_NOT_SUPPORTED;
    case NBD_HANDSHAKE_UNKNOWN_EXPORT:
        return STATUS_BAD_NETWORK_NAME;
    case NBD_HANDSHAKE_TLS_REQUIRED:
    case NBD_HANDSHAKE_POLICY:
        return STATUS_ACCESS_DENIED;
    case NBD_HANDSHAKE_SHUTDOWN:
    case NBD_HANDSHAKE_REFUSED:
        return STATUS_CONNECTION_REFUSED;
    case NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED:
        return STATUS_INVALID_PARAMETER;
    case NBD_HANDSHAKE_CLOSED:
        return STATUS_CONNECTION_DISCONNECTED;
    }
    return STATUS_INVALID_NETWORK_RESPONSE;
}

/* One step's bytes over the wire. A connection that ends is the handshake's business; success then. */
static NTSTATUS transfer(struct nbd_backend *nbd, enum nbd_handshake_step step, const uint8_t *bytes, size_t length,
                         const struct wsk_limit *limit)
{
    ULONG offset = (ULONG)(bytes - (uint8_t *)nbd->handshake);
    NTSTATUS status;

    if (step == NBD_HANDSHAKE_SEND) {
        status = wsk_send_all(nbd->socket, &nbd->call, nbd->handshake_mdl, offset, length, limit);
    } else {
        status = wsk_receive_all(nbd->socket, &nbd->call, nbd->handshake_mdl, offset, length, limit);
    }
    if (NT_SUCCESS(status)) {
        nbd_handshake_advance(nbd->handshake);
        return STATUS_SUCCESS;
    }
    if (nbd->call.out) {
        return status; /* time-out or cancelled */
    }
    nbd_handshake_closed(nbd->handshake);
    return STATUS_SUCCESS;
}

static NTSTATUS handshake(struct disk *disk, const struct wsk_limit *limit)
{
    struct nbd_backend *nbd = &disk->nbd;
    const char *name = server_of(disk)->ExportName;
    NTSTATUS status = STATUS_SUCCESS;
    uint8_t *bytes;
    size_t length;

    nbd_handshake_init(nbd->handshake, name, text_length(name, NBD_EXPORT_NAME_MAX));
    while (NT_SUCCESS(status)) {
        enum nbd_handshake_step step = nbd_handshake_step(nbd->handshake, &bytes, &length);

        switch (step) {
        case NBD_HANDSHAKE_SEND:
        case NBD_HANDSHAKE_RECEIVE:
            status = transfer(nbd, step, bytes, length, limit);
            break;
        case NBD_HANDSHAKE_DONE:
            return STATUS_SUCCESS;
        case NBD_HANDSHAKE_FAILED:
            nbd_handshake_describe(nbd->handshake, disk->message, sizeof disk->message);
            return handshake_status(nbd->handshake->failure);
        }
    }
    return status == STATUS_CANCELLED ? fail_cancelled(disk) : fail_timeout(disk, "complete the NBD handshake");
}

/* ---- What the disk is ---- */

static NTSTATUS geometry_status(enum nbd_geometry_problem problem)
{
    switch (problem) {
    case NBD_GEOMETRY_OK:
        return STATUS_SUCCESS;
    case NBD_GEOMETRY_TOO_SMALL:
    case NBD_GEOMETRY_TOO_LARGE:
        return STATUS_UNRECOGNIZED_MEDIA;
    case NBD_GEOMETRY_BLOCK_SIZE_REQUIRED:
    case NBD_GEOMETRY_MINIMUM_TOO_LARGE:
    case NBD_GEOMETRY_BLOCK_SIZE_INVALID:
    case NBD_GEOMETRY_MAXIMUM_TOO_SMALL:
        return STATUS_INVALID_PARAMETER;
    case NBD_GEOMETRY_BLOCK_SIZES_BROKEN:
    case NBD_GEOMETRY_FLAGS_BROKEN:
        return STATUS_INVALID_NETWORK_RESPONSE;
    }
    return STATUS_INVALID_NETWORK_RESPONSE;
}

static uint8_t physical_exponent(uint32_t preferred, uint32_t block_size)
{
    uint8_t exponent = 0;

    preferred = min(preferred, PHYSICAL_BLOCK_MAX);
    while (exponent < 15 && (block_size << (exponent + 1)) <= preferred) {
        exponent++;
    }
    return exponent;
}

static void set_limits(struct scsi_device *device, const struct nbd_export *export, const struct nbd_geometry *geometry)
{
    device->physical_block_exponent = physical_exponent(export->preferred_block, device->block_size);
    device->max_transfer_blocks = min(RECORD_DATA_MAX, geometry->maximum_length) / device->block_size;
    device->max_unmap_blocks = UINT32_MAX;
    device->max_unmap_descriptors = RECORD_UNMAP_DESCRIPTORS;
    device->unmap_granularity_blocks = export->preferred_block / device->block_size;
}

/* From what the server says (or, without a handshake, the caller) to what SCSI shows. */
static void set_device(struct disk *disk, const struct nbd_export *export, const struct nbd_geometry *geometry)
{
    struct scsi_device *device = &disk->device;

    device->block_count = geometry->block_count;
    device->block_size = geometry->block_size;
    device->read_only = disk->properties.Flags.ReadOnly || (export->flags & NBD_FLAG_READ_ONLY) != 0;
    device->write_cache = (export->flags & NBD_FLAG_SEND_FLUSH) != 0;
    device->fua = (export->flags & NBD_FLAG_SEND_FUA) != 0;
    device->unmap = (export->flags & NBD_FLAG_SEND_TRIM) != 0 && !device->read_only;
    device->rotational = (export->flags & NBD_FLAG_ROTATIONAL) != 0;
    set_limits(device, export, geometry);
    identity_set(device, &disk->properties);
}

/* What show and list report. */
static void set_properties(struct disk *disk)
{
    WNBD_PROPERTIES *properties = &disk->properties;
    const struct scsi_device *device = &disk->device;

    properties->BlockCount = device->block_count;
    properties->BlockSize = device->block_size;
    properties->Flags.ReadOnly = device->read_only;
    properties->Flags.FlushSupported = device->write_cache;
    properties->Flags.FUASupported = device->fua;
    properties->Flags.UnmapSupported = device->unmap;
    properties->MaxUnmapDescCount = device->max_unmap_descriptors;
}

/* Without a handshake the caller says what the export is. */
static struct nbd_export export_of_caller(const WNBD_PROPERTIES *properties)
{
    uint16_t flags = 0;

    flags |= properties->Flags.ReadOnly ? NBD_FLAG_READ_ONLY : 0;
    flags |= properties->Flags.FlushSupported ? NBD_FLAG_SEND_FLUSH : 0;
    flags |= properties->Flags.FUASupported ? NBD_FLAG_SEND_FUA : 0;
    flags |= properties->Flags.UnmapSupported ? NBD_FLAG_SEND_TRIM : 0;
    /* That the product fits was checked when the command came. */
    return nbd_export_assumed(properties->BlockCount * properties->BlockSize, flags);
}

static NTSTATUS negotiate(struct disk *disk, const struct wsk_limit *limit)
{
    const WNBD_PROPERTIES *properties = &disk->properties;
    enum nbd_geometry_problem problem;
    struct nbd_geometry geometry;
    struct nbd_export export;

    if (server_of(disk)->Flags.SkipNegotiation) {
        export = export_of_caller(properties);
    } else {
        NTSTATUS status = handshake(disk, limit);

        if (!NT_SUCCESS(status)) {
            return status;
        }
        export = disk->nbd.handshake->server_export;
    }
    problem = nbd_export_geometry(&export, properties->BlockSize, &geometry);
    if (problem != NBD_GEOMETRY_OK) {
        return fail(disk, geometry_status(problem), "%s (the export has %llu bytes, the server's smallest block %u)",
                    nbd_geometry_problem_text(problem), export.size, export.minimum_block);
    }
    set_device(disk, &export, &geometry);
    set_properties(disk);
    return STATUS_SUCCESS;
}

static NTSTATUS claim(struct disk *disk, const SOCKADDR_STORAGE *peer)
{
    CHAR other[WNBD_MAX_NAME_LENGTH];

    if (disk_claim_export(disk, peer, other)) {
        return STATUS_SUCCESS;
    }
    return fail(disk, STATUS_SHARING_VIOLATION, "the export '%s' of the server %s port %u is mapped already as '%s'",
                server_of(disk)->ExportName, server_of(disk)->Hostname, server_of(disk)->PortNumber, other);
}

static NTSTATUS connect_within(struct disk *disk, const struct wsk_limit *limit)
{
    SOCKADDR_STORAGE peer;
    NTSTATUS status = resolve(disk, limit);

    if (NT_SUCCESS(status)) {
        status = connect_any(disk, limit, &peer);
    }
    if (NT_SUCCESS(status)) {
        status = negotiate(disk, limit);
    }
    if (NT_SUCCESS(status)) {
        status = claim(disk, &peer);
    }
    return status;
}

NTSTATUS nbd_connect(struct disk *disk)
{
    struct nbd_backend *nbd = &disk->nbd;
    struct wsk_limit limit = wsk_limit_in(disk->adapter->options.connect_timeout_ms, &disk->stop);
    NTSTATUS status = wsk_capture(&disk->adapter->wsk, &limit, &nbd->npi);

    if (!NT_SUCCESS(status)) {
        return fail(disk, status, "the network of this machine is not ready");
    }
    nbd->captured = true;
    status = connect_within(disk, &limit);
    if (!NT_SUCCESS(status)) {
        drop_socket(nbd);
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
