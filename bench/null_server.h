/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NBD server that costs as little as a server can, so that a client is what is measured: one thread a connection;
 * all requests that one receive brought are answered by one send; reads are answered from a pattern in memory that fits
 * a second-level cache, writes are dropped.
 */
#ifndef WNBD_BENCH_NULL_SERVER_H
#define WNBD_BENCH_NULL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NULL_SIZE (UINT64_C(1) << 30) /* of the export, bytes */

/* Receives or sends all of it; false at the end of the connection. */
bool null_receive(int descriptor, void *bytes, size_t length);
bool null_send(int descriptor, const void *bytes, size_t length);

/* The server's side of the fixed newstyle handshake: one export, whatever name is asked for. False when the client went
 * away or broke the protocol. */
bool null_shake_hands(int descriptor);

/* Answers requests until the client disconnects. `verify`: a write of anything but the pattern is answered with an
 * error. */
void null_serve(int descriptor, bool verify);

#endif
