/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the bytes of a slot must be, and whether an answer agrees with that. */
#include "client.h"

#include <string.h>

static uint32_t begin_of(const struct flight *flight)
{
    return (uint32_t)(flight->request.offset % AREA);
}

static uint8_t *expected_of(struct flight *flight)
{
    return flight->expected + begin_of(flight);
}

/* Notes the same of all blocks of the request. */
static void note(struct flight *flight, enum contents contents)
{
    uint32_t first = begin_of(flight) / BLOCK;

    for (uint32_t i = 0; i < flight->request.length / BLOCK; i++) {
        flight->contents[first + i] = contents;
    }
}

void contents_sent(struct flight *flight)
{
    const struct io_request *request = &flight->request;

    flight->told = 0;
    switch (request->operation) {
    case IO_WRITE:
        memcpy(expected_of(flight), flight->data, request->length);
        note(flight, CONTENTS_KNOWN);
        break;
    case IO_WRITE_ZEROES:
        memset(expected_of(flight), 0, request->length);
        note(flight, CONTENTS_KNOWN);
        break;
    case IO_TRIM: /* "NBD_CMD_TRIM": no assumptions about the contents until they are written again */
        note(flight, CONTENTS_UNKNOWN);
        break;
    case IO_READ:
    case IO_FLUSH:
    case IO_CACHE:
    case IO_BLOCK_STATUS:
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT: /* never chosen */
        break;
    }
}

void contents_failed(struct flight *flight)
{
    enum io_operation operation = flight->request.operation;

    if (operation == IO_WRITE || operation == IO_WRITE_ZEROES || operation == IO_TRIM) {
        note(flight, CONTENTS_UNKNOWN);
    }
}

/* One block of a read, `at` bytes behind its beginning. */
static bool block_is_right(struct flight *flight, uint32_t at)
{
    enum contents *contents = &flight->contents[(begin_of(flight) + at) / BLOCK];
    uint8_t *expected = expected_of(flight) + at;

    switch (*contents) {
    case CONTENTS_NEVER_SEEN:
        memcpy(expected, flight->data + at, BLOCK);
        *contents = CONTENTS_KNOWN;
        break;
    case CONTENTS_KNOWN:
        return memcmp(expected, flight->data + at, BLOCK) == 0;
    case CONTENTS_UNKNOWN:
        break;
    }
    return true;
}

const char *contents_problem(struct flight *flight)
{
    if (flight->request.operation == IO_BLOCK_STATUS && flight->told == 0) {
        return "a block status does not cover the beginning of what was asked";
    }
    if (flight->request.operation != IO_READ) {
        return NULL;
    }
    for (uint32_t at = 0; at < flight->request.length; at += BLOCK) {
        if (!block_is_right(flight, at)) {
            return "what was read is not what was written";
        }
    }
    return NULL;
}

/* Whether the bytes [begin, end) of the request are zeroes, as far as they are known. */
static bool may_be_zeroes(struct flight *flight, uint64_t begin, uint64_t end)
{
    const uint8_t *expected = expected_of(flight);

    for (uint64_t at = begin; at < end; at++) {
        if (flight->contents[(begin_of(flight) + at) / BLOCK] == CONTENTS_KNOWN && expected[at] != 0) {
            return false;
        }
    }
    return true;
}

/*
 * "base:allocation": ZERO says that the bytes read as zeroes. HOLE alone says nothing of them; but where something was
 * written that is not zeroes something is allocated. A server that says neither is always right.
 */
const char *extent_problem(struct flight *flight, const struct nbd_part *part, const struct nbd_export *server)
{
    uint64_t begin = flight->told;
    uint64_t left = flight->request.length - begin;
    uint64_t end = begin + (part->extent_length < left ? part->extent_length : left);

    flight->told = end;
    if (part->extent_length > server->size - flight->request.offset - begin) {
        return "an extent reaches beyond the end of the export";
    }
    if ((part->extent_flags & NBD_STATE_ZERO) != 0 && !may_be_zeroes(flight, begin, end)) {
        return "an extent is said to be zeroes and is not";
    }
    if ((part->extent_flags & NBD_STATE_HOLE) != 0 && !may_be_zeroes(flight, begin, end)) {
        return "an extent is said to be a hole where something was written";
    }
    return part->extent_length % server->minimum_block != 0 ? "an extent is not of whole blocks" : NULL;
}
