/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replies to an option ("Option types", "Option reply types"): any number of the option's type, then one that ends
 * it, and what follows from that one.
 *
 * Of a reply's data only the first part is looked at: everything that matters here is short. The rest is received and
 * dropped, at most a buffer at a time, so that a length from the server never becomes an amount of memory.
 */
#include "core/base/bytes.h"
#include "core/nbd/handshake_internal.h"
#include "core/nbd/wire.h"

/* Asks for the next part of the reply in hand. */
static void receive_part(struct nbd_handshake *handshake, enum nbd_handshake_state state)
{
    uint32_t part = handshake->left < NBD_HANDSHAKE_BUFFER ? handshake->left : NBD_HANDSHAKE_BUFFER;

    handshake->left -= part;
    handshake_receive(handshake, state, part);
}

/* The first part of a reply whose data has `smallest` bytes or more. */
static void receive_data(struct nbd_handshake *handshake, enum nbd_handshake_state state, uint32_t smallest,
                         const char *problem)
{
    if (handshake->left < smallest) {
        handshake_break(handshake, problem);
    } else {
        receive_part(handshake, state);
    }
}

/* ---- The end of an option ---- */

static enum nbd_handshake_failure failure_of(uint32_t type)
{
    switch (type) {
    case NBD_REP_ERR_POLICY:
        return NBD_HANDSHAKE_POLICY;
    case NBD_REP_ERR_TLS_REQD:
        return NBD_HANDSHAKE_TLS_REQUIRED;
    case NBD_REP_ERR_UNKNOWN:
        return NBD_HANDSHAKE_UNKNOWN_EXPORT;
    case NBD_REP_ERR_SHUTDOWN:
        return NBD_HANDSHAKE_SHUTDOWN;
    case NBD_REP_ERR_BLOCK_SIZE_REQD:
        return NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED;
    }
    return NBD_HANDSHAKE_REFUSED;
}

/* Contexts that came before an error are to be disregarded ("Option types", NBD_OPT_SET_META_CONTEXT). */
static void forget_contexts(struct nbd_handshake *handshake)
{
    handshake->terms.block_status = false;
    handshake->terms.allocation_id = 0;
    handshake->contexts[0] = '\0';
    handshake->contexts_length = 0;
}

/* After these it makes no difference what else is asked. */
static bool is_final(uint32_t type)
{
    return type == NBD_REP_ERR_SHUTDOWN || type == NBD_REP_ERR_TLS_REQD;
}

/* All of an error reply has been received. */
static void end_with_error(struct nbd_handshake *handshake)
{
    if (handshake->asked->optional && !is_final(handshake->type)) {
        handshake->server_text[0] = '\0';
        forget_contexts(handshake);
        handshake_send_option(handshake);
    } else if (handshake->option == NBD_OPT_GO && handshake->type == NBD_REP_ERR_UNSUP) {
        /* What came before it, with an option that is then not supported, does not count. */
        handshake->server_text[0] = '\0';
        handshake->server_export = nbd_export_assumed(0, 0);
        handshake_send_export_name(handshake);
    } else {
        handshake->reply_type = handshake->type;
        handshake_send_abort(handshake, failure_of(handshake->type));
    }
}

/* All of a reply that does not end the option, or of an error, has been received. */
static void end_reply(struct nbd_handshake *handshake)
{
    if (handshake->type & NBD_REP_ERR) {
        end_with_error(handshake);
        return;
    }
    handshake_receive(handshake, NBD_RECEIVE_REPLY, NBD_OPTION_REPLY_SIZE);
}

void handshake_read_rest(struct nbd_handshake *handshake)
{
    if (handshake->left != 0) {
        receive_part(handshake, NBD_RECEIVE_REST);
    } else {
        end_reply(handshake);
    }
}

