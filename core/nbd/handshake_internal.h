/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the handshake's machine call in each other. */
#ifndef WNBD_CORE_NBD_HANDSHAKE_INTERNAL_H
#define WNBD_CORE_NBD_HANDSHAKE_INTERNAL_H

#include "core/nbd/handshake.h"

/* An option that is answered with any number of replies of a type and one that ends it (the table in
 * handshake_option.c). NBD_OPT_EXPORT_NAME and NBD_OPT_ABORT are not. */
struct nbd_option {
    uint32_t number;
    uint32_t reply_type;    /* of the replies before the last; NBD_REP_ACK, which ends it, when there are none */
    bool optional;          /* a refusal is no failure: the next option goes on without what this one asks for */
    bool lists;             /* each reply is an entry of a list: NBD_ENTRIES_MAX, not NBD_REPLIES_MAX */
    const char *wrong_type; /* a reply of another type, a clause */
};

/* handshake.c: the transitions. */
void handshake_receive(struct nbd_handshake *handshake, enum nbd_handshake_state state, uint32_t length);
void handshake_done(struct nbd_handshake *handshake);
void handshake_fail(struct nbd_handshake *handshake, enum nbd_handshake_failure failure);
void handshake_break(struct nbd_handshake *handshake, const char *broken);

/* handshake_option.c: what is sent. The next option is the first, or the one that follows what has been agreed on. */
void handshake_send_option(struct nbd_handshake *handshake);
void handshake_send_export_name(struct nbd_handshake *handshake);
void handshake_send_abort(struct nbd_handshake *handshake, enum nbd_handshake_failure failure);

/* handshake_reply.c: a reply's header, a part of the rest of it have been received. */
void handshake_check_reply(struct nbd_handshake *handshake);
void handshake_read_rest(struct nbd_handshake *handshake);

/* handshake_data.c: the first part of a reply's data has been received. */
void handshake_read_info(struct nbd_handshake *handshake);
void handshake_read_entry(struct nbd_handshake *handshake);
void handshake_read_context(struct nbd_handshake *handshake);
void handshake_read_error_text(struct nbd_handshake *handshake);

#endif
