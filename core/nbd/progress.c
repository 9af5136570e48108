/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/nbd/progress.h"

#include "core/base/memory.h"

static void insert(struct nbd_progress *progress, unsigned at, uint32_t begin, uint32_t end)
{
    for (unsigned i = progress->pieces; i > at; i--) {
        progress->piece[i] = progress->piece[i - 1];
    }
    progress->piece[at].begin = begin;
    progress->piece[at].end = end;
    progress->pieces++;
}

static void take_out(struct nbd_progress *progress, unsigned at)
{
    progress->pieces--;
    for (unsigned i = at; i < progress->pieces; i++) {
        progress->piece[i] = progress->piece[i + 1];
    }
}

/* The first piece that ends at `begin` or behind it; the number of pieces when there is none. */
static unsigned find(const struct nbd_progress *progress, uint32_t begin)
{
    unsigned at = 0;

    while (at < progress->pieces && progress->piece[at].end < begin) {
        at++;
    }
    return at;
}

/* Whether [begin, end) has bytes in common with the piece at `at`, if there is one. */
static bool overlaps(const struct nbd_progress *progress, unsigned at, uint32_t begin, uint32_t end)
{
    return at < progress->pieces && progress->piece[at].begin < end && begin < progress->piece[at].end;
}

/* Whether the piece at `at` has all of [begin, end). */
static bool contains(const struct nbd_progress *progress, unsigned at, uint32_t begin, uint32_t end)
{
    return progress->piece[at].begin <= begin && end <= progress->piece[at].end;
}

/* The piece at `at` ends where [begin, end) begins. */
static void lengthen(struct nbd_progress *progress, unsigned at, uint32_t end)
{
    progress->piece[at].end = end;
    if (at + 1 < progress->pieces && progress->piece[at + 1].begin == end) {
        progress->piece[at].end = progress->piece[at + 1].end;
        take_out(progress, at + 1);
    }
}

struct nbd_piece nbd_progress_fill_gap(struct nbd_progress *progress)
{
    struct nbd_piece gap = {.begin = progress->piece[0].end, .end = progress->piece[1].begin};

    lengthen(progress, 0, gap.end);
    progress->loose = true;
    return gap;
}

bool nbd_progress_add(struct nbd_progress *progress, uint32_t begin, uint32_t end)
{
    unsigned at = find(progress, begin);

    progress->received += end - begin;
    if (overlaps(progress, at, begin, end) || overlaps(progress, at + 1, begin, end)) {
        /* A gap that was filled has bytes that came on both sides: what is sent once is inside a piece or outside. */
        return progress->loose && contains(progress, at, begin, end);
    }
    if (at < progress->pieces && progress->piece[at].end == begin) {
        lengthen(progress, at, end);
    } else if (at < progress->pieces && progress->piece[at].begin == end) {
        progress->piece[at].begin = begin;
    } else {
        insert(progress, at, begin, end);
    }
    return true;
}

bool nbd_progress_is_whole(const struct nbd_progress *progress, uint32_t length)
{
    return progress->received == length && progress->piece[0].begin == 0 && progress->piece[0].end == length;
}
