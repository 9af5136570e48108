/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replies to NBD_OPT_GO ("Option types", "Option reply types"): any number of NBD_REP_INFO, then one that ends it.
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

/* All of an error reply has been received. */
static void end_with_error(struct nbd_handshake *handshake)
{
    if (handshake->type == NBD_REP_ERR_UNSUP && handshake->purpose == NBD_FOR_SESSION) {
        /* What came before it, with an option that is then not supported, does not count. */
        handshake->server_export = nbd_export_assumed(0, 0);
        handshake->server_text[0] = '\0';
        handshake_send_export_name(handshake);
        return;
    }
    handshake->reply_type = handshake->type;
    handshake_send_abort(handshake, failure_of(handshake->type));
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

static void check_ack(struct nbd_handshake *handshake)
{
    if (handshake->left != 0) {
        handshake_break(handshake, "it sent data with NBD_REP_ACK");
        return;
    }
    if (!handshake->got_export && handshake->purpose != NBD_FOR_LIST) {
        handshake_break(handshake, "it sent NBD_REP_ACK without NBD_INFO_EXPORT");
        return;
    }
    if (handshake->purpose == NBD_FOR_SESSION) {
        handshake_done(handshake);
    } else {
        handshake_send_abort(handshake, NBD_HANDSHAKE_NO_FAILURE); /* there was nothing else to ask */
    }
}

static void check_info(struct nbd_handshake *handshake)
{
    if (handshake->left < 2) {
        handshake_break(handshake, "it sent NBD_REP_INFO without an information type");
        return;
    }
    receive_part(handshake, NBD_RECEIVE_INFO);
}

static void check_entry(struct nbd_handshake *handshake)
{
    if (handshake->left < 4) {
        handshake_break(handshake, "it sent NBD_REP_SERVER without the length of a name");
        return;
    }
    receive_part(handshake, NBD_RECEIVE_ENTRY);
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
    if (handshake->purpose == NBD_FOR_LIST) {
        return handshake->replies > NBD_ENTRIES_MAX ? "it sent a list of more than 10000 exports" : NULL;
    }
    return handshake->replies >= NBD_REPLIES_MAX ? "it sent more than 64 replies to one option" : NULL;
}

/* Whether the option that was sent is answered with such replies, and then with one that ends it. */
static bool is_of_option(const struct nbd_handshake *handshake, uint32_t type)
{
    return type == (handshake->purpose == NBD_FOR_LIST ? NBD_REP_SERVER : NBD_REP_INFO);
}

/* What an option is not answered with. */
static const char *type_problem(const struct nbd_handshake *handshake)
{
    return handshake->purpose == NBD_FOR_LIST ? "it sent a reply of a type that NBD_OPT_LIST does not have"
                                              : "it sent a reply of a type that NBD_OPT_GO does not have";
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
    } else if (!is_of_option(handshake, handshake->type)) {
        handshake_break(handshake, type_problem(handshake));
    } else if (handshake->type == NBD_REP_INFO) {
        check_info(handshake);
    } else {
        check_entry(handshake);
    }
}
