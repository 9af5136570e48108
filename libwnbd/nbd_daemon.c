/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WnbdRunNbdDaemon: a disk that this process serves as the client of an NBD server. */
#include "libwnbd/keeper.h"
#include "libwnbd/log.h"
#include "libwnbd/nbd_session.h"
#include "libwnbd/nbd_sharing.h"
#include "libwnbd/served.h"

#include <string.h>

#define DISPATCHER_THREADS 2    /* one copies data while the other sends */
#define PHYSICAL_BLOCK_MAX 4096 /* Windows aligns to no more unless it is told to */
#define GOODBYE_MS         500

/* ---- Callbacks ---- */

static struct nbd_session *session_of(PWNBD_DISK disk)
{
    return disk->Context;
}

static void transfer(PWNBD_DISK disk, enum io_operation operation, WnbdRequestType type, UINT64 handle, PVOID data,
                     UINT64 block, UINT32 count, BOOLEAN through)
{
    struct io_request request = {
        .operation = operation,
        .flags = through ? IO_FUA : 0,
        .offset = block * disk->Properties.BlockSize,
        .length = count * disk->Properties.BlockSize,
        .cookie = handle,
    };

    nbd_session_take(session_of(disk), &request, type, data);
}

static VOID read(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 block, UINT32 count, BOOLEAN through)
{
    (void)through; /* NBD has it for what changes something */
    transfer(disk, IO_READ, WnbdReqTypeRead, handle, buffer, block, count, FALSE);
}

static VOID write(PWNBD_DISK disk, UINT64 handle, PVOID buffer, UINT64 block, UINT32 count, BOOLEAN through)
{
    transfer(disk, IO_WRITE, WnbdReqTypeWrite, handle, buffer, block, count, through);
}

static VOID flush(PWNBD_DISK disk, UINT64 handle, UINT64 block, UINT32 count)
{
    (void)block;
    (void)count;
    transfer(disk, IO_FLUSH, WnbdReqTypeFlush, handle, NULL, 0, 0, FALSE);
}

/* The driver gives one descriptor a request. */
static VOID unmap(PWNBD_DISK disk, UINT64 handle, PWNBD_UNMAP_DESCRIPTOR descriptors, UINT32 count)
{
    WNBD_IO_RESPONSE nothing = {.RequestHandle = handle, .RequestType = WnbdReqTypeUnmap};

    if (count == 0 || descriptors->BlockCount == 0)
        WnbdSendResponse(disk, &nothing, NULL, 0);
    else
        transfer(disk, IO_TRIM, WnbdReqTypeUnmap, handle, NULL, descriptors->BlockAddress, descriptors->BlockCount,
                 FALSE);
}

static WNBD_INTERFACE callbacks = {.Read = read, .Write = write, .Flush = flush, .Unmap = unmap};

/* What the callbacks have put in is sent when there is no more. */
static void send_taken(struct served *served)
{
    nbd_send_waiting(session_of(&served->disk), TRUE);
}

/* ---- What the disk is ---- */

static DWORD error_of(enum nbd_geometry_problem problem)
{
    switch (problem) {
    case NBD_GEOMETRY_OK:
        return ERROR_SUCCESS;
    case NBD_GEOMETRY_TOO_SMALL:
    case NBD_GEOMETRY_TOO_LARGE:
    case NBD_GEOMETRY_BLOCK_SIZE_REQUIRED:
    case NBD_GEOMETRY_MINIMUM_TOO_LARGE:
    case NBD_GEOMETRY_BLOCK_SIZE_INVALID:
    case NBD_GEOMETRY_MAXIMUM_TOO_SMALL:
        return ERROR_INVALID_PARAMETER;
    case NBD_GEOMETRY_BLOCK_SIZES_BROKEN:
    case NBD_GEOMETRY_FLAGS_BROKEN:
        break;
    }
    return ERROR_GEN_FAILURE;
}

static UINT32 physical_block(const WNBD_PROPERTIES *asked, const struct nbd_export *export, UINT32 block_size)
{
    UINT32 preferred = min(export->preferred_block, PHYSICAL_BLOCK_MAX);

    if (asked->PhysicalBlockSize != 0)
        return asked->PhysicalBlockSize;
    return max(preferred, block_size);
}

/* What the driver is asked for. */
static void describe(const WNBD_PROPERTIES *asked, const struct nbd_export *export, const struct nbd_geometry *geometry,
                     WNBD_PROPERTIES *disk)
{
    *disk = *asked;
    disk->Flags.UseKernelNbd = 0;
    disk->Flags.UseUserspaceNbd = 1;
    disk->Flags.KeepDisk = 0; /* nobody else can go on with what is with the server */
    disk->Flags.PersistResSupported = 0;
    disk->Flags.UnmapAnchorSupported = 0;
    disk->Flags.ReadOnly = asked->Flags.ReadOnly || (export->flags & NBD_FLAG_READ_ONLY) != 0;
    disk->Flags.FlushSupported = (export->flags & NBD_FLAG_SEND_FLUSH) != 0;
    disk->Flags.FUASupported = (export->flags & NBD_FLAG_SEND_FUA) != 0;
    disk->Flags.UnmapSupported = (export->flags & NBD_FLAG_SEND_TRIM) != 0;
    disk->MaxUnmapDescCount = 1;
    disk->BlockCount = geometry->block_count;
    disk->BlockSize = geometry->block_size;
    disk->PhysicalBlockSize = physical_block(asked, export, geometry->block_size);
}

