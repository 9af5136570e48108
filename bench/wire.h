/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A socket to an NBD server, over TCP or Unix, that counts the system calls it makes. Every error ends the
 * program; plan_read has set an alarm for what takes too long. */
#ifndef WNBD_BENCH_WIRE_H
#define WNBD_BENCH_WIRE_H

#include "core/nbd/export.h"
#include "core/nbd/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct wire {
    int socket;
    struct nbd_terms terms;
    uint64_t calls;
};

/* Connects and shakes hands with the core's handshake, until replies have the form that is asked for; `*server_export`
 * is what the server said of its default export. */
void wire_open(struct wire *wire, const char *address, enum nbd_form form, struct nbd_export *server_export);

/* Bytes sent, at least 1 and at most all of `pieces`; 0 only when `wait` is false and there is no room. */
size_t wire_send(struct wire *wire, struct iovec *pieces, size_t count, bool wait);

/* Bytes that came, at least 1; 0 only when `wait` is false and there are none. */
size_t wire_receive(struct wire *wire, struct iovec *pieces, size_t count, bool wait);

/* Sends NBD_CMD_DISC and closes. */
void wire_close(struct wire *wire);

#endif
