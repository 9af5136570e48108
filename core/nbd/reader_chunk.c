/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in a chunk of a structured or extended reply (doc/proto.md, "Structured reply types"). */
#include "core/nbd/reader_internal.h"

#include "core/base/bytes.h"

/* What stands before the content */
#define DATA_HEAD_SIZE   8u  /* offset */
#define HOLE_HEAD_SIZE   12u /* offset, size */
#define STATUS_HEAD_SIZE 4u  /* context */
#define STATUS_EXT_SIZE  8u  /* context, number of extents */
#define ERROR_HEAD_SIZE  6u  /* error, length of the text */
#define OFFSET_SIZE      8u  /* of an error, behind the text */

#define EXTENT_SIZE     8u
#define EXTENT_EXT_SIZE 16u

#define ERROR_CHUNK_MAX 65536u /* bytes of an error chunk before a server counts as broken */

static bool is_error(uint16_t type)
{
    return (type & NBD_REPLY_TYPE_ERROR_BIT) != 0;
}

static bool is_extended_status(const struct nbd_reader *reader)
{
    return reader->type == NBD_REPLY_TYPE_BLOCK_STATUS_EXT;
}

/* ---- Whether such a chunk may come ---- */

static const char *data_problem(const struct nbd_reader *reader)
{
    if (reader->request->operation != IO_READ) {
        return "it sent data for a request that is not a read";
    }
    if (reader->chunk_left <= DATA_HEAD_SIZE) {
        return "it sent a chunk of data without data";
    }
    return reader->chunk_left - DATA_HEAD_SIZE > reader->request->length ? "it sent more data than was asked for"
                                                                         : NULL;
}

static const char *hole_problem(const struct nbd_reader *reader)
{
    if (reader->request->operation != IO_READ) {
        return "it sent a hole for a request that is not a read";
    }
    return reader->chunk_left != HOLE_HEAD_SIZE ? "it sent a hole with a wrong length" : NULL;
}

static const char *status_problem(const struct nbd_reader *reader)
{
    uint32_t head = is_extended_status(reader) ? STATUS_EXT_SIZE : STATUS_HEAD_SIZE;
    uint32_t extent = is_extended_status(reader) ? EXTENT_EXT_SIZE : EXTENT_SIZE;

    if (reader->request->operation != IO_BLOCK_STATUS) {
        return "it sent a block status for a request that did not ask for one";
    }
    if (is_extended_status(reader) && reader->terms.form != NBD_EXTENDED) {
        return "it sent an extended block status, which was not negotiated";
    }
    if (reader->progress->has_status) {
        return "it sent the block status twice";
    }
    if (reader->chunk_left < head + extent || (reader->chunk_left - head) % extent != 0) {
        return "it sent a block status with a wrong length";
    }
    return NULL;
}

static const char *error_problem(const struct nbd_reader *reader)
{
    uint32_t least = reader->type == NBD_REPLY_TYPE_ERROR_OFFSET ? ERROR_HEAD_SIZE + OFFSET_SIZE : ERROR_HEAD_SIZE;

    return reader->chunk_left < least || reader->chunk_left > ERROR_CHUNK_MAX
               ? "it sent an error chunk with a wrong length"
               : NULL;
}

static const char *end_chunk_problem(const struct nbd_reader *reader)
{
    if (reader->chunk_left != 0) {
        return "it sent a chunk without content whose length is not 0";
    }
    return reader->last ? NULL : "it sent an empty chunk that is not the last";
}

/* NULL when a chunk of this type and length is one for the request. */
static const char *type_problem(const struct nbd_reader *reader)
{
    if (is_error(reader->type)) {
        return error_problem(reader);
    }
    switch (reader->type) {
    case NBD_REPLY_TYPE_NONE:
        return end_chunk_problem(reader);
    case NBD_REPLY_TYPE_OFFSET_DATA:
        return data_problem(reader);
    case NBD_REPLY_TYPE_OFFSET_HOLE:
        return hole_problem(reader);
    case NBD_REPLY_TYPE_BLOCK_STATUS:
    case NBD_REPLY_TYPE_BLOCK_STATUS_EXT:
        return status_problem(reader);
    }
    return "it sent a chunk of an unknown type";
}

/* "Extended reply chunk message": the header repeats the offset of the request, as it was on the wire. */
static bool is_of_request(const struct nbd_reader *reader)
{
    uint64_t offset = reader->request->operation == IO_FLUSH ? 0 : reader->request->offset;

    return reader->terms.form != NBD_EXTENDED || reader->chunk_offset == offset;
}

