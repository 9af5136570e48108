/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/wire.h"

#include <stddef.h>

/*
 * What each error becomes, by operation, and why. An entry that is all zero means internal_failure below. Caching and
 * block status fail as a read does and writing zeroes as a write does: all of them reach the storage in that direction.
 *
 * - EPERM: "Error values" has it for a write or trim to a read-only export; Windows then shows a write-protected disk.
 * - EIO: the medium, in the direction of the request. A flush or trim that fails has lost or not changed data on the
 *   way to the medium: a write error.
 * - ENOMEM: a shortage that passes. ABORTED COMMAND asks the initiator to try again (SPC-4, table 55).
 * - ENOSPC: thinly provisioned storage ran full (SBC-3, resource exhaustion). A flush fails so too when the server
 *   allocates late.
 * - ENOTSUP: only a trim can be unsupported and yet sent; UNMAP is then an unknown command of this disk and need not be
 *   tried again. The others are refused by a server that offered them; "not faster than writing"
 * (NBD_CMD_FLAG_FAST_ZERO) is never asked.
 * - ESHUTDOWN: the server goes down; it may come back. NOT READY, becoming ready, is retried after a pause.
 *
 * EINVAL is not "invalid field in CDB", whatever its name says: servers also send it for every errno of their storage
 * that has no NBD number, so it may be a time-out or a stale file just as well, and our requests have been checked
 * against the export's size and block sizes. ILLEGAL REQUEST would moreover be read as "this disk has no such command";
 * for a flush that means data that nobody knows to be lost. Only a trim, which is a hint, is refused that way.
 * EOVERFLOW is not sent to a client without NBD_CMD_FLAG_DF. A client should treat any other value as EINVAL.
 */
struct error_row {
    uint32_t error;
    struct scsi_sense read;  /* and IO_CACHE, IO_BLOCK_STATUS */
    struct scsi_sense write; /* and IO_WRITE_ZEROES */
    struct scsi_sense flush;
    struct scsi_sense trim;
};

#define SENSE(key_, asc_) {.key = (key_), .asc = (uint8_t)((asc_) >> 8), .ascq = (uint8_t)((asc_) & 0xFF)}
#define NONE              {.key = SENSE_KEY_NO_SENSE}
#define READ_ERROR        SENSE(SENSE_KEY_MEDIUM_ERROR, ASC_UNRECOVERED_READ_ERROR)
#define WRITE_ERROR       SENSE(SENSE_KEY_MEDIUM_ERROR, ASC_WRITE_ERROR)
#define WRITE_PROTECTED   SENSE(SENSE_KEY_DATA_PROTECT, ASC_WRITE_PROTECTED)
#define NO_SPACE          SENSE(SENSE_KEY_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED)
#define TRY_AGAIN         SENSE(SENSE_KEY_ABORTED_COMMAND, ASC_INSUFFICIENT_RESOURCES)
#define COMING_BACK       SENSE(SENSE_KEY_NOT_READY, ASC_NOT_READY_BECOMING_READY)
#define UNKNOWN_COMMAND   SENSE(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_COMMAND_OPERATION_CODE)
#define INVALID_FIELD     SENSE(SENSE_KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB)

static const struct scsi_sense internal_failure = SENSE(SENSE_KEY_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);

/* clang-format off */
static const struct error_row rows[] = {
    /* error          read         write            flush        trim            */
    {NBD_EPERM,     NONE,        WRITE_PROTECTED, NONE,        WRITE_PROTECTED},
    {NBD_EIO,       READ_ERROR,  WRITE_ERROR,     WRITE_ERROR, WRITE_ERROR},
    {NBD_ENOMEM,    TRY_AGAIN,   TRY_AGAIN,       TRY_AGAIN,   TRY_AGAIN},
    {NBD_ENOSPC,    NONE,        NO_SPACE,        NO_SPACE,    NO_SPACE},
    {NBD_ENOTSUP,   NONE,        NONE,            NONE,        UNKNOWN_COMMAND},
    {NBD_ESHUTDOWN, COMING_BACK, COMING_BACK,     COMING_BACK, COMING_BACK},
    {NBD_EINVAL,    NONE,        NONE,            NONE,        INVALID_FIELD}, /* the last one: also what is unknown */
};
/* clang-format on */

#define ROWS (sizeof rows / sizeof rows[0])

static const struct error_row *find_row(uint32_t error)
{
    size_t i = 0;

    while (i < ROWS - 1 && rows[i].error != error) {
        i++;
    }
    return &rows[i];
}

struct scsi_sense nbd_error_sense(uint32_t error, const struct io_request *request)
{
    const struct error_row *row = find_row(error);
    struct scsi_sense sense = internal_failure;

    switch (request->operation) {
    case IO_READ:
    case IO_CACHE:
    case IO_BLOCK_STATUS:
        sense = row->read;
        break;
    case IO_WRITE:
    case IO_WRITE_ZEROES:
        sense = row->write;
        break;
    case IO_FLUSH:
        sense = row->flush;
        break;
    case IO_TRIM:
        sense = row->trim;
        break;
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT: /* not sent */
        break;
    }
    return sense.key == SENSE_KEY_NO_SENSE ? internal_failure : sense;
}

struct scsi_sense nbd_error_sense_at(uint32_t error, const struct io_request *request, uint64_t offset,
                                     uint32_t block_size)
{
    struct scsi_sense sense = nbd_error_sense(error, request);

    if (sense.key == SENSE_KEY_ILLEGAL_REQUEST || offset < request->offset ||
        offset - request->offset >= request->length) {
        return sense;
    }
    sense.information_valid = true;
    sense.information = offset / block_size;
    return sense;
}

const char *nbd_error_text(uint32_t error)
{
    switch (error) {
    case NBD_EPERM:
        return "operation not permitted";
    case NBD_EIO:
        return "input/output error";
    case NBD_ENOMEM:
        return "out of memory";
    case NBD_EINVAL:
        return "invalid argument";
    case NBD_ENOSPC:
        return "no space left";
    case NBD_EOVERFLOW:
        return "value too large";
    case NBD_ENOTSUP:
        return "operation not supported";
    case NBD_ESHUTDOWN:
        return "the server is shutting down";
    }
    return "unknown error";
}
