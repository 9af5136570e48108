/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of interop-client share. A connection keeps requests in flight, DEPTH at most; each belongs to one
 * slot, whose bytes of the export nobody else touches, so that what they must be is known whatever order the server
 * answers in.
 *
 *   client.c           the command line, and the loop that moves bytes
 *   client_wire.c      the socket: connecting, the handshake, sending and receiving
 *   client_request.c   which request comes next
 *   client_contents.c  what the slot's bytes must be, and whether an answer agrees with that
 *   client_tally.c     what was sent and what failed, counted
 */
#ifndef WNBD_TESTS_INTEROP_CLIENT_H
#define WNBD_TESTS_INTEROP_CLIENT_H

#include "core/base/compiler.h"
#include "core/io/queue.h"
#include "core/nbd/export.h"
#include "core/nbd/progress.h"
#include "core/nbd/reader.h"
#include "core/nbd/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEPTH       16u
#define BLOCK       512u
#define AREA        (128u << 10) /* bytes of the export that belong to one slot */
#define BLOCKS      (AREA / BLOCK)
#define RECEIVE_MAX 8192 /* larger reads come straight into their memory */

#define OPERATIONS  (IO_BLOCK_STATUS + 1)
#define FLAG_SETS   (IO_ONE_EXTENT << 1)
#define ERRORS      256u /* larger error numbers are counted together, as 0 */
#define CHOICES_MAX 32u

/* What is known of a block's contents. */
enum contents {
    CONTENTS_NEVER_SEEN, /* whatever is read first must be read again */
    CONTENTS_KNOWN,
    CONTENTS_UNKNOWN, /* trimmed, or a write failed: anything may be read, each time */
};

/* A slot's request, the only one in flight on its bytes. */
struct flight {
    struct io_request request;
    struct nbd_progress progress;
    uint32_t number;
    uint8_t *expected; /* what the slot's bytes of the export must be, where their contents are known */
    uint8_t *data;     /* what is being read or written */
    enum contents contents[BLOCKS];
    uint64_t told; /* bytes of the request that the extents so far are about */
};

struct tally {
    uint64_t sent[OPERATIONS][FLAG_SETS];
    uint64_t failed[OPERATIONS][ERRORS];
    uint64_t extents;
    uint64_t not_fast; /* writes of zeroes that were refused, as asked, for being slow */
};

struct client {
    int socket;
    enum nbd_form form_max;
    bool errors_are_counted;
    uint32_t depth; /* requests in flight, 1 to DEPTH */
    struct nbd_export server_export;
    struct nbd_terms terms;
    struct nbd_geometry geometry;
    struct io_queue queue;
    struct io_slot slots[DEPTH];
    struct flight flights[DEPTH];
    struct nbd_reader reader;
    enum io_operation choices[CHOICES_MAX]; /* as often as they are to be chosen */
    uint32_t choice_count;
    uint32_t random;
    uint64_t started;
    uint64_t wanted;
    struct tally tally;
    uint8_t *out; /* bytes to be sent */
    size_t out_length;
    size_t out_sent;
    uint8_t in[RECEIVE_MAX];
};

/* client_wire.c. All of them end the program when the server is silent. */

/* Ends the program: one sentence, exit code 1. */
_Noreturn void fail(const char *why);

void connect_to(struct client *client, const char *port);

/* Fills server_export and terms. */
void shake_hands(struct client *client, const char *name);

/* NBD_CMD_DISC: the server ends the connection and says nothing more. */
void disconnect(struct client *client);

/* Waits until some of `events` of poll(2) have happened; answers which. */
short wait_for_socket(struct client *client, short events);

/* Some bytes, at least one; 0 at the end of the connection. */
MUST_CHECK size_t receive_some(struct client *client, uint8_t *bytes, size_t room);

/* Sends what it can of `out` without waiting. */
void send_some(struct client *client);

/* client_request.c */

/* Finds out which operations the export and the terms have. */
void choose_operations(struct client *client);

/* Makes the flight's next request, with what is to be written in its data. */
void make_request(struct client *client, struct flight *flight);

/* client_contents.c */

/* The request is about to be sent: its writes are expected from now on. */
void contents_sent(struct flight *flight);

/* It has failed: what it would have written may be there or not. */
void contents_failed(struct flight *flight);

/* It has succeeded. NULL, or what is wrong with its answer. */
MUST_CHECK const char *contents_problem(struct flight *flight);

/* An extent, which begins where the one before ended. NULL, or what is wrong with it. */
MUST_CHECK const char *extent_problem(struct flight *flight, const struct nbd_part *part,
                                      const struct nbd_export *server);

/* client_tally.c */

void count_sent(struct tally *tally, const struct io_request *request);
void count_failed(struct tally *tally, const struct io_request *request, uint32_t error);

/* What was negotiated and the count of every kind, in one line; then a line for each kind of failure. */
void print_tally(const struct client *client);

#endif
