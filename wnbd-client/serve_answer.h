/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The callbacks of a disk that this program serves. */
#ifndef WNBD_CLIENT_SERVE_ANSWER_H
#define WNBD_CLIENT_SERVE_ANSWER_H

#include "wnbd-client/serve_medium.h"

/* The disk's context. */
struct service {
    const char *name;      /* borrowed */
    struct medium *medium; /* borrowed */
    uint32_t block_size;
    bool json;              /* how `map` tells of the disk */
    LONG volatile failures; /* so far, of all requests */
};

extern WNBD_INTERFACE serve_callbacks;

#endif
