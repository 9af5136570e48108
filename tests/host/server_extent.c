/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the export's pages are holes: those of zeroes. */
#include "tests/host/server_internal.h"

#include <string.h>

static bool is_hole(const struct server *server, uint64_t offset)
{
    static const uint8_t zeroes[SERVER_PAGE];
    uint64_t page = offset - offset % SERVER_PAGE;
    uint64_t left = server->size - page;

    return memcmp(server->data + page, zeroes, left < SERVER_PAGE ? left : SERVER_PAGE) == 0;
}

/* Where the pages that are like the one at `begin` end. */
static uint64_t end_of_run(const struct server *server, uint64_t begin, uint64_t end)
{
    bool hole = is_hole(server, begin);
    uint64_t at = begin;

    while (at < end && is_hole(server, at) == hole) {
        at += SERVER_PAGE - at % SERVER_PAGE;
    }
    return at < end ? at : end;
}

unsigned extents_find(struct server *server, uint64_t begin, uint64_t end, struct extent *extents, unsigned most)
{
    unsigned count = 0;

    pthread_mutex_lock(&server->lock);
    while (begin < end && count < most) {
        uint64_t next = end_of_run(server, begin, end);

        extents[count].length = next - begin;
        extents[count++].is_hole = is_hole(server, begin);
        begin = next;
    }
    pthread_mutex_unlock(&server->lock);
    return count;
}
