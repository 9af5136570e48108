/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handshake's state machine. What is sent is handshake_option.c's, what the replies mean handshake_reply.c's, what
 * is in them handshake_data.c's, the words handshake_describe.c's.
 *
 * Each state that receives has set `length` to what the protocol has next, each state that sends has filled the buffer.
 */
#include "core/nbd/handshake.h"

#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/nbd/handshake_internal.h"
#include "core/nbd/wire.h"

#define GREETING_MAGIC_SIZE 8u
#define GREETING_STYLE_SIZE 10u

void handshake_receive(struct nbd_handshake *handshake, enum nbd_handshake_state state, uint32_t length)
{
    handshake->state = state;
    handshake->length = length;
}

void handshake_done(struct nbd_handshake *handshake)
{
    handshake->state = NBD_DONE;
    handshake->length = 0;
}

void handshake_fail(struct nbd_handshake *handshake, enum nbd_handshake_failure failure)
{
    handshake->failure = failure;
    handshake->state = NBD_FAILED;
    handshake->length = 0;
}

void handshake_break(struct nbd_handshake *handshake, const char *broken)
{
    handshake->broken = broken;
    handshake_fail(handshake, NBD_HANDSHAKE_BROKEN);
}

/* The first magic number is asked for alone, so that something else that says little is told apart without a time-out.
 */
static void check_magic(struct nbd_handshake *handshake)
{
    if (load_be64(handshake->buffer) != NBD_MAGIC) {
        handshake_fail(handshake, NBD_HANDSHAKE_NOT_NBD);
        return;
    }
    handshake_receive(handshake, NBD_RECEIVE_STYLE, GREETING_STYLE_SIZE);
}

static void check_style(struct nbd_handshake *handshake)
{
    uint64_t magic = load_be64(handshake->buffer);

    if (magic == NBD_OLDSTYLE_MAGIC) {
        handshake_fail(handshake, NBD_HANDSHAKE_OLDSTYLE);
        return;
    }
    if (magic != NBD_OPTION_MAGIC) {
        handshake_break(handshake, "its greeting has a wrong second magic number");
        return;
    }
    handshake->server_flags = load_be16(handshake->buffer + 8);
    if (handshake->server_flags & NBD_FLAG_FIXED_NEWSTYLE) {
        handshake_send_option(handshake);
    } else if (handshake->purpose != NBD_FOR_SESSION) {
        handshake_fail(handshake, NBD_HANDSHAKE_NOT_FIXED);
    } else {
        handshake_send_export_name(handshake);
    }
}

static void read_export(struct nbd_handshake *handshake)
{
    handshake->server_export.size = load_be64(handshake->buffer);
    handshake->server_export.flags = load_be16(handshake->buffer + 8);
    if (handshake->server_flags & NBD_FLAG_NO_ZEROES) {
        handshake_done(handshake);
    } else {
        handshake_receive(handshake, NBD_RECEIVE_ZEROES, NBD_RESERVED_ZEROES);
    }
}

void nbd_handshake_init(struct nbd_handshake *handshake, const char *name, size_t name_length)
{
    memset(handshake, 0, sizeof *handshake);
    handshake->name_length = (uint32_t)(name_length < NBD_EXPORT_NAME_MAX ? name_length : NBD_EXPORT_NAME_MAX);
    memcpy(handshake->name, name, handshake->name_length);
    handshake->server_export = nbd_export_assumed(0, 0);
    handshake->form_max = NBD_EXTENDED;
    handshake_receive(handshake, NBD_RECEIVE_MAGIC, GREETING_MAGIC_SIZE);
}

void nbd_handshake_init_query(struct nbd_handshake *handshake, const char *name, size_t name_length)
{
    nbd_handshake_init(handshake, name, name_length);
    handshake->purpose = NBD_FOR_QUERY;
}

void nbd_handshake_init_list(struct nbd_handshake *handshake)
{
    nbd_handshake_init(handshake, "", 0);
    handshake->purpose = NBD_FOR_LIST;
}

