/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/null_server.h"
#include "bench/pattern.h"
#include "bench/plan.h"
#include "bench/reply.h"
#include "core/nbd/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define RECEIVE_MAX (256u << 10)
#define BATCH_MAX   500                                  /* replies in one send */
#define PIECES_MAX  1024                                 /* of them, what the system takes */
#define REPLY_MAX   (2 + PLAN_SIZE_MAX / PATTERN_PERIOD) /* pieces of one */

struct null_batch {
    size_t count; /* replies */
    size_t pieces_count;
    uint8_t headers[BATCH_MAX][REPLY_HEAD_MAX];
    struct iovec pieces[PIECES_MAX];
};

struct null_session {
    int descriptor;
    const struct null_export *export;
    enum nbd_form form;
    const uint8_t *pattern; /* a period of the contents */
    struct null_batch batch;

    /* a request that was cut in two */
    uint8_t header[NBD_REQUEST_SIZE_MAX];
    uint32_t header_have;

    /* a write whose payload is coming */
    uint64_t begin;
    uint64_t offset; /* of the next byte */
    uint32_t left;   /* bytes */
    uint32_t error;
    uint8_t cookie[8];
};

/* ---- Replies ---- */

static bool flush(struct null_session *session)
{
    struct null_batch *batch = &session->batch;
    struct iovec *piece = batch->pieces;
    struct iovec *end = piece + batch->pieces_count;

    while (piece != end) {
        struct msghdr message = {.msg_iov = piece, .msg_iovlen = (size_t)(end - piece)};
        ssize_t sent = sendmsg(session->descriptor, &message, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        while (piece != end && (size_t)sent >= piece->iov_len) {
            sent -= (ssize_t)piece->iov_len;
            piece++;
        }
        if (piece != end) {
            piece->iov_base = (uint8_t *)piece->iov_base + sent;
            piece->iov_len -= (size_t)sent;
        }
    }
    batch->count = 0;
    batch->pieces_count = 0;
    return true;
}

static void add_piece(struct null_batch *batch, const uint8_t *bytes, size_t length)
{
    batch->pieces[batch->pieces_count++] = (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
}

static void reply(struct null_session *session, const uint8_t *cookie, uint64_t offset, uint32_t error)
{
    struct null_batch *batch = &session->batch;
    uint8_t *header = batch->headers[batch->count++];

    add_piece(batch, header, reply_end(header, session->form, cookie, offset, error));
}

static bool flush_full(struct null_session *session)
{
    const struct null_batch *batch = &session->batch;

    return (batch->count < BATCH_MAX && batch->pieces_count + REPLY_MAX <= PIECES_MAX) || flush(session);
}

static void add_pattern(struct null_session *session, uint64_t offset, uint32_t length)
{
    while (length != 0) {
        uint32_t begin = (uint32_t)(offset % PATTERN_PERIOD);
        uint32_t count = length < PATTERN_PERIOD - begin ? length : PATTERN_PERIOD - begin;

        add_piece(&session->batch, session->pattern + begin, count);
        offset += count;
        length -= count;
    }
}

static void reply_read(struct null_session *session, const uint8_t *cookie, uint64_t offset, uint32_t length)
{
    struct null_batch *batch = &session->batch;
    uint8_t *header = batch->headers[batch->count++];

    if (session->export->sparse && session->form != NBD_SIMPLE) {
        add_piece(batch, header, reply_hole(header, session->form, cookie, offset, length));
        return;
    }
    add_piece(batch, header, reply_data_head(header, session->form, cookie, offset, length));
    add_pattern(session, offset, length);
}

/* ---- Requests ---- */

static bool begin_write(struct null_session *session, const uint8_t *header, uint64_t offset, uint32_t length)
{
    session->begin = offset;
    session->offset = offset;
    session->left = length;
    session->error = 0;
    memcpy(session->cookie, header + 8, 8);
    return session->left != 0;
}

/* False: the client has gone or said NBD_CMD_DISC. */
static bool request(struct null_session *session, const uint8_t *header)
{
    bool extended = session->form == NBD_EXTENDED;
    uint64_t offset = load_be64(header + 16);
    uint64_t length = extended ? load_be64(header + 24) : load_be32(header + 24);

    if (load_be32(header) != (extended ? NBD_EXTENDED_REQUEST_MAGIC : NBD_REQUEST_MAGIC) || length > PLAN_SIZE_MAX) {
        return false;
    }
    switch (load_be16(header + 6)) {
    case NBD_CMD_READ:
        reply_read(session, header + 8, offset, (uint32_t)length);
        return flush_full(session);
    case NBD_CMD_WRITE:
        return begin_write(session, header, offset, (uint32_t)length);
    case NBD_CMD_FLUSH:
    case NBD_CMD_TRIM:
        reply(session, header + 8, offset, 0);
        return flush_full(session);
    default:
        return false;
    }
}

static bool is_pattern(const struct null_session *session, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if (bytes[i] != session->pattern[(session->offset + i) % PATTERN_PERIOD]) {
            return false;
        }
    }
    return true;
}

static bool payload(struct null_session *session, const uint8_t *bytes, uint32_t length)
{
    if (session->export->verify && !is_pattern(session, bytes, length)) {
        session->error = NBD_EIO;
    }
    session->offset += length;
    session->left -= length;
    if (session->left != 0) {
        return true;
    }
    reply(session, session->cookie, session->begin, session->error);
    return flush_full(session);
}

/* The bytes of one receive. */
static bool parse(struct null_session *session, const uint8_t *bytes, size_t length)
{
    const uint32_t request_size = nbd_request_size(session->form);

    while (length != 0) {
        size_t limit = session->left != 0 ? session->left : request_size - session->header_have;
        size_t count = length < limit ? length : limit;
        bool going_on = true;

        if (session->left != 0) {
            going_on = payload(session, bytes, (uint32_t)count);
        } else if (count == request_size) {
            going_on = request(session, bytes);
        } else {
            memcpy(session->header + session->header_have, bytes, count);
            session->header_have += (uint32_t)count;
            if (session->header_have == request_size) {
                session->header_have = 0;
                going_on = request(session, session->header);
            }
        }
        if (!going_on) {
            return false;
        }
        bytes += count;
        length -= count;
    }
    return true;
}

static const uint8_t *make_pattern(const struct null_export *export)
{
    uint8_t *pattern = allocate(PATTERN_PERIOD);

    if (export->sparse) {
        memset(pattern, 0, PATTERN_PERIOD);
    } else {
        pattern_fill(pattern, PATTERN_PERIOD, 0);
    }
    return pattern;
}

void null_serve(int descriptor, const struct null_export *export, enum nbd_form form)
{
    static struct null_session session; /* one connection a process */
    uint8_t *bytes = allocate(RECEIVE_MAX);
    ssize_t count;

    session.descriptor = descriptor;
    session.export = export;
    session.form = form;
    session.pattern = make_pattern(export);
    do {
        count = recv(descriptor, bytes, RECEIVE_MAX, 0);
    } while (count > 0 && parse(&session, bytes, (size_t)count) && flush(&session));
}
