/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a command that needs storage to requests for a backend, and from a backend's answer to sense.
 *
 * A READ, WRITE or SYNCHRONIZE CACHE is one request. An UNMAP is a list of ranges and becomes one request after another:
 *
 *     storage_begin --> STORAGE_REQUEST --> (backend) --> storage_next --> STORAGE_REQUEST --> ... --> STORAGE_DONE
 */
#ifndef WNBD_CORE_SCSI_STORAGE_H
#define WNBD_CORE_SCSI_STORAGE_H

#include "core/io/request.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"
#include "core/scsi/emulate.h"

enum storage_step {
    STORAGE_REQUEST, /* the request is filled: carry it out, then ask for the next */
    STORAGE_DONE,    /* nothing (more) to do: the command succeeded */
    STORAGE_REFUSED, /* the command failed before it began: the sense says why */
};

/* A command under way. Kept in the SRB's extension; fixed size, no pointers but the borrowed one. */
struct storage_command {
    struct io_request request; /* what the backend is to do now */
    uint32_t data_length;      /* READ, WRITE: bytes the command transfers */
    uint32_t block_size;
    const uint8_t *descriptors; /* UNMAP: the block descriptors that are left; borrowed until the command has ended */
    uint32_t descriptors_left;
    uint64_t range_offset; /* UNMAP: what is left of the range in hand, in bytes */
    uint64_t range_length;
};

/*
 * Checks `command` against the disk and begins it. `data_length` is what the initiator transfers (the SRB's data transfer
 * length): a READ or WRITE whose blocks do not fit it is refused with 05/24. `parameters` are the data of an UNMAP, which
 * must stay as they are until the command has ended (the driver copies them first if they can change); NULL for all else.
 *
 * Refused: 05/21 past the end (information: the first LBA that is), 07/27 a write to a read-only disk, 05/24 and 05/26
 * fields, 05/20 UNMAP where the disk has none, 05/1A a parameter list that is cut short.
 * A command of 0 blocks, an UNMAP of 0 descriptors and SYNCHRONIZE CACHE on a disk without a cache are done at once.
 * FUA is dropped in silence where the disk has none.
 */
enum storage_step storage_begin(struct storage_command *storage, const struct scsi_device *device,
                                const struct scsi_command *command, const uint8_t *parameters, uint32_t data_length,
                                struct scsi_sense *sense);

/* After the backend carried out storage->request: the next one, or STORAGE_DONE. Never STORAGE_REFUSED. */
enum storage_step storage_next(struct storage_command *storage);

/* Largest IO_TRIM request: the largest multiple of 4096 that a 32-bit length holds. */
#define STORAGE_TRIM_MAX 0xFFFFF000u

#endif
