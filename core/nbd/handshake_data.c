/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data of a reply to an option, as far as the first part of it goes. */
#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/nbd/handshake_internal.h"
#include "core/nbd/wire.h"

static bool read_info_export(struct nbd_handshake *handshake)
{
    if (handshake->length != NBD_INFO_EXPORT_SIZE) {
        handshake_break(handshake, "it sent NBD_INFO_EXPORT with a wrong length");
        return false;
    }
    handshake->server_export.size = load_be64(handshake->buffer + 2);
    handshake->server_export.flags = load_be16(handshake->buffer + 10);
    handshake->got_export = true;
    return true;
}

/* The values are judged with the export as a whole: nbd_export_geometry. */
static bool read_info_block_size(struct nbd_handshake *handshake)
{
    if (handshake->length != NBD_INFO_BLOCK_SIZE_SIZE) {
        handshake_break(handshake, "it sent NBD_INFO_BLOCK_SIZE with a wrong length");
        return false;
    }
    handshake->server_export.minimum_block = load_be32(handshake->buffer + 2);
    handshake->server_export.preferred_block = load_be32(handshake->buffer + 6);
    handshake->server_export.maximum_payload = load_be32(handshake->buffer + 10);
    return true;
}

/* Keeps in `to` the beginning of what is in the buffer from `begin` on: words for a person. */
static void keep_words(const struct nbd_handshake *handshake, uint32_t begin, char to[NBD_SERVER_TEXT_MAX])
{
    struct text text;

    text_init(&text, to, NBD_SERVER_TEXT_MAX);
    text_append_printable(&text, handshake->buffer + begin, handshake->length - begin);
}

/* A name or a description: asked for or not, a string like any other ("Conventions"). */
static bool read_info_string(struct nbd_handshake *handshake, uint16_t type)
{
    if (handshake->length + handshake->left > 2 + NBD_STRING_MAX) {
        handshake_break(handshake, "it sent a name or description of more than 4096 bytes");
        return false;
    }
    keep_words(handshake, 2, type == NBD_INFO_NAME ? handshake->canonical_name : handshake->entry_description);
    return true;
}

/* The known lengths are below a buffer's, so `length` is all of such a reply. Other types are to be ignored. */
void handshake_read_info(struct nbd_handshake *handshake)
{
    uint16_t type = load_be16(handshake->buffer);
    bool good = true;

    if (type == NBD_INFO_EXPORT) {
        good = read_info_export(handshake);
    } else if (type == NBD_INFO_BLOCK_SIZE) {
        good = read_info_block_size(handshake);
    } else if (type == NBD_INFO_NAME || type == NBD_INFO_DESCRIPTION) {
        good = read_info_string(handshake, type);
    }
    if (good) {
        handshake_read_rest(handshake);
    }
}

/* Copies a name of `length` bytes that begins in the buffer at 4, as far as an export's name may go. */
static void keep_name(struct nbd_handshake *handshake, uint32_t length)
{
    uint32_t count = length < NBD_EXPORT_NAME_MAX ? length : NBD_EXPORT_NAME_MAX;
    uint32_t kept = 0;

    while (kept < count && handshake->buffer[4 + kept] != '\0') {
        handshake->entry_name[kept] = (char)handshake->buffer[4 + kept];
        kept++;
    }
    handshake->entry_name[kept] = '\0';
    handshake->entry_usable = kept == length;
}

/* NBD_REP_SERVER: the length of a name, the name, and what the server says about it. */
void handshake_read_entry(struct nbd_handshake *handshake)
{
    uint32_t name_length = load_be32(handshake->buffer);
    uint32_t length = handshake->length + handshake->left;

    if (name_length > length - 4) {
        handshake_break(handshake, "it sent an export's name that is longer than the reply it is in");
        return;
    }
    if (name_length > NBD_STRING_MAX || length - 4 - name_length > NBD_STRING_MAX) {
        handshake_break(handshake, "it sent a name or description of more than 4096 bytes");
        return;
    }
    keep_name(handshake, name_length);
    keep_words(handshake, name_length < handshake->length - 4 ? 4 + name_length : handshake->length,
               handshake->entry_description);
    handshake->state = NBD_ENTRY;
}

/* A context's name that begins in the buffer at 4 and has `length` bytes is the one that was asked for. */
static bool is_allocation(const struct nbd_handshake *handshake, uint32_t length)
{
    static const char allocation[] = NBD_CONTEXT_ALLOCATION;

    return length == sizeof allocation - 1 && memcmp(handshake->buffer + 4, allocation, length) == 0;
}

/* The answer to NBD_OPT_SET_META_CONTEXT. NULL when it is one to the one query. */
static const char *select_context(struct nbd_handshake *handshake, uint32_t length)
{
    if (!is_allocation(handshake, length)) {
        return "it selected a metadata context that was not asked for";
    }
    if (handshake->terms.block_status) {
        return "it selected a metadata context twice";
    }
    handshake->terms.block_status = true;
    handshake->terms.allocation_id = load_be32(handshake->buffer);
    return NULL;
}

/* Adds a name to the contexts, as one word, or leaves it out when it does not fit. */
static void keep_context(struct nbd_handshake *handshake, uint32_t length)
{
    uint32_t end = handshake->contexts_length;
    struct text text = {.bytes = handshake->contexts, .size = sizeof handshake->contexts, .length = end};
    size_t begin;

    text_append(&text, end != 0 ? " " : "");
    begin = text.length;
    text_append_printable(&text, handshake->buffer + 4, length);
    if (text.cut || text.length == begin) {
        handshake->contexts[end] = '\0';
        return;
    }
    for (size_t i = begin; i < text.length; i++) {
        text.bytes[i] = text.bytes[i] == ' ' ? '?' : text.bytes[i];
    }
    handshake->contexts_length = (uint32_t)text.length;
}

/* NBD_REP_META_CONTEXT: the context's number, which means something only to NBD_OPT_SET_META_CONTEXT, and its name. */
void handshake_read_context(struct nbd_handshake *handshake)
{
    uint32_t length = handshake->length + handshake->left - 4;
    const char *problem = NULL;

    if (length > NBD_STRING_MAX) {
        problem = "it sent a metadata context's name of more than 4096 bytes";
    } else if (handshake->option == NBD_OPT_SET_META_CONTEXT) {
        problem = select_context(handshake, length);
    } else {
        keep_context(handshake, handshake->length - 4);
    }
    if (problem != NULL) {
        handshake_break(handshake, problem);
    } else {
        handshake_read_rest(handshake);
    }
}

void handshake_read_error_text(struct nbd_handshake *handshake)
{
    struct text text;

    text_init(&text, handshake->server_text, sizeof handshake->server_text);
    text_append_printable(&text, handshake->buffer, handshake->length);
    handshake_read_rest(handshake);
}
