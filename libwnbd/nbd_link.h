/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to the NBD server of a disk, from a name to the transmission phase, and its end. */
#ifndef LIBWNBD_NBD_LINK_H
#define LIBWNBD_NBD_LINK_H

#include "libwnbd/nbd_socket.h"
#include "core/base/compiler.h"

#include "core/nbd/handshake.h"

#define NBD_PROBLEM_SIZE 1024

struct nbd_link {
    /* Fixed after nbd_link_init. */
    const WNBD_PROPERTIES *properties; /* borrowed: which server and export */
    HANDLE stop;                       /* borrowed: ends whatever waits */
    struct nbd_call in;
    struct nbd_call out;
    /* Of the connection. */
    SOCKET socket; /* INVALID_SOCKET: there is none */
    SOCKADDR_STORAGE peer;
    int peer_length;                /* 0: none has answered yet */
    struct nbd_terms terms;         /* that were agreed on */
    struct nbd_export export;       /* as the server has described it now */
    struct nbd_handshake handshake; /* memory for it */
    char problem[NBD_PROBLEM_SIZE]; /* why nbd_link_open has failed: a clause */
};

/* 8: no events. nbd_link_free is to be called either way. */
DWORD nbd_link_init(struct nbd_link *link, const WNBD_PROPERTIES *properties, HANDLE stop);
void nbd_link_free(struct nbd_link *link);

/*
 * Connects to the address that answered last, if there is one, or to those of the server's name, and shakes hands; in
 * `timeout_ms` at most, but for the name's look-up, which Windows bounds.
 *
 * 995 stopped; else as WnbdRunNbdDaemon has it: a resolver's code (11001 ...), 2250 ERROR_NOT_CONNECTED, 5
 * ERROR_ACCESS_DENIED the server refuses, 31 ERROR_GEN_FAILURE the handshake was broken off. `problem` says why.
 */
DWORD nbd_link_open(struct nbd_link *link, DWORD timeout_ms);

/* Tells the server goodbye, unless `cut` (a request was sent in part), and waits until it has ended its side;
 * everything is over there then. FALSE: it did not, in that time. */
BOOL nbd_link_leave(struct nbd_link *link, BOOL cut, DWORD timeout_ms);

void nbd_link_close(struct nbd_link *link);

/* ---- Between its files ---- */

/* Notes the problem, answers `error`. */
DWORD nbd_link_fail(struct nbd_link *link, DWORD error, const char *format, ...) PRINTF_LIKE(3, 4);

/* nbd_connect.c: a connection, whose socket is link->socket then. */
DWORD nbd_link_connect(struct nbd_link *link, const struct nbd_limit *limit);

/* nbd_greet.c: the handshake, unless it is to be skipped. */
DWORD nbd_link_greet(struct nbd_link *link, const struct nbd_limit *limit);

#endif
