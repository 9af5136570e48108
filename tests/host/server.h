/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NBD server within the test program: an export in memory, and what a server can do wrong. It knows neither the
 * kernel's headers nor the driver.
 */
#ifndef TESTS_HOST_SERVER_H
#define TESTS_HOST_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_options {
    uint64_t size;         /* bytes */
    uint16_t flags;        /* transmission flags; SERVER_FLAGS_USUAL */
    uint32_t maximum;      /* bytes in a request, 0: not said */
    uint32_t error;        /* each request is answered with this NBD error; 0: it is carried out */
    unsigned drop_at;      /* the n-th request ends the connection with a reset; 0: never */
    unsigned stall_at;     /* from the n-th request on nothing is answered; 0: never */
    bool cut_payload;      /* a read's payload ends half-way, then the connection */
    bool backwards;        /* replies of what is at hand come in reverse order */
    bool silent;           /* accepts and says nothing */
    const uint8_t *script; /* sent in place of everything after accepting; then the connection ends */
    size_t script_length;
};

#define SERVER_FLAGS_USUAL (1 << 0 | 1 << 2 | 1 << 3 | 1 << 5) /* has flags, FLUSH, FUA, TRIM */

struct server;

/* Listens on a port of 127.0.0.1 of its own. */
struct server *server_start(const struct server_options *options);
uint16_t server_port(const struct server *server);

/* What the export holds, beside the clients. */
void server_read(struct server *server, uint64_t offset, void *data, size_t length);
void server_write(struct server *server, uint64_t offset, const void *data, size_t length);

/* Requests served so far. */
unsigned server_requests(struct server *server);

/* Ends all connections and waits for its threads. */
void server_stop(struct server *server);

#endif
