/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk's memory. Requests that overlap in time may see each other half done, as on any disk. */
#include "consumer.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 65536u

struct store {
    uint64_t pieces_count;
    uint8_t *volatile *pieces; /* NULL: zeroes. A piece stays once it is made */
};

struct store *store_new(uint64_t bytes)
{
    struct store *store = calloc(1, sizeof(*store));

    store->pieces_count = (bytes + PIECE_BYTES - 1) / PIECE_BYTES;
    /* Address space for the pointers of a huge disk would be huge itself: what lies beyond is never kept. */
    if (store->pieces_count > (1u << 20))
        store->pieces_count = 1u << 20;
    store->pieces = calloc((size_t)store->pieces_count, sizeof(*store->pieces));
    return store;
}

static uint8_t *piece_to_read(struct store *store, uint64_t index)
{
    return index < store->pieces_count ? store->pieces[index] : NULL;
}

static uint8_t *piece_to_write(struct store *store, uint64_t index)
{
    uint8_t *fresh;

    if (index >= store->pieces_count)
        return NULL;
    if (store->pieces[index])
        return store->pieces[index];
    fresh = calloc(1, PIECE_BYTES);
    if (InterlockedCompareExchangePointer((void *volatile *)&store->pieces[index], fresh, NULL))
        free(fresh);
    return store->pieces[index];
}

static uint32_t part(uint64_t offset, uint64_t length)
{
    uint64_t left = PIECE_BYTES - offset % PIECE_BYTES;

    return (uint32_t)(length < left ? length : left);
}

void store_read(struct store *store, uint64_t offset, uint8_t *data, uint32_t length)
{
    while (length > 0) {
        uint32_t now = part(offset, length);
        const uint8_t *piece = piece_to_read(store, offset / PIECE_BYTES);

        if (piece)
            memcpy(data, piece + offset % PIECE_BYTES, now);
        else
            memset(data, 0, now);
        offset += now;
        data += now;
        length -= now;
    }
}

void store_write(struct store *store, uint64_t offset, const uint8_t *data, uint32_t length)
{
    while (length > 0) {
        uint32_t now = part(offset, length);
        uint8_t *piece = piece_to_write(store, offset / PIECE_BYTES);

        if (piece)
            memcpy(piece + offset % PIECE_BYTES, data, now);
        offset += now;
        data += now;
        length -= now;
    }
}

void store_zero(struct store *store, uint64_t offset, uint64_t length)
{
    while (length > 0 && offset / PIECE_BYTES < store->pieces_count) {
        uint32_t now = part(offset, length);
        uint8_t *piece = piece_to_read(store, offset / PIECE_BYTES);

        if (piece)
            memset(piece + offset % PIECE_BYTES, 0, now);
        offset += now;
        length -= now;
    }
}
