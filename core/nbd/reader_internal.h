/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the reader's files call in each other. */
#ifndef WNBD_CORE_NBD_READER_INTERNAL_H
#define WNBD_CORE_NBD_READER_INTERNAL_H

#include "core/base/memory.h"
#include "core/nbd/reader.h"

/* One call of nbd_reader_step. */
struct feed {
    const uint8_t *bytes;
    size_t length;
    struct nbd_part *part;
    enum nbd_reader_step step; /* the event, once there is one */
};

/* Ends the loop of the states with an event. */
static inline bool stop_with(struct feed *feed, enum nbd_reader_step step)
{
    feed->step = step;
    return false;
}

static inline void use_up(struct feed *feed, size_t count)
{
    feed->bytes += count;
    feed->length -= count;
}

static inline uint32_t at_most(uint32_t limit, size_t length)
{
    return length < limit ? (uint32_t)length : limit;
}

/* `size` bytes in a row, where they were fed or, if they came cut, put together in the reader; NULL: more are needed.
 * The same bytes are answered until drop. */
static inline const uint8_t *peek(struct nbd_reader *reader, struct feed *feed, uint32_t size)
{
    uint32_t count;

    if (reader->have == 0 && feed->length >= size) {
        return feed->bytes;
    }
    if (reader->have < size && feed->length != 0) {
        count = at_most(size - reader->have, feed->length);
        memcpy(reader->held + reader->have, feed->bytes, count);
        reader->have += count;
        use_up(feed, count);
    }
    return reader->have < size ? NULL : reader->held;
}

/* The bytes of the last peek are done with. */
static inline void drop(struct nbd_reader *reader, struct feed *feed, uint32_t size)
{
    if (reader->have == 0) {
        use_up(feed, size);
    }
    reader->have = 0;
}

/* The server broke the protocol. */
static inline void reader_break(struct nbd_reader *reader, const char *broken)
{
    reader->broken = broken;
    reader->state = NBD_AT_NOTHING;
}

/* reader_chunk.c: the kind of chunk that the header announced, and its states. They answer false with an event. */
void reader_begin_chunk(struct nbd_reader *reader);
bool reader_take_head(struct nbd_reader *reader, struct feed *feed);
bool reader_take_content(struct nbd_reader *reader, struct feed *feed);
bool reader_take_extent(struct nbd_reader *reader, struct feed *feed);
bool reader_take_error_text(struct nbd_reader *reader, struct feed *feed);
bool reader_take_error_offset(struct nbd_reader *reader, struct feed *feed);
bool reader_take_rest(struct nbd_reader *reader, struct feed *feed);

#endif