/* NBD_OPT_GO or NBD_OPT_INFO has been granted. */
static void end_with_export(struct nbd_handshake *handshake)
{
    if (!handshake->got_export) {
        handshake_break(handshake, "it sent NBD_REP_ACK without NBD_INFO_EXPORT");
    } else if (handshake->option == NBD_OPT_GO) {
        handshake_done(handshake);
    } else {
        handshake_send_abort(handshake, NBD_HANDSHAKE_NO_FAILURE); /* there was nothing else to ask */
    }
}

static void end_with_ack(struct nbd_handshake *handshake)
{
    switch (handshake->option) {
    case NBD_OPT_GO:
    case NBD_OPT_INFO:
        end_with_export(handshake);
        return;
    case NBD_OPT_LIST:
        handshake_send_abort(handshake, NBD_HANDSHAKE_NO_FAILURE);
        return;
    case NBD_OPT_EXTENDED_HEADERS:
        handshake->terms.form = NBD_EXTENDED;
        break;
    case NBD_OPT_STRUCTURED_REPLY:
        handshake->terms.form = NBD_STRUCTURED;
        break;
    }
    handshake_send_option(handshake);
}

/* ---- The header of a reply ---- */

static void check_ack(struct nbd_handshake *handshake)
{
    if (handshake->left != 0) {
        handshake_break(handshake, "it sent data with NBD_REP_ACK");
    } else {
        end_with_ack(handshake);
    }
}

static void check_error(struct nbd_handshake *handshake)
{
    if (handshake->left > NBD_STRING_MAX) {
        handshake_break(handshake, "it sent an error text of more than 4096 bytes");
        return;
    }
    if (handshake->left == 0) {
        end_with_error(handshake);
        return;
    }
    receive_part(handshake, NBD_RECEIVE_ERROR_TEXT);
}

/* The reply that ends a list is not an entry. */
static const char *count_problem(const struct nbd_handshake *handshake)
{
    if (handshake->asked->lists) {
        return handshake->replies > NBD_ENTRIES_MAX ? "it sent a list of more than 10000 entries" : NULL;
    }
    return handshake->replies >= NBD_REPLIES_MAX ? "it sent more than 64 replies to one option" : NULL;
}

/* NULL when the header is one of a reply to the option that was sent. */
static const char *header_problem(const struct nbd_handshake *handshake)
{
    if (load_be64(handshake->buffer) != NBD_OPTION_REPLY_MAGIC) {
        return "its reply to an option has a wrong magic number";
    }
    if (load_be32(handshake->buffer + 8) != handshake->option) {
        return "it replied to an option that was not sent";
    }
    if (load_be32(handshake->buffer + 16) > NBD_REPLY_LENGTH_MAX) {
        return "it sent a reply of more than 65536 bytes";
    }
    return count_problem(handshake);
}

/* A reply of the option's own type. */
static void check_data(struct nbd_handshake *handshake)
{
    switch (handshake->type) {
    case NBD_REP_INFO:
        receive_data(handshake, NBD_RECEIVE_INFO, 2, "it sent NBD_REP_INFO without an information type");
        break;
    case NBD_REP_META_CONTEXT:
        receive_data(handshake, NBD_RECEIVE_CONTEXT, 4, "it sent NBD_REP_META_CONTEXT without the context's number");
        break;
    case NBD_REP_SERVER:
        receive_data(handshake, NBD_RECEIVE_ENTRY, 4, "it sent NBD_REP_SERVER without the length of a name");
        break;
    }
}

void handshake_check_reply(struct nbd_handshake *handshake)
{
    const char *problem = header_problem(handshake);

    if (problem != NULL) {
        handshake_break(handshake, problem);
        return;
    }
    handshake->replies++;
    handshake->type = load_be32(handshake->buffer + 12);
    handshake->left = load_be32(handshake->buffer + 16);
    if (handshake->type == NBD_REP_ACK) {
        check_ack(handshake);
    } else if (handshake->type & NBD_REP_ERR) {
        check_error(handshake);
    } else if (handshake->type == handshake->asked->reply_type) {
        check_data(handshake);
    } else {
        handshake_break(handshake, handshake->asked->wrong_type);
    }
}