/* ---- From connecting to the end ---- */

static DWORD fail(const struct nbd_session *session, DWORD error, const char *why)
{
    log_message(MESSAGE_NOT_MAPPED, "cannot map '%s': %s", session->properties.InstanceName, why);
    return error;
}

static DWORD check(const WNBD_PROPERTIES *properties)
{
    const NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;

    if (!memchr(properties->InstanceName, 0, sizeof(properties->InstanceName)) ||
        !memchr(server->Hostname, 0, sizeof(server->Hostname)) ||
        !memchr(server->ExportName, 0, sizeof(server->ExportName))) {
        log_message(MESSAGE_NOT_MAPPED, "cannot map '%.*s': a name in its properties is too long",
                    (int)sizeof(properties->InstanceName) - 1, properties->InstanceName);
        return ERROR_BUFFER_OVERFLOW;
    }
    if (properties->InstanceName[0] && server->Hostname[0] && server->PortNumber != 0 && server->PortNumber <= 65535)
        return ERROR_SUCCESS;
    log_message(MESSAGE_NOT_MAPPED, "cannot map '%s': %s", properties->InstanceName,
                !properties->InstanceName[0] ? "the disk has no name"
                : !server->Hostname[0]       ? "the name of the server is missing"
                                             : "the port number is not within 1 and 65535");
    return ERROR_INVALID_PARAMETER;
}

static DWORD check_sharing(const WNBD_PROPERTIES *properties)
{
    const NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;
    CHAR other[WNBD_MAX_NAME_LENGTH];

    if (server->Flags.Force || !nbd_is_shared(properties, other))
        return ERROR_SUCCESS;
    log_message(MESSAGE_NOT_MAPPED,
                "cannot map '%s': the export '%s' of the server %s port %u is mapped already as '%s'",
                properties->InstanceName, server->ExportName, server->Hostname, server->PortNumber, other);
    return ERROR_SHARING_VIOLATION;
}

static DWORD connect_first(struct nbd_session *session)
{
    DWORD error = nbd_link_open(&session->link, session->timeouts.connect_ms);

    return error == ERROR_SUCCESS ? error : fail(session, error, session->link.problem);
}

/* The connection is made: so is the disk, or the server is told that it was in vain. */
static DWORD create(struct nbd_session *session)
{
    struct nbd_link *link = &session->link;
    enum nbd_geometry_problem problem;
    struct nbd_geometry geometry;
    WNBD_PROPERTIES properties;
    DWORD error;

    problem = nbd_export_geometry(&link->export, session->properties.BlockSize, &geometry);
    if (problem != NBD_GEOMETRY_OK)
        return fail(session, error_of(problem), nbd_geometry_problem_text(problem));
    session->export = link->export;
    nbd_jobs_init(&session->jobs, geometry.maximum_length);
    describe(&session->properties, &link->export, &geometry, &properties);
    error = check_sharing(&properties);
    if (error == ERROR_SUCCESS)
        error = WnbdCreate(&properties, &callbacks, session, &session->disk);
    if (error == ERROR_SUCCESS)
        served_of(session->disk)->no_more = send_taken;
    return error;
}

/* Nobody writes `failure` any more: the dispatcher's threads have ended. */
static DWORD reason_of_end(struct served *served)
{
    return served->failure != ERROR_SUCCESS ? served->failure : keeper_reason(served);
}

/* Until the disk is gone, whoever removes it. */
static DWORD serve(struct nbd_session *session)
{
    struct served *served = served_of(session->disk);
    DWORD error = nbd_session_start(session);

    if (error == ERROR_SUCCESS)
        error = WnbdStartDispatcher(session->disk, DISPATCHER_THREADS);
    if (error == ERROR_SUCCESS)
        WaitForSingleObject(served->keeper.gone, INFINITE);
    nbd_session_stop(session); /* before the dispatcher's end: its threads may be sending */
    if (error == ERROR_SUCCESS)
        error = WnbdWaitDispatcher(session->disk);
    return error == ERROR_SUCCESS ? reason_of_end(served) : error;
}

static DWORD run(struct nbd_session *session)
{
    DWORD error = connect_first(session);

    if (error != ERROR_SUCCESS)
        return error;
    error = create(session);
    if (error != ERROR_SUCCESS) {
        nbd_link_leave(&session->link, FALSE, GOODBYE_MS);
        return error;
    }
    error = serve(session);
    WnbdClose(session->disk);
    return error;
}

DWORD WnbdRunNbdDaemon(const PWNBD_PROPERTIES Properties)
{
    struct nbd_session *session;
    DWORD error = Properties ? check(Properties) : ERROR_INVALID_PARAMETER;

    if (error == ERROR_SUCCESS)
        error = nbd_session_make(Properties, &session);
    if (error != ERROR_SUCCESS)
        return error;
    if (session->properties.BlockSize == 0)
        session->properties.BlockSize = WNBD_DEFAULT_BLOCK_SIZE;
    error = run(session);
    nbd_session_free(session);
    return error;
}
