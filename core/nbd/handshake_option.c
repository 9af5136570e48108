/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the client sends in the handshake: its flags and the options. */
#include "core/base/bytes.h"
#include "core/base/memory.h"
#include "core/nbd/handshake_internal.h"
#include "core/nbd/wire.h"

static uint8_t *end_of_buffer(struct nbd_handshake *handshake)
{
    return handshake->buffer + handshake->length;
}

static void put_be16(struct nbd_handshake *handshake, uint16_t value)
{
    store_be16(end_of_buffer(handshake), value);
    handshake->length += 2;
}

static void put_be32(struct nbd_handshake *handshake, uint32_t value)
{
    store_be32(end_of_buffer(handshake), value);
    handshake->length += 4;
}

static void put_name(struct nbd_handshake *handshake)
{
    memcpy(end_of_buffer(handshake), handshake->name, handshake->name_length);
    handshake->length += handshake->name_length;
}

/* "Client flags": none may be set that the server did not set. They leave together with the first option, which saves a
 * packet: no answer comes between. */
static void put_client_flags(struct nbd_handshake *handshake)
{
    uint32_t flags = handshake->server_flags & NBD_FLAG_FIXED_NEWSTYLE ? NBD_FLAG_C_FIXED_NEWSTYLE : 0;

    if (handshake->server_flags & NBD_FLAG_NO_ZEROES) {
        flags |= NBD_FLAG_C_NO_ZEROES;
    }
    put_be32(handshake, flags);
}

static void put_option(struct nbd_handshake *handshake, uint32_t option, uint32_t length)
{
    store_be64(end_of_buffer(handshake), NBD_OPTION_MAGIC);
    handshake->length += 8;
    put_be32(handshake, option);
    put_be32(handshake, length);
    handshake->option = option;
    handshake->replies = 0;
}

/* NBD_OPT_GO or NBD_OPT_INFO, which are asked in the same way. */
static void put_go(struct nbd_handshake *handshake, uint32_t option)
{
    static const uint16_t kinds[] = {NBD_INFO_EXPORT, NBD_INFO_BLOCK_SIZE, NBD_INFO_DESCRIPTION};
    uint16_t count = option == NBD_OPT_INFO ? 3 : 2; /* a session has no use for words */

    put_option(handshake, option, 4 + handshake->name_length + 2 + 2u * count);
    put_be32(handshake, handshake->name_length);
    put_name(handshake);
    put_be16(handshake, count);
    for (uint16_t i = 0; i < count; i++) {
        put_be16(handshake, kinds[i]);
    }
}

void handshake_send_question(struct nbd_handshake *handshake)
{
    handshake->state = NBD_SEND_GO;
    handshake->length = 0;
    put_client_flags(handshake);
    switch (handshake->purpose) {
    case NBD_FOR_SESSION:
        put_go(handshake, NBD_OPT_GO);
        break;
    case NBD_FOR_QUERY:
        put_go(handshake, NBD_OPT_INFO);
        break;
    case NBD_FOR_LIST:
        put_option(handshake, NBD_OPT_LIST, 0);
        break;
    }
}

void handshake_send_export_name(struct nbd_handshake *handshake)
{
    handshake->state = NBD_SEND_EXPORT_NAME;
    handshake->length = 0;
    if (handshake->option == 0) {
        put_client_flags(handshake);
    }
    put_option(handshake, NBD_OPT_EXPORT_NAME, handshake->name_length);
    put_name(handshake);
}

/* "Termination of the session during option haggling": a client that is within the protocol may leave only this way.
 * The answer is not waited for, which the document allows ("Option types", NBD_OPT_ABORT). */
void handshake_send_abort(struct nbd_handshake *handshake, enum nbd_handshake_failure failure)
{
    handshake->failure = failure;
    handshake->state = NBD_SEND_ABORT;
    handshake->length = 0;
    put_option(handshake, NBD_OPT_ABORT, 0);
}
