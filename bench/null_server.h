/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NBD server that costs as little as a server can, so that a client is what is measured: one process a connection;
 * all requests that one receive brought are answered by one send; reads are answered from a pattern in memory that fits
 * a second-level cache, writes are dropped. Replies have the form that the client asks for, one chunk each.
 */
#ifndef WNBD_BENCH_NULL_SERVER_H
#define WNBD_BENCH_NULL_SERVER_H

#include "core/nbd/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What it is told to be. */
struct null_export {
    uint64_t size;          /* bytes */
    enum nbd_form form_max; /* the best form of replies that is granted to who asks for it */
    bool sparse;            /* nothing was ever written: a read is answered with a hole, or, in simple form, zeroes */
    bool verify;            /* a write of anything but the contents is answered with an error */
};

/* Receives or sends all of it; false at the end of the connection. */
bool null_receive(int descriptor, void *bytes, size_t length);
bool null_send(int descriptor, const void *bytes, size_t length);

/* The server's side of the fixed newstyle handshake: one export, whatever name is asked for. `*form` is what the client
 * asked for and was granted. False when the client went away or broke the protocol. */
bool null_shake_hands(int descriptor, const struct null_export *export, enum nbd_form *form);

/* Answers requests, in that form, until the client disconnects. */
void null_serve(int descriptor, const struct null_export *export, enum nbd_form form);

#endif