void reader_begin_chunk(struct nbd_reader *reader)
{
    const char *problem =
        is_of_request(reader) ? type_problem(reader) : "it replied with an offset that is not the request's";

    if (problem != NULL) {
        reader_break(reader, problem);
        return;
    }
    reader->state = reader->type == NBD_REPLY_TYPE_NONE ? NBD_AT_CHUNK_END : NBD_AT_CHUNK_HEAD;
}

/* ---- Reads ---- */

/* A piece of a read that the server says it sends now, at `offset` of the export. */
static void begin_content(struct nbd_reader *reader, uint64_t offset, uint32_t length)
{
    const struct io_request *request = reader->request;

    if (length == 0 || length > request->length || offset < request->offset ||
        offset - request->offset > request->length - length) {
        reader_break(reader, "it sent data that was not asked for");
        return;
    }
    if ((request->flags & IO_DONT_FRAGMENT) != 0 && reader->progress->received != 0) {
        reader_break(reader, "it divided a read that it was asked not to divide");
        return;
    }
    reader->payload_offset = (uint32_t)(offset - request->offset);
    reader->payload_left = length;
    reader->state = NBD_AT_CONTENT;
}

static bool stop_with_hole(struct feed *feed, uint32_t offset, uint32_t length)
{
    feed->part->offset = offset;
    feed->part->length = length;
    return stop_with(feed, NBD_READER_HOLE);
}

bool reader_take_content(struct nbd_reader *reader, struct feed *feed)
{
    struct nbd_progress *progress = reader->progress;
    uint32_t begin = reader->payload_offset;
    uint32_t length = reader->payload_left;

    if (nbd_progress_is_full(progress)) {
        struct nbd_piece gap = nbd_progress_fill_gap(progress);

        return stop_with_hole(feed, gap.begin, gap.end - gap.begin);
    }
    if (!nbd_progress_add(progress, begin, begin + length) || progress->received > reader->request->length) {
        reader_break(reader, "it sent some of a read's data twice");
        return true;
    }
    if (reader->type == NBD_REPLY_TYPE_OFFSET_DATA) {
        reader->state = NBD_AT_PAYLOAD;
        return true;
    }
    reader->state = NBD_AT_CHUNK_END;
    return stop_with_hole(feed, begin, length);
}

/* ---- Block status ---- */

static void begin_status(struct nbd_reader *reader, uint32_t context, uint32_t count)
{
    reader->progress->has_status = true;
    if (context != reader->terms.allocation_id || !reader->terms.block_status) {
        reader_break(reader, "it sent a block status of a context that was not negotiated");
        return;
    }
    if (count != 0 && count != reader->chunk_left / EXTENT_EXT_SIZE) {
        reader_break(reader, "it sent a block status with a wrong number of extents");
        return;
    }
    reader->state = NBD_AT_EXTENTS;
}

/* "NBD_REPLY_TYPE_BLOCK_STATUS": all extents but the last end within the request, and the only one that was asked for
 * does too. */
static const char *extent_problem(const struct nbd_reader *reader, uint64_t length)
{
    const struct io_request *request = reader->request;
    bool only_one = (request->flags & IO_ONE_EXTENT) != 0;

    if (length == 0) {
        return "it sent an extent of 0 bytes";
    }
    if (reader->progress->received >= request->length) {
        return "it sent extents beyond what was asked for";
    }
    if (only_one && (reader->progress->received != 0 || length > request->length)) {
        return "it sent more than the one extent that was asked for";
    }
    return NULL;
}

bool reader_take_extent(struct nbd_reader *reader, struct feed *feed)
{
    bool extended = is_extended_status(reader);
    uint32_t size = extended ? EXTENT_EXT_SIZE : EXTENT_SIZE;
    const uint8_t *extent;
    const char *problem;

    if (reader->chunk_left == 0) {
        reader->state = NBD_AT_CHUNK_END;
        return true;
    }
    extent = peek(reader, feed, size);
    if (extent == NULL) {
        return stop_with(feed, NBD_READER_MORE);
    }
    feed->part->extent_length = extended ? load_be64(extent) : load_be32(extent);
    feed->part->extent_flags = extended ? load_be64(extent + 8) : load_be32(extent + 4);
    drop(reader, feed, size);
    reader->chunk_left -= size;
    problem = extent_problem(reader, feed->part->extent_length);
    if (problem != NULL) {
        reader_break(reader, problem);
        return true;
    }
    /* What is above the request's length does not count, and must not wrap. */
    reader->progress->received +=
        feed->part->extent_length < reader->request->length ? feed->part->extent_length : reader->request->length;
    return stop_with(feed, NBD_READER_EXTENT);
}