/* NBD_OPT_ABORT has been sent, or need not be any more. */
static void leave(struct nbd_handshake *handshake)
{
    if (handshake->failure == NBD_HANDSHAKE_NO_FAILURE) {
        handshake_done(handshake);
    } else {
        handshake_fail(handshake, handshake->failure);
    }
}

enum nbd_handshake_step nbd_handshake_step(struct nbd_handshake *handshake, uint8_t **bytes, size_t *length)
{
    *bytes = handshake->buffer;
    *length = handshake->length;
    switch (handshake->state) {
    case NBD_SEND_OPTION:
    case NBD_SEND_EXPORT_NAME:
    case NBD_SEND_ABORT:
        return NBD_HANDSHAKE_SEND;
    case NBD_RECEIVE_MAGIC:
    case NBD_RECEIVE_STYLE:
    case NBD_RECEIVE_REPLY:
    case NBD_RECEIVE_INFO:
    case NBD_RECEIVE_ENTRY:
    case NBD_RECEIVE_CONTEXT:
    case NBD_RECEIVE_ERROR_TEXT:
    case NBD_RECEIVE_REST:
    case NBD_RECEIVE_EXPORT:
    case NBD_RECEIVE_ZEROES:
        return NBD_HANDSHAKE_RECEIVE;
    case NBD_ENTRY:
        return NBD_HANDSHAKE_ENTRY;
    case NBD_DONE:
        return NBD_HANDSHAKE_DONE;
    case NBD_FAILED:
        break;
    }
    return NBD_HANDSHAKE_FAILED;
}

void nbd_handshake_advance(struct nbd_handshake *handshake)
{
    switch (handshake->state) {
    case NBD_RECEIVE_MAGIC:
        check_magic(handshake);
        break;
    case NBD_RECEIVE_STYLE:
        check_style(handshake);
        break;
    case NBD_SEND_OPTION:
        handshake_receive(handshake, NBD_RECEIVE_REPLY, NBD_OPTION_REPLY_SIZE);
        break;
    case NBD_RECEIVE_REPLY:
        handshake_check_reply(handshake);
        break;
    case NBD_RECEIVE_INFO:
        handshake_read_info(handshake);
        break;
    case NBD_RECEIVE_ENTRY:
        handshake_read_entry(handshake);
        break;
    case NBD_RECEIVE_CONTEXT:
        handshake_read_context(handshake);
        break;
    case NBD_RECEIVE_ERROR_TEXT:
        handshake_read_error_text(handshake);
        break;
    case NBD_ENTRY:
    case NBD_RECEIVE_REST:
        handshake_read_rest(handshake);
        break;
    case NBD_SEND_EXPORT_NAME:
        handshake_receive(handshake, NBD_RECEIVE_EXPORT, NBD_EXPORT_NAME_REPLY_SIZE);
        break;
    case NBD_RECEIVE_EXPORT:
        read_export(handshake);
        break;
    case NBD_RECEIVE_ZEROES:
        handshake_done(handshake);
        break;
    case NBD_SEND_ABORT:
        leave(handshake);
        break;
    case NBD_DONE:
    case NBD_FAILED:
        break;
    }
}

void nbd_handshake_closed(struct nbd_handshake *handshake)
{
    switch (handshake->state) {
    case NBD_DONE:
    case NBD_FAILED:
        break;
    case NBD_SEND_ABORT:
        leave(handshake);
        break;
    case NBD_RECEIVE_EXPORT:
        handshake_fail(handshake, NBD_HANDSHAKE_UNKNOWN_EXPORT);
        break;
    case NBD_RECEIVE_MAGIC:
    case NBD_RECEIVE_STYLE:
    case NBD_SEND_OPTION:
    case NBD_RECEIVE_REPLY:
    case NBD_RECEIVE_INFO:
    case NBD_RECEIVE_ENTRY:
    case NBD_RECEIVE_CONTEXT:
    case NBD_ENTRY:
    case NBD_RECEIVE_ERROR_TEXT:
    case NBD_RECEIVE_REST:
    case NBD_SEND_EXPORT_NAME:
    case NBD_RECEIVE_ZEROES:
        handshake_fail(handshake, NBD_HANDSHAKE_CLOSED);
        break;
    }
}
