/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was sent and what failed, counted. */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>

/* A name for the requests with all of `flags`. */
struct kind {
    const char *name;
    enum io_operation operation;
    uint32_t flags;
};

static const struct kind kinds[] = {
    {"reads", IO_READ, 0},
    {"unfragmented-reads", IO_READ, IO_DONT_FRAGMENT},
    {"writes", IO_WRITE, 0},
    {"fua-writes", IO_WRITE, IO_FUA},
    {"flushes", IO_FLUSH, 0},
    {"trims", IO_TRIM, 0},
    {"fua-trims", IO_TRIM, IO_FUA},
    {"zeroes", IO_WRITE_ZEROES, 0},
    {"no-hole-zeroes", IO_WRITE_ZEROES, IO_NO_HOLE},
    {"fast-zeroes", IO_WRITE_ZEROES, IO_FAST_ZERO},
    {"fua-zeroes", IO_WRITE_ZEROES, IO_FUA},
    {"caches", IO_CACHE, 0},
    {"statuses", IO_BLOCK_STATUS, 0},
    {"one-extent-statuses", IO_BLOCK_STATUS, IO_ONE_EXTENT},
};

static const char *operation_name(enum io_operation operation)
{
    switch (operation) {
    case IO_READ:
        break;
    case IO_WRITE:
        return "WRITE";
    case IO_FLUSH:
        return "FLUSH";
    case IO_TRIM:
        return "TRIM";
    case IO_WRITE_ZEROES:
        return "WRITE_ZEROES";
    case IO_CACHE:
        return "CACHE";
    case IO_BLOCK_STATUS:
        return "BLOCK_STATUS";
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT: /* never chosen */
        break;
    }
    return "READ";
}

static const char *form_name(enum nbd_form form)
{
    switch (form) {
    case NBD_SIMPLE:
        break;
    case NBD_STRUCTURED:
        return "structured";
    case NBD_EXTENDED:
        return "extended";
    }
    return "simple";
}

void count_sent(struct tally *tally, const struct io_request *request)
{
    tally->sent[request->operation][request->flags]++;
}

void count_failed(struct tally *tally, const struct io_request *request, uint32_t error)
{
    tally->failed[request->operation][error < ERRORS ? error : 0]++;
}

static uint64_t count_of(const struct tally *tally, const struct kind *kind)
{
    uint64_t count = 0;

    for (uint32_t flags = 0; flags < FLAG_SETS; flags++) {
        count += (flags & kind->flags) == kind->flags ? tally->sent[kind->operation][flags] : 0;
    }
    return count;
}

static void print_failures(const struct tally *tally, enum io_operation operation)
{
    for (uint32_t error = 0; error < ERRORS; error++) {
        if (tally->failed[operation][error] != 0) {
            printf("error: %s %u %" PRIu64 " times: %s\n", operation_name(operation), error,
                   tally->failed[operation][error], nbd_error_text(error));
        }
    }
}

void print_tally(const struct client *client)
{
    const struct tally *tally = &client->tally;

    printf("done: form=%s context=%s", form_name(client->terms.form),
           client->terms.block_status ? NBD_CONTEXT_ALLOCATION : "none");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        printf(" %s=%" PRIu64, kinds[i].name, count_of(tally, &kinds[i]));
    }
    printf(" extents=%" PRIu64 " not-fast=%" PRIu64 "\n", tally->extents, tally->not_fast);
    for (enum io_operation operation = IO_READ; operation <= IO_BLOCK_STATUS; operation++) {
        print_failures(tally, operation);
    }
}
