/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A failed handshake in words. */
#include "core/base/text.h"
#include "core/nbd/handshake.h"
#include "core/nbd/wire.h"

static void append_export(struct text *text, const struct nbd_handshake *handshake)
{
    if (handshake->purpose == NBD_FOR_LIST) {
        text_append(text, "the list of its exports");
        return;
    }
    if (handshake->name_length == 0) {
        text_append(text, "the default export");
        return;
    }
    text_append(text, "the export '");
    text_append_printable(text, handshake->name, handshake->name_length);
    text_append(text, "'");
}

static void append_unknown_export(struct text *text, const struct nbd_handshake *handshake)
{
    if (handshake->option == NBD_OPT_EXPORT_NAME) {
        text_append(text, "the server closed the connection when asked for ");
        append_export(text, handshake);
        text_append(text, ", as it does when it has no such export");
    } else if (handshake->name_length == 0) {
        text_append(text, "the server has no default export");
    } else {
        text_append(text, "the server has no export named '");
        text_append_printable(text, handshake->name, handshake->name_length);
        text_append(text, "'");
    }
}

static void append_refusal(struct text *text, const struct nbd_handshake *handshake)
{
    text_append(text, "the server refused ");
    append_export(text, handshake);
    switch (handshake->reply_type) {
    case NBD_REP_ERR_UNSUP:
        text_append(text, " because it does not know the question");
        break;
    case NBD_REP_ERR_INVALID:
        text_append(text, " because it took the question for invalid");
        break;
    case NBD_REP_ERR_PLATFORM:
        text_append(text, " because its platform does not support it");
        break;
    case NBD_REP_ERR_TOO_BIG:
        text_append(text, " because the question or the answer is too big for it");
        break;
    case NBD_REP_ERR_EXT_HEADER_REQD:
        text_append(text, " because it requires extended headers, which were not agreed on");
        break;
    default:
        text_append(text, " with the unknown error reply ");
        text_append_hex(text, handshake->reply_type);
        break;
    }
}

static void append_closed(struct text *text, const struct nbd_handshake *handshake)
{
    text_append(text, handshake->option == 0 ? "the server closed the connection instead of greeting"
                                             : "the server closed the connection during the NBD handshake");
}

static void append_failure(struct text *text, const struct nbd_handshake *handshake)
{
    switch (handshake->failure) {
    case NBD_HANDSHAKE_NO_FAILURE:
        break;
    case NBD_HANDSHAKE_NOT_NBD:
        text_append(text, "what answers there is not an NBD server");
        break;
    case NBD_HANDSHAKE_OLDSTYLE:
        text_append(text, "the server speaks only the old-style NBD handshake, which has no export names");
        break;
    case NBD_HANDSHAKE_NOT_FIXED:
        text_append(text, "the server speaks an early NBD handshake, which can only be asked to use an export");
        break;
    case NBD_HANDSHAKE_UNKNOWN_EXPORT:
        append_unknown_export(text, handshake);
        break;
    case NBD_HANDSHAKE_TLS_REQUIRED:
        text_append(text, "the server requires TLS for ");
        append_export(text, handshake);
        text_append(text, ", and this client does not speak TLS");
        break;
    case NBD_HANDSHAKE_POLICY:
        text_append(text, "the server's policy forbids ");
        append_export(text, handshake);
        break;
    case NBD_HANDSHAKE_SHUTDOWN:
        text_append(text, "the server is shutting down");
        break;
    case NBD_HANDSHAKE_BLOCK_SIZE_REQUIRED:
        text_append(text, "the server requires block sizes to be agreed on, but did not take the offer to");
        break;
    case NBD_HANDSHAKE_REFUSED:
        append_refusal(text, handshake);
        break;
    case NBD_HANDSHAKE_BROKEN:
        text_append(text, "the server broke the NBD protocol: ");
        text_append(text, handshake->broken);
        break;
    case NBD_HANDSHAKE_CLOSED:
        append_closed(text, handshake);
        break;
    }
}

void nbd_handshake_describe(const struct nbd_handshake *handshake, char *bytes, size_t size)
{
    struct text text;

    text_init(&text, bytes, size);
    append_failure(&text, handshake);
    if (handshake->failure != NBD_HANDSHAKE_NO_FAILURE && handshake->reply_type != 0 &&
        handshake->server_text[0] != '\0') {
        text_append(&text, " (");
        text_append(&text, handshake->server_text);
        text_append(&text, ")");
    }
}
