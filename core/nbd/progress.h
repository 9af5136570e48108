/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a request's answer has come: which error, and which bytes of a read are there. A server may send them in
 * pieces of any size and order, each byte once (doc/proto.md, "Structured reply types", "NBD_CMD_READ").
 *
 * What has arrived is kept as a few pieces that do not touch. A server that scatters more of them makes the gap between
 * two be filled with zeroes, and from then on what comes inside a piece is only counted: whether it belongs into a gap
 * or has come before is not told apart, which a server could bring about just as well with wrong bytes. What is outside
 * of the pieces is missed all the same, so that nothing of the reader's memory is handed out unwritten.
 */
#ifndef WNBD_CORE_NBD_PROGRESS_H
#define WNBD_CORE_NBD_PROGRESS_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define NBD_PIECES_MAX 8

/* Bytes from the beginning of the request. */
struct nbd_piece {
    uint32_t begin;
    uint32_t end;
};

struct nbd_progress {
    uint32_t error;        /* NBD_E* (core/nbd/wire.h): the first that came, 0 for none */
    bool has_error_offset; /* the server has said where it failed */
    bool has_status;       /* IO_BLOCK_STATUS: the chunk with the extents has come */
    bool loose;            /* a gap was filled */
    uint8_t pieces;
    uint64_t received;     /* bytes of content; IO_BLOCK_STATUS: of the export that the extents so far are about */
    uint64_t error_offset; /* bytes from the start of the export */
    struct nbd_piece piece[NBD_PIECES_MAX];
};

/* Nothing has come. Each time before the request is sent. */
static inline void nbd_progress_init(struct nbd_progress *progress)
{
    progress->error = 0;
    progress->has_error_offset = false;
    progress->has_status = false;
    progress->loose = false;
    progress->pieces = 0;
    progress->received = 0;
}

/* The server says `error`, not 0. */
static inline void nbd_progress_fail(struct nbd_progress *progress, uint32_t error)
{
    if (progress->error == 0) {
        progress->error = error;
    }
}

/* Whether nbd_progress_fill_gap is to be called before the next nbd_progress_add. */
static inline bool nbd_progress_is_full(const struct nbd_progress *progress)
{
    return progress->pieces == NBD_PIECES_MAX;
}

/* Makes two pieces one; the gap between them is the answer, to be filled with zeroes. */
struct nbd_piece nbd_progress_fill_gap(struct nbd_progress *progress);

/* [begin, end), not empty, comes now. False: some of it has come before. */
MUST_CHECK bool nbd_progress_add(struct nbd_progress *progress, uint32_t begin, uint32_t end);

/* Whether all of a read of `length` bytes has come. */
bool nbd_progress_is_whole(const struct nbd_progress *progress, uint32_t length);

#endif
