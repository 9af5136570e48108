/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a command that needs storage to requests for a backend.
 *
 * A SYNCHRONIZE CACHE or PERSISTENT RESERVE is one request, and so is a READ, WRITE, WRITE SAME or PRE-FETCH unless the
 * backend takes less at once. A GET LBA STATUS is one, whose answer comes as extents (storage_extent), and a LOG SENSE
 * that counts the blocks in use as many as lead over the whole disk. An UNMAP is a list of ranges. A VERIFY flushes,
 * and with BYTCHK reads to a small buffer again and again; so does a WRITE AND VERIFY with BYTCHK when it has written.
 * A WRITE with FUA, a WRITE AND VERIFY and, when the write cache is off, every WRITE and WRITE SAME end with a flush
 * where the backend has no FUA of its own. What is more than one request becomes one after another:
 *
 *     storage_begin --> STORAGE_REQUEST --> (backend) --> storage_next --> STORAGE_REQUEST --> ... --> STORAGE_DONE
 *           |                                                  |
 *           +--> STORAGE_DONE or STORAGE_REFUSED               +--> STORAGE_REFUSED
 */
#ifndef WNBD_CORE_SCSI_STORAGE_H
#define WNBD_CORE_SCSI_STORAGE_H

#include "core/base/compiler.h"
#include "core/io/request.h"
#include "core/scsi/cdb.h"
#include "core/scsi/device.h"
#include "core/scsi/lba_status.h"
#include "core/scsi/sense.h"
#include "core/scsi/used_blocks.h"

#include <stdbool.h>
#include <stdint.h>

enum storage_step {
    STORAGE_REQUEST, /* the request is filled: carry it out, then ask for the next */
    STORAGE_DONE,    /* nothing (more) to do: the command succeeded */
    STORAGE_REFUSED, /* the command failed: the sense says why */
};

/* What of a command under way is in use. */
enum storage_kind {
    STORAGE_PLAIN,
    STORAGE_ANSWERS,         /* GET LBA STATUS: `status` */
    STORAGE_COUNTS,          /* LOG SENSE of page 0C: `count` */
    STORAGE_COMPARES,        /* VERIFY with BYTCHK, and WRITE AND VERIFY after STORAGE_WRITES_FIRST: `expected` */
    STORAGE_ZEROES,          /* WRITE SAME of zeroes where the backend has that: `same_length` */
    STORAGE_PATTERN,         /* WRITE SAME otherwise: `block`, `same_length` */
    STORAGE_WRITES_FIRST,    /* WRITE AND VERIFY with BYTCHK, until it has written: `expected` */
    STORAGE_RESERVES,        /* PERSISTENT RESERVE OUT: `reservation_data` */
    STORAGE_RESERVE_ANSWERS, /* PERSISTENT RESERVE IN: the same */
};

/* LOG SENSE of page 0C */
struct storage_count {
    uint8_t *answer;   /* borrowed until the command has ended */
    uint32_t capacity; /* bytes of it that may be written */
    uint8_t exponent;  /* a threshold set is 1 << this blocks */
    bool is_given_up;  /* the request in hand is the last */
    struct used_blocks used;
};

/* A command under way. Kept in the SRB's extension; fixed size, no pointers but those to the caller's data. */
struct storage_command {
    struct io_request request; /* what the backend is to do now */
    uint32_t data_length; /* READ, WRITE, WRITE AND VERIFY: bytes transferred; what the initiator offers can be more */
    uint32_t data_offset; /* the same: where in them the request's data begins */

    uint32_t request_max;  /* bytes of one request */
    uint64_t range_offset; /* what is left of the range in hand, in bytes */
    uint64_t range_length;
    bool ends_with_flush;      /* WRITE, WRITE AND VERIFY, WRITE SAME */
    uint8_t kind;              /* enum storage_kind */
    uint16_t descriptors_left; /* UNMAP */

    /* VERIFY and WRITE AND VERIFY with BYTCHK alone */
    uint8_t *compare; /* STORAGE_COMPARE_MAX bytes: set by whoever carries out an IO_READ for a command that compares */
    const uint8_t *expected; /* what the initiator sent; borrowed until the command has ended */
    uint32_t expected_length;
    uint32_t expected_position; /* in it, of the request's data */

    /* WRITE SAME alone: with what it begins again */
    uint64_t same_length;
    uint32_t same_flags;
    const uint8_t *block; /* STORAGE_PATTERN: what was sent, borrowed until storage_put_pattern; NULL: zeroes */

    uint32_t block_size; /* UNMAP, VERIFY, WRITE AND VERIFY, WRITE SAME */

    /* UNMAP alone */
    uint64_t block_count;
    const uint8_t *descriptors; /* those that are left; borrowed until the command has ended */

    union {
        struct lba_status status;   /* GET LBA STATUS alone */
        struct storage_count count; /* LOG SENSE of page 0C alone */
    };

    uint8_t *reservation_data; /* PERSISTENT RESERVE alone: borrowed until the command has ended */
};

