/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers, simple replies and the machine itself; what is in a chunk is reader_chunk.c's. */
#include "core/nbd/reader_internal.h"

#include "core/base/bytes.h"

#define MAGIC_SIZE 4u

void nbd_reader_init(struct nbd_reader *reader, const struct nbd_terms *terms)
{
    memset(reader, 0, sizeof *reader);
    reader->terms = *terms;
}

/* ---- Headers ---- */

static RARE const char *magic_problem(uint32_t magic)
{
    switch (magic) {
    case NBD_SIMPLE_REPLY_MAGIC:
        return "it sent a simple reply, though extended ones were negotiated";
    case NBD_STRUCTURED_REPLY_MAGIC:
        return "it sent a structured reply, which was not negotiated";
    case NBD_EXTENDED_REPLY_MAGIC:
        return "it sent an extended reply, which was not negotiated";
    }
    return "it sent a reply with a wrong magic number";
}

/* The size of a header that begins so; 0: it is not one of this form. */
static uint32_t header_size(enum nbd_form form, uint32_t magic)
{
    switch (form) {
    case NBD_SIMPLE:
        return magic == NBD_SIMPLE_REPLY_MAGIC ? NBD_SIMPLE_REPLY_SIZE : 0;
    case NBD_STRUCTURED: /* what has no payload may be answered either way */
        if (magic == NBD_SIMPLE_REPLY_MAGIC) {
            return NBD_SIMPLE_REPLY_SIZE;
        }
        return magic == NBD_STRUCTURED_REPLY_MAGIC ? NBD_STRUCTURED_REPLY_SIZE : 0;
    case NBD_EXTENDED:
        break;
    }
    return magic == NBD_EXTENDED_REPLY_MAGIC ? NBD_EXTENDED_REPLY_SIZE : 0;
}

static inline void parse_simple(struct nbd_reader *reader, const uint8_t *header)
{
    reader->simple = true;
    reader->error = load_be32(header + 4);
    reader->cookie = load_be64(header + 8);
    reader->state = NBD_AT_REPLY;
}

static FORCE_INLINE void parse_chunk(struct nbd_reader *reader, const uint8_t *header, uint32_t size)
{
    bool extended = size == NBD_EXTENDED_REPLY_SIZE;
    uint64_t length = extended ? load_be64(header + 24) : load_be32(header + 16);

    if (length > UINT32_MAX) {
        reader_break(reader, "it sent a chunk of 4 GiB or more");
        return;
    }
    reader->simple = false;
    reader->last = (load_be16(header + 4) & NBD_REPLY_FLAG_DONE) != 0;
    reader->type = load_be16(header + 6);
    reader->cookie = load_be64(header + 8);
    reader->chunk_offset = extended ? load_be64(header + 16) : 0;
    reader->chunk_left = (uint32_t)length;
    reader->state = NBD_AT_REPLY;
}

static bool take_header(struct nbd_reader *reader, struct feed *feed)
{
    const uint8_t *header = peek(reader, feed, MAGIC_SIZE);
    uint32_t size;

    if (header == NULL) {
        return stop_with(feed, NBD_READER_MORE);
    }
    size = header_size(reader->terms.form, load_be32(header));
    if (size == 0) {
        reader_break(reader, magic_problem(load_be32(header)));
        return true;
    }
    header = peek(reader, feed, size);
    if (header == NULL) {
        return stop_with(feed, NBD_READER_MORE);
    }
    if (size == NBD_SIMPLE_REPLY_SIZE) {
        parse_simple(reader, header);
    } else {
        parse_chunk(reader, header, size);
    }
    drop(reader, feed, size);
    return reader->state == NBD_AT_REPLY ? stop_with(feed, NBD_READER_REPLY) : true;
}

/* ---- Whose reply it is ---- */

static void begin_simple(struct nbd_reader *reader)
{
    const struct io_request *request = reader->request;

    if (reader->error != 0) {
        nbd_progress_fail(reader->progress, reader->error);
        reader->state = NBD_AT_END;
    } else if (request->operation == IO_BLOCK_STATUS) {
        reader_break(reader, "it answered a question for the block status with a simple reply");
    } else if (request->operation != IO_READ) {
        reader->state = NBD_AT_END;
    } else if (reader->terms.form != NBD_SIMPLE) {
        reader_break(reader, "it answered a read with a simple reply, though structured ones were negotiated");
    } else {
        reader->payload_left = request->length;
        reader->payload_offset = 0;
        reader->state = NBD_AT_PAYLOAD;
    }
}

void nbd_reader_expect(struct nbd_reader *reader, const struct io_request *request, struct nbd_progress *progress)
{
    reader->request = request;
    reader->progress = progress;
    if (reader->simple) {
        begin_simple(reader);
    } else {
        reader_begin_chunk(reader);
    }
}

/* ---- Data and ends ---- */