/* ---- Errors ---- */

static void begin_error(struct nbd_reader *reader, uint32_t error, uint32_t text_length)
{
    uint32_t behind = reader->type == NBD_REPLY_TYPE_ERROR_OFFSET ? OFFSET_SIZE : 0;

    if (error == 0) {
        reader_break(reader, "it sent an error chunk without an error");
        return;
    }
    if (text_length > NBD_STRING_MAX || text_length > reader->chunk_left - behind) {
        reader_break(reader, "it sent an error text that is too long");
        return;
    }
    nbd_progress_fail(reader->progress, error);
    reader->text_left = text_length;
    reader->state = NBD_AT_ERROR_TEXT;
}

/* Passes over some of `*left` bytes. False: more are needed. */
static bool pass_over(struct feed *feed, uint32_t *left)
{
    uint32_t count = at_most(*left, feed->length);

    if (count != 0) {
        *left -= count;
        use_up(feed, count);
    }
    return *left == 0 || stop_with(feed, NBD_READER_MORE);
}

bool reader_take_error_text(struct nbd_reader *reader, struct feed *feed)
{
    uint32_t before = reader->text_left;
    bool all = pass_over(feed, &reader->text_left);

    reader->chunk_left -= before - reader->text_left;
    if (all) {
        reader->state = reader->type == NBD_REPLY_TYPE_ERROR_OFFSET ? NBD_AT_ERROR_OFFSET : NBD_AT_REST;
    }
    return all;
}

bool reader_take_error_offset(struct nbd_reader *reader, struct feed *feed)
{
    const struct io_request *request = reader->request;
    struct nbd_progress *progress = reader->progress;
    const uint8_t *bytes = peek(reader, feed, OFFSET_SIZE);
    uint64_t offset;

    if (bytes == NULL) {
        return stop_with(feed, NBD_READER_MORE);
    }
    offset = load_be64(bytes);
    drop(reader, feed, OFFSET_SIZE);
    reader->chunk_left -= OFFSET_SIZE;
    if (offset < request->offset || offset - request->offset >= request->length) {
        reader_break(reader, "it sent an error at an offset that was not asked for");
        return true;
    }
    if (!progress->has_error_offset) {
        progress->has_error_offset = true;
        progress->error_offset = offset;
    }
    reader->state = NBD_AT_REST;
    return true;
}

bool reader_take_rest(struct nbd_reader *reader, struct feed *feed)
{
    bool all = pass_over(feed, &reader->chunk_left);

    if (all) {
        reader->state = NBD_AT_CHUNK_END;
    }
    return all;
}

/* ---- What stands before the content ---- */

static uint32_t head_size(uint16_t type)
{
    switch (type) {
    case NBD_REPLY_TYPE_OFFSET_DATA:
        return DATA_HEAD_SIZE;
    case NBD_REPLY_TYPE_OFFSET_HOLE:
        return HOLE_HEAD_SIZE;
    case NBD_REPLY_TYPE_BLOCK_STATUS:
        return STATUS_HEAD_SIZE;
    case NBD_REPLY_TYPE_BLOCK_STATUS_EXT:
        return STATUS_EXT_SIZE;
    }
    return ERROR_HEAD_SIZE;
}

bool reader_take_head(struct nbd_reader *reader, struct feed *feed)
{
    uint32_t size = head_size(reader->type);
    const uint8_t *head = peek(reader, feed, size);

    if (head == NULL) {
        return stop_with(feed, NBD_READER_MORE);
    }
    drop(reader, feed, size);
    reader->chunk_left -= size;
    switch (reader->type) {
    case NBD_REPLY_TYPE_OFFSET_DATA:
        begin_content(reader, load_be64(head), reader->chunk_left);
        break;
    case NBD_REPLY_TYPE_OFFSET_HOLE:
        begin_content(reader, load_be64(head), load_be32(head + 8));
        break;
    case NBD_REPLY_TYPE_BLOCK_STATUS:
        begin_status(reader, load_be32(head), 0);
        break;
    case NBD_REPLY_TYPE_BLOCK_STATUS_EXT:
        begin_status(reader, load_be32(head), load_be32(head + 4));
        break;
    default:
        begin_error(reader, load_be32(head), load_be16(head + 4));
        break;
    }
    return true;
}
