/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake over a fresh connection, and what the disk is after it. */
#include "driver/nbd.h"

#include "driver/disk.h"
#include "driver/identity.h"
#include "driver/log.h"
#include "driver/text.h"

#include "core/nbd/export.h"
#include "core/nbd/wire.h"

#define PHYSICAL_BLOCK_MAX 4096 /* Windows aligns to no more unless it is told to */

static const NBD_CONNECTION_PROPERTIES *server_of(const struct disk *disk)
{
    return &disk->properties.NbdProperties;
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
    case NBD_HANDSHAKE_NOT_FIXED:
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
static NTSTATUS transfer(struct nbd_connection *connection, enum nbd_handshake_step step, const uint8_t *bytes,
                         size_t length, const struct wsk_limit *limit)
{
    ULONG offset = (ULONG)(bytes - (uint8_t *)connection->handshake);
    NTSTATUS status;

    if (step == NBD_HANDSHAKE_SEND) {
        status = wsk_send_all(connection->socket, &connection->call, connection->handshake_mdl, offset, length, limit);
    } else {
        status =
            wsk_receive_all(connection->socket, &connection->call, connection->handshake_mdl, offset, length, limit);
    }
    if (NT_SUCCESS(status)) {
        nbd_handshake_advance(connection->handshake);
        return STATUS_SUCCESS;
    }
    if (connection->call.out) {
        return status; /* time-out or cancelled */
    }
    nbd_handshake_closed(connection->handshake);
    return STATUS_SUCCESS;
}

static NTSTATUS handshake(struct nbd_connection *connection, const struct wsk_limit *limit)
{
    struct disk *disk = connection->disk;
    const char *name = server_of(disk)->ExportName;
    NTSTATUS status = STATUS_SUCCESS;
    uint8_t *bytes;
    size_t length;

    nbd_handshake_init(connection->handshake, name, text_length(name, NBD_EXPORT_NAME_MAX));
    while (NT_SUCCESS(status)) {
        enum nbd_handshake_step step = nbd_handshake_step(connection->handshake, &bytes, &length);

        switch (step) {
        case NBD_HANDSHAKE_SEND:
        case NBD_HANDSHAKE_RECEIVE:
            status = transfer(connection, step, bytes, length, limit);
            break;
        case NBD_HANDSHAKE_ENTRY: /* of a list, which was not asked for */
        case NBD_HANDSHAKE_DONE:
            return STATUS_SUCCESS;
        case NBD_HANDSHAKE_FAILED:
            nbd_handshake_describe(connection->handshake, disk->message, sizeof disk->message);
            return handshake_status(connection->handshake->failure);
        }
    }
    return status == STATUS_CANCELLED ? nbd_fail_cancelled(disk) : nbd_fail_timeout(disk, "complete the NBD handshake");
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

/* As the caller wants it, else as the server prefers. */
static uint8_t physical_exponent(const WNBD_PROPERTIES *properties, uint32_t preferred, uint32_t block_size)
{
    uint32_t bytes = properties->PhysicalBlockSize;

    return device_exponent(bytes != 0 ? bytes : min(preferred, PHYSICAL_BLOCK_MAX), block_size);
}

/* A server that prefers no more than a physical block has said it with that; 4096 is also what one says that does not
 * care, and an optimal transfer length that small would make initiators send small requests. */
static uint32_t optimal_transfer(const struct nbd_export *export, uint32_t block_size)
{
    return export->preferred_block > PHYSICAL_BLOCK_MAX ? min(export->preferred_block, RECORD_DATA_MAX) / block_size
                                                        : 0;
}

static void set_limits(struct scsi_device *device, const struct nbd_export *export, const struct nbd_geometry *geometry)
{
    device->max_transfer_blocks = RECORD_DATA_MAX / device->block_size;
    device->optimal_transfer_blocks = optimal_transfer(export, device->block_size);
    device->max_request_blocks = geometry->maximum_length / device->block_size;
    device->max_write_same_blocks = RECORD_WRITE_SAME_MAX / device->block_size;
    device->max_unmap_blocks = UINT32_MAX;
    device->max_unmap_descriptors = RECORD_UNMAP_DESCRIPTORS;
    device->unmap_granularity_blocks = export->preferred_block / device->block_size;
}

/* From what the server says (or, without a handshake, the caller) to what SCSI shows. */
static void set_device(struct disk *disk, const struct nbd_export *export, const struct nbd_geometry *geometry)
{
    struct scsi_device *device = &disk->device;

    device_resize(device, geometry->block_count);
    device->block_size = geometry->block_size;
    device->read_only = disk->properties.Flags.ReadOnly || (export->flags & NBD_FLAG_READ_ONLY) != 0;
    device->write_cache = (export->flags & NBD_FLAG_SEND_FLUSH) != 0;
    device->fua_by_flush = device->write_cache && (export->flags & NBD_FLAG_SEND_FUA) == 0;
    device->fua = device->fua_by_flush || (export->flags & NBD_FLAG_SEND_FUA) != 0;
    device->unmap = (export->flags & NBD_FLAG_SEND_TRIM) != 0;
    device->write_zeroes = (export->flags & NBD_FLAG_SEND_WRITE_ZEROES) != 0;
    device->cache = (export->flags & NBD_FLAG_SEND_CACHE) != 0;
    device->block_status = export->block_status;
    device->threshold_exponent = export->block_status ? device_threshold_exponent(geometry->block_count) : 0;
    device->rotational = (export->flags & NBD_FLAG_ROTATIONAL) != 0;
    device->physical_block_exponent = physical_exponent(&disk->properties, export->preferred_block, device->block_size);
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
    properties->PhysicalBlockSize = device->block_size << device->physical_block_exponent;
    properties->Flags.ReadOnly = device->read_only;
    properties->Flags.FlushSupported = device->write_cache;
    properties->Flags.FUASupported = device->fua && !device->fua_by_flush; /* the server's; see export_of_caller */
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
    flags |= properties->NbdProperties.Connections > 1 ? NBD_FLAG_CAN_MULTI_CONN : 0; /* who asks for it knows */
    /* That the product fits was checked when the command came. */
    return nbd_export_assumed(properties->BlockCount * properties->BlockSize, flags);
}

NTSTATUS nbd_negotiate(struct nbd_connection *connection, const struct wsk_limit *limit, struct nbd_export *export)
{
    struct disk *disk = connection->disk;
    NTSTATUS status;

    if (server_of(disk)->Flags.SkipNegotiation) {
        RtlZeroMemory(&connection->terms, sizeof connection->terms);
        *export = export_of_caller(&disk->properties);
        return STATUS_SUCCESS;
    }
    status = handshake(connection, limit);
    connection->terms = connection->handshake->terms;
    *export = connection->handshake->server_export;
    export->block_status = connection->terms.block_status;
    return status;
}

NTSTATUS nbd_adopt(struct disk *disk, const struct nbd_export *export)
{
    enum nbd_geometry_problem problem;
    struct nbd_geometry geometry;

    problem = nbd_export_geometry(export, disk->properties.BlockSize, &geometry);
    if (problem != NBD_GEOMETRY_OK) {
        return nbd_fail(disk, geometry_status(problem),
                        "%s (the export has %llu bytes, the server's smallest block %u)",
                        nbd_geometry_problem_text(problem), export->size, export->minimum_block);
    }
    set_device(disk, export, &geometry);
    set_properties(disk);
    disk->nbd.export = *export;
    return STATUS_SUCCESS;
}

/* Servers tell a size to each connection once: those that are open know the old one alone. */
static void renew_others(struct disk *disk)
{
    KLOCK_QUEUE_HANDLE handle;

    KeAcquireInStackQueuedSpinLock(&disk->lock, &handle);
    nbd_break_off_all_locked(disk, "the export has grown");
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* The size of the export that is recognized otherwise. */
static NTSTATUS grow(struct disk *disk, const struct nbd_export *export)
{
    enum nbd_geometry_problem problem;
    struct nbd_geometry geometry;

    problem = nbd_export_geometry(export, disk->device.block_size, &geometry);
    if (problem != NBD_GEOMETRY_OK) {
        return nbd_fail(disk, geometry_status(problem), "%s (%llu bytes, was %llu)", nbd_geometry_problem_text(problem),
                        export->size, disk->nbd.export.size);
    }
    log_disk(EXPORT_GREW, disk, nbd_export_change_text(NBD_EXPORT_GROWN), export->size, disk->nbd.export.size);
    disk->nbd.export.size = export->size;
    renew_others(disk);
    disk_resize(disk, geometry.block_count);
    return STATUS_SUCCESS;
}

NTSTATUS nbd_recognize(struct disk *disk, const struct nbd_export *export)
{
    const struct nbd_export *was = &disk->nbd.export;
    enum nbd_export_change change = nbd_export_compare(was, export);

    switch (change) {
    case NBD_EXPORT_SAME:
        return STATUS_SUCCESS;
    case NBD_EXPORT_GROWN:
        return grow(disk, export);
    case NBD_EXPORT_SHRUNK:
    case NBD_EXPORT_FLAGS_DIFFER:
    case NBD_EXPORT_BLOCKS_DIFFER:
        break;
    }
    return nbd_fail(disk, STATUS_REVISION_MISMATCH, "%s (%llu bytes, was %llu)", nbd_export_change_text(change),
                    export->size, was->size);
}