static inline bool take_payload(struct nbd_reader *reader, struct feed *feed)
{
    uint32_t count = at_most(reader->payload_left, feed->length);

    if (reader->payload_left == 0) {
        reader->state = reader->simple ? NBD_AT_END : NBD_AT_CHUNK_END;
        return true;
    }
    if (count == 0) {
        return stop_with(feed, NBD_READER_MORE);
    }
    feed->part->bytes = feed->bytes;
    feed->part->length = count;
    feed->part->offset = reader->payload_offset;
    nbd_reader_received(reader, count);
    use_up(feed, count);
    return stop_with(feed, NBD_READER_DATA);
}

/* NULL when what came is all that a request without error is answered with. */
static inline const char *end_problem(const struct nbd_reader *reader)
{
    const struct nbd_progress *progress = reader->progress;

    if (progress->error != 0) {
        return NULL;
    }
    if (reader->request->operation == IO_READ && !nbd_progress_is_whole(progress, reader->request->length)) {
        return "it ended a read without having sent all of its data";
    }
    if (reader->request->operation == IO_BLOCK_STATUS && !progress->has_status) {
        return "it answered a question for the block status without extents";
    }
    return NULL;
}

static bool take_chunk_end(struct nbd_reader *reader)
{
    const char *problem = reader->last ? end_problem(reader) : NULL;

    if (problem != NULL) {
        reader_break(reader, problem);
    } else {
        reader->state = reader->last ? NBD_AT_END : NBD_AT_HEADER;
    }
    return true;
}

static inline bool take_end(struct nbd_reader *reader, struct feed *feed)
{
    reader->state = NBD_AT_HEADER;
    return stop_with(feed, NBD_READER_DONE);
}

/* ---- The machine ---- */

/* One state. False: there is an event. */
static bool take(struct nbd_reader *reader, struct feed *feed)
{
    switch (reader->state) {
    case NBD_AT_HEADER:
        return take_header(reader, feed);
    case NBD_AT_REPLY: /* nobody said whose it is */
        return stop_with(feed, NBD_READER_REPLY);
    case NBD_AT_CHUNK_HEAD:
        return reader_take_head(reader, feed);
    case NBD_AT_CONTENT:
        return reader_take_content(reader, feed);
    case NBD_AT_PAYLOAD:
        return take_payload(reader, feed);
    case NBD_AT_EXTENTS:
        return reader_take_extent(reader, feed);
    case NBD_AT_ERROR_TEXT:
        return reader_take_error_text(reader, feed);
    case NBD_AT_ERROR_OFFSET:
        return reader_take_error_offset(reader, feed);
    case NBD_AT_REST:
        return reader_take_rest(reader, feed);
    case NBD_AT_CHUNK_END:
        return take_chunk_end(reader);
    case NBD_AT_END:
        return take_end(reader, feed);
    case NBD_AT_NOTHING:
        break;
    }
    return stop_with(feed, NBD_READER_BAD);
}

static OUT_OF_LINE enum nbd_reader_step run_machine(struct nbd_reader *reader, const uint8_t **bytes, size_t *length,
                                                    struct nbd_part *part)
{
    struct feed feed = {.bytes = *bytes, .length = *length, .part = part};

    while (take(reader, &feed)) {
    }
    *bytes = feed.bytes;
    *length = feed.length;
    return feed.step;
}

/* ---- The short way ---- */

/* A header that was not cut. */
static inline bool take_whole_header(struct nbd_reader *reader, struct feed *feed)
{
    bool begins = reader->have == 0 && feed->length >= MAGIC_SIZE;
    uint32_t size = begins ? header_size(reader->terms.form, load_be32(feed->bytes)) : 0;

    if (size == 0 || feed->length < size) {
        return false;
    }
    if (size == NBD_SIMPLE_REPLY_SIZE) {
        parse_simple(reader, feed->bytes);
    } else {
        parse_chunk(reader, feed->bytes, size);
    }
    use_up(feed, size);
    feed->step = NBD_READER_REPLY;
    return reader->state == NBD_AT_REPLY;
}

/* The reply's last data has been told. */
static inline bool is_at_end(const struct nbd_reader *reader)
{
    return reader->payload_left == 0 && (reader->simple || (reader->last && end_problem(reader) == NULL));
}

/* Most steps of a busy connection, as the machine would take them, at a third of its instructions. False: it is not one
 * of those. */
static inline bool take_shortly(struct nbd_reader *reader, struct feed *feed)
{
    if (reader->state == NBD_AT_HEADER) {
        return take_whole_header(reader, feed);
    }
    if (reader->state == NBD_AT_END || (reader->state == NBD_AT_PAYLOAD && is_at_end(reader))) {
        return !take_end(reader, feed);
    }
    if (reader->state == NBD_AT_PAYLOAD && reader->payload_left != 0 && feed->length != 0) {
        return !take_payload(reader, feed);
    }
    return false;
}

enum nbd_reader_step nbd_reader_step(struct nbd_reader *reader, const uint8_t **bytes, size_t *length,
                                     struct nbd_part *part)
{
    struct feed feed = {.bytes = *bytes, .length = *length, .part = part};

    if (!take_shortly(reader, &feed)) {
        return run_machine(reader, bytes, length, part);
    }
    *bytes = feed.bytes;
    *length = feed.length;
    return feed.step;
}