/*
 * Checks `command` against the disk and begins it. `data_length` is what the initiator transfers (the SRB's data
 * transfer length): a READ or WRITE whose blocks do not fit it is refused with 05/24. `data` is kept until the command
 * has ended, `data_length` bytes: what an UNMAP, WRITE SAME, VERIFY, WRITE AND VERIFY with BYTCHK, MODE SELECT or
 * PERSISTENT RESERVE OUT sends, or room for the answer of a GET LBA STATUS, LOG SENSE or PERSISTENT RESERVE IN, which
 * may be NULL when it is 0; NULL for all else. A PERSISTENT RESERVE OUT's list is one that nobody can change any more:
 * the backend is to be given what was checked.
 *
 * A MODE SELECT changes the device's modes here, all that it asks for or nothing.
 *
 * Refused: 05/21 past the end (information: the first LBA that is), 07/27 a WRITE, WRITE SAME, UNMAP, SYNCHRONIZE
 * CACHE or PERSISTENT RESERVE OUT to a read-only disk, 05/24 more blocks than the disk takes at once, a WRITE SAME of 0
 * blocks or an anchor, a VERIFY or WRITE AND VERIFY with BYTCHK or a LOG SENSE where the disk has none, 05/26 more
 * descriptors or blocks than an UNMAP may have, lengths in its header that disagree, a WRITE SAME of anything but
 * zeroes on a disk without `pattern`, a MODE SELECT of what cannot be changed or a PERSISTENT RESERVE OUT whose
 * TransportIDs are none, 05/20 UNMAP, WRITE SAME, GET LBA STATUS or PERSISTENT RESERVE where the disk has none, 05/1A a
 * parameter list that is cut short, a WRITE SAME with another length than a block, or a PERSISTENT RESERVE OUT with
 * another than its service action has.
 *
 * A command of 0 blocks, an UNMAP of 0 descriptors, a PERSISTENT RESERVE IN or LOG SENSE without room for an answer,
 * VERIFY without BYTCHK, SYNCHRONIZE CACHE or STOP UNIT on a disk without a cache, PRE-FETCH where the backend has no
 * IO_CACHE and GET LBA STATUS where it has no IO_BLOCK_STATUS are done at once. FUA is dropped in silence where the
 * disk has none.
 */
MUST_CHECK enum storage_step storage_begin(struct storage_command *storage, struct scsi_device *device,
                                           const struct scsi_command *command, uint8_t *data, uint32_t data_length,
                                           struct scsi_sense *sense);

/*
 * After the backend carried out storage->request: the next one, or STORAGE_DONE. A list of descriptors may lie in
 * memory that its sender can still write: each is read once more here and checked again, and STORAGE_REFUSED with 05/21
 * is the answer if it has changed for the worse meanwhile. A command that compares looks at what was read to
 * storage->compare: 0E/1D/00, with the first LBA that differs as information.
 */
MUST_CHECK enum storage_step storage_next(struct storage_command *storage, struct scsi_sense *sense);

/*
 * The next extent of the backend's answer to an IO_BLOCK_STATUS: `length` bytes, any number, from where the extent
 * before ended or else from storage->request's offset on. An extent may be longer than what was asked for. What is said
 * of anything beyond the disk's end, or for what there is no room, is ignored.
 */
void storage_extent(struct storage_command *storage, uint64_t length, bool is_allocated);

/* Whether the command counts the blocks in use, which can take long on a large disk with a slow backend. */
bool storage_counts(const struct storage_command *storage);

/* If it does: it is to take no longer. The request in hand is its last, and it ends well without the count, unless that
 * request leads to the disk's end. */
void storage_give_up(struct storage_command *storage);

/* Whether the command has an answer in the caller's data: GET LBA STATUS and LOG SENSE, which put it there themselves,
 * and PERSISTENT RESERVE IN. */
bool storage_has_answer(const struct storage_command *storage);

/* After STORAGE_DONE, if it has: completes the answer and says how many bytes of it are the initiator's. */
uint32_t storage_answer_length(const struct storage_command *storage);

/*
 * While storage->request is an IO_RESERVE_IN or IO_RESERVE_OUT, where its data is: `request.length` bytes. The backend
 * reads the parameter list of an OUT there and writes the answer to an IN, of which it makes what it does not know 0.
 * NULL for all other commands.
 */
uint8_t *storage_reservation_data(const struct storage_command *storage);

/* Whether the command compares what the backend reads to storage->compare, rather than giving it to the initiator. A
 * WRITE AND VERIFY does so only after its writes, from which storage_next leads to it. */
bool storage_compares(const struct storage_command *storage);

/* Whether the command's IO_WRITEs all write from the beginning of what storage_put_pattern makes, rather than the
 * initiator's data. */
bool storage_writes_pattern(const struct storage_command *storage);

/* While the first request of such a command is in hand: makes what it and all others write, no more than
 * STORAGE_PATTERN_MAX bytes. A block that its sender has changed meanwhile is written as it is now. */
void storage_put_pattern(const struct storage_command *storage, uint8_t *pattern);

/*
 * Whether the command fails when the backend answers storage->request with an error. False: it was a hint, go on with
 * storage_next as if it had been carried out.
 */
bool storage_error_matters(const struct storage_command *storage);

/*
 * The backend was lost before it had carried out storage->request, which is to be sent again to what takes its place.
 * That request may be another one afterwards (its cookie is not touched): a flush promises nothing of what was written
 * before the loss, so what ends with one begins again. Extents are forgotten, and a count with them.
 */
void storage_restart(struct storage_command *storage);

/* Largest IO_READ of a command that compares, and the size of the largest block. */
#define STORAGE_COMPARE_MAX 4096u

/* Largest IO_WRITE of a WRITE SAME: a multiple of the largest block. */
#define STORAGE_PATTERN_MAX 16384u

/* Largest IO_TRIM request: the largest multiple of 4096 that a 32-bit length holds. */
#define STORAGE_TRIM_MAX 0xFFFFF000u

#endif
