/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the driver keeps about an SRB that a disk's backend carries out. It lives in the SRB's extension, so that no
 * request needs an allocation.
 */
#ifndef WNBD_DRIVER_RECORD_H
#define WNBD_DRIVER_RECORD_H

#include "driver/driver.h"

#include "core/base/list.h"
#include "core/nbd/progress.h"
#include "core/scsi/emulate.h"
#include "core/scsi/storage.h"

#define RECORD_DATA_MAX WNBD_DEFAULT_MAX_TRANSFER_LENGTH

/* Of one WRITE SAME. The backend may have to write the zeroes, and a disk of 10 MB/s should be done with the command
 * well before Storport's time-out (IoTimeoutValue in wnbd.inf: 30 s), though others are in the queue before it. */
#define RECORD_WRITE_SAME_MAX (64u << 20)

/* How long a LOG SENSE may go on to count blocks: with the request that it has out then, it is to end well before
 * Storport's time-out. */
#define RECORD_COUNT_MAX_MS 10000

/* An MDL for the longest transfer at any offset in a page. */
#define RECORD_MDL_SIZE (sizeof(MDL) + sizeof(PFN_NUMBER) * (RECORD_DATA_MAX / PAGE_SIZE + 1))

/* An UNMAP's or a reservation's parameter list or a WRITE SAME's block is copied, because who sent it may still be able
 * to change it. */
#define RECORD_UNMAP_DESCRIPTORS 256
#define RECORD_PARAMETERS_SIZE   (8 + 16 * RECORD_UNMAP_DESCRIPTORS)

/*
 * What must have happened before the SRB may be completed. A reply can come before its send has completed, and WSK may
 * read or write the SRB's pages as long as any of these is set.
 */
enum record_hold {
    RECORD_SENDING = 1 << 0,   /* a send that holds its header and data is out */
    RECORD_ANSWERING = 1 << 1, /* who carries it out has not answered, or not all of it has been received */
    RECORD_COPYING = 1 << 2,   /* its data is being copied to the program that serves the disk, or from it */
};

struct nbd_connection;

struct record {
    struct list_link link; /* on one list of the backend, or none */
    PSCSI_REQUEST_BLOCK srb;
    struct storage_command command;
    PMDL pages;                        /* IO_READ, IO_WRITE: the SRB's MDL or the pattern's, borrowed; NULL: none */
    PVOID pages_address;               /* where in it the SRB's data begins: a number, not to be used as an address */
    uint8_t *data;                     /* IO_READ: where the SRB's data is copied to; of a channel's requests: also what
                                        * is written, and of reservations */
    struct nbd_progress progress;      /* of the answer to its request: the receiver's */
    struct nbd_connection *connection; /* over which it is out while it has holds; guarded by disk->lock */
    uint64_t received_at;              /* by clock_precise: when its request came */
    uint64_t begun_at;                 /* storage_counts: by clock_now, when the command came */
    uint32_t replays;                  /* connections that ended before its answer; guarded by disk->lock */
    uint32_t holds;         /* enum record_hold; guarded by disk->lock, as the list and the command's cookie */
    uint32_t area;          /* a channel's: in the arena, where its data is; fixed while it is with the program */
    uint32_t answer_length; /* a channel's: bytes of the answer's data, while they are being copied */
    bool awaited;           /* a channel's: requests.aborting counts it; guarded by disk->lock */
    bool withdrawn;         /* a channel's: its program went while its data was being copied; guarded by disk->lock */
    UCHAR srb_status;       /* not 0: complete with this and without sense */
    struct scsi_result result; /* otherwise */
    union {
        MDL mdl; /* IO_READ, IO_WRITE: our view of those of the SRB's pages that the request is about */
        UCHAR mdl_storage[RECORD_MDL_SIZE];
        uint8_t compare[STORAGE_COMPARE_MAX];       /* a command that compares: what is read, by copying alone */
        uint8_t parameters[RECORD_PARAMETERS_SIZE]; /* IO_TRIM, IO_WRITE_ZEROES, IO_RESERVE_OUT, MODE SELECT */
    };
};

/* Prepares `mdl` for record_map_pages. */
static inline void record_init_mdl(struct record *record)
{
    MmInitializeMdl(&record->mdl, (PVOID)(ULONG_PTR)(PAGE_SIZE - 1), RECORD_DATA_MAX); /* the most pages it may have */
}

/* Prepares a command that compares: where it reads to. */
static inline void record_init_compare(struct record *record)
{
    record->data = record->compare;
    record->command.compare = record->compare;
}

/* Makes `mdl` describe the data of the command's request. */
static inline void record_map_pages(struct record *record)
{
    PVOID address = (PUCHAR)record->pages_address + record->command.data_offset;

    IoBuildPartialMdl(record->pages, &record->mdl, address, record->command.request.length);
}

/* Lets go of what WSK or the kernel may have mapped of it. Before record_map_pages again, and before the SRB ends. */
static inline void record_unmap_pages(struct record *record)
{
    MmPrepareMdlForReuse(&record->mdl);
}

/* The record of an SRB that is about others (a reset, an abort) and is completed after them; NULL: it has no extension.
 */
static inline struct record *record_of_management(PVOID extension, PSCSI_REQUEST_BLOCK srb)
{
    struct record *record = extension;

    if (record != NULL) {
        list_init(&record->link);
        record->srb = srb;
    }
    return record;
}

/* Whether the request in hand has data. */
static inline bool record_has_data(const struct record *record)
{
    return record->command.request.operation == IO_READ || record->command.request.operation == IO_WRITE;
}

/* Whether `mdl` is in use: the command has data that the backend moves, though perhaps not the request in hand, as a
 * flush after a write. Not what a command that compares reads. */
static inline bool record_has_pages(const struct record *record)
{
    return record->pages != NULL && !storage_compares(&record->command);
}

/* The command was carried out: what it has transferred is known now if it was not when it began. */
static inline void record_finish(struct record *record)
{
    if (storage_has_answer(&record->command)) {
        record->result.transferred = storage_answer_length(&record->command);
    }
}

/* Its connection was lost: what is sent over the next one is as if nothing had been sent. */
static inline void record_restart(struct record *record)
{
    storage_restart(&record->command);
    if (record_has_pages(record)) {
        record_unmap_pages(record);
        record_map_pages(record);
    }
}

static inline struct record *record_of_link(struct list_link *link)
{
    return list_member(link, struct record, link);
}

static inline struct record *record_of_request(struct io_request *request)
{
    return list_member(request, struct record, command.request);
}

#endif
