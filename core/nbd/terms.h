/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the two sides of a connection talk in the transmission phase, as the handshake has settled it. */
#ifndef WNBD_CORE_NBD_TERMS_H
#define WNBD_CORE_NBD_TERMS_H

#include <stdbool.h>
#include <stdint.h>

enum nbd_form {
    NBD_SIMPLE,     /* a reply is one message; a read's is its data, all of it */
    NBD_STRUCTURED, /* NBD_OPT_STRUCTURED_REPLY: a reply is one chunk or more; requests are as before */
    NBD_EXTENDED,   /* NBD_OPT_EXTENDED_HEADERS: the same with longer headers, those of requests too */
};

/* All zero: nothing was asked for, as when the handshake is skipped. */
struct nbd_terms {
    enum nbd_form form;
    bool block_status;      /* IO_BLOCK_STATUS may be sent: "base:allocation" was selected */
    uint32_t allocation_id; /* that context's id on this connection */
};

#endif
