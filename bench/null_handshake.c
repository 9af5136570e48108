/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/null_server.h"
#include "core/base/bytes.h"
#include "core/nbd/wire.h"

#include <string.h>

#define OPTION_MAX 4096 /* bytes of an option's data */

/* Nothing is kept, so that all connections see the same: several may be used. */
#define EXPORT_FLAGS                                                                                                   \
    (NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM | NBD_FLAG_CAN_MULTI_CONN)

static bool greet(int descriptor, uint32_t *client_flags)
{
    uint8_t greeting[18];
    uint8_t flags[4];

    store_be64(greeting, NBD_MAGIC);
    store_be64(greeting + 8, NBD_OPTION_MAGIC);
    store_be16(greeting + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
    if (!null_send(descriptor, greeting, sizeof greeting) || !null_receive(descriptor, flags, sizeof flags)) {
        return false;
    }
    *client_flags = load_be32(flags);
    return true;
}

static bool reply(int descriptor, uint32_t option, uint32_t type, const uint8_t *data, uint32_t length)
{
    uint8_t bytes[NBD_OPTION_REPLY_SIZE + NBD_INFO_EXPORT_SIZE];

    store_be64(bytes, NBD_OPTION_REPLY_MAGIC);
    store_be32(bytes + 8, option);
    store_be32(bytes + 12, type);
    store_be32(bytes + 16, length);
    if (length != 0) {
        memcpy(bytes + NBD_OPTION_REPLY_SIZE, data, length);
    }
    return null_send(descriptor, bytes, NBD_OPTION_REPLY_SIZE + length);
}

static bool describe(int descriptor, const struct null_export *export, uint32_t option)
{
    uint8_t info[NBD_INFO_EXPORT_SIZE];

    store_be16(info, NBD_INFO_EXPORT);
    store_be64(info + 2, export->size);
    store_be16(info + 10, EXPORT_FLAGS);
    return reply(descriptor, option, NBD_REP_INFO, info, sizeof info) &&
           reply(descriptor, option, NBD_REP_ACK, NULL, 0);
}

static bool answer_export_name(int descriptor, const struct null_export *export, uint32_t client_flags)
{
    uint8_t bytes[NBD_EXPORT_NAME_REPLY_SIZE + NBD_RESERVED_ZEROES] = {0};
    bool short_form = (client_flags & NBD_FLAG_C_NO_ZEROES) != 0;

    store_be64(bytes, export->size);
    store_be16(bytes + 8, EXPORT_FLAGS);
    return null_send(descriptor, bytes, short_form ? NBD_EXPORT_NAME_REPLY_SIZE : sizeof bytes);
}

/* An option and its data, which do not matter. */
static bool receive_option(int descriptor, uint32_t *option)
{
    uint8_t header[NBD_OPTION_SIZE];
    uint8_t data[OPTION_MAX];
    uint32_t length;

    if (!null_receive(descriptor, header, sizeof header) || load_be64(header) != NBD_OPTION_MAGIC) {
        return false;
    }
    *option = load_be32(header + 8);
    length = load_be32(header + 12);
    return length <= sizeof data && null_receive(descriptor, data, length);
}

/* The best form that was asked for counts, whatever is asked for afterwards. */
static bool grant(int descriptor, const struct null_export *export, uint32_t option, enum nbd_form *form)
{
    enum nbd_form asked = option == NBD_OPT_EXTENDED_HEADERS ? NBD_EXTENDED : NBD_STRUCTURED;

    if (asked > export->form_max) {
        return reply(descriptor, option, NBD_REP_ERR_UNSUP, NULL, 0);
    }
    if (asked > *form) {
        *form = asked;
    }
    return reply(descriptor, option, NBD_REP_ACK, NULL, 0);
}

bool null_shake_hands(int descriptor, const struct null_export *export, enum nbd_form *form)
{
    uint32_t client_flags;
    uint32_t option;

    *form = NBD_SIMPLE;
    if (!greet(descriptor, &client_flags)) {
        return false;
    }
    while (receive_option(descriptor, &option)) {
        bool sent = true;

        switch (option) {
        case NBD_OPT_EXPORT_NAME:
            return answer_export_name(descriptor, export, client_flags);
        case NBD_OPT_GO:
            return describe(descriptor, export, option);
        case NBD_OPT_INFO:
            sent = describe(descriptor, export, option);
            break;
        case NBD_OPT_STRUCTURED_REPLY:
        case NBD_OPT_EXTENDED_HEADERS:
            sent = grant(descriptor, export, option, form);
            break;
        case NBD_OPT_ABORT:
            reply(descriptor, option, NBD_REP_ACK, NULL, 0);
            return false;
        default:
            sent = reply(descriptor, option, NBD_REP_ERR_UNSUP, NULL, 0);
            break;
        }
        if (!sent) {
            return false;
        }
    }
    return false;
}
