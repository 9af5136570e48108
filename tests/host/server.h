/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NBD server within the test program: an export in memory, and what a server can do wrong. It knows neither the
 * kernel's headers nor the driver, and has numbers of its own for what is on the wire.
 *
 *   server.c               threads
 *   server_ask.c           what a test asks
 *   server_wire.c          bytes, and when they end
 *   server_handshake.c     options
 *   server_transmission.c  requests, what is wrong with them, and in which order they are answered
 *   server_reply.c         what they do, and simple replies
 *   server_chunk.c         structured and extended replies
 *   server_extent.c        block status
 */
#ifndef TESTS_HOST_SERVER_H
#define TESTS_HOST_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that it agrees to. */
enum server_form {
    SERVER_SIMPLE,
    SERVER_STRUCTURED,
    SERVER_EXTENDED,
};

enum server_command {
    SERVER_READ,
    SERVER_WRITE,
    SERVER_DISC,
    SERVER_FLUSH,
    SERVER_TRIM,
    SERVER_CACHE,
    SERVER_WRITE_ZEROES,
    SERVER_BLOCK_STATUS,
    SERVER_COMMANDS, /* their number */
};

/* What a server does in place of its first reply, or beside it. */
enum server_fault {
    SERVER_RIGHT,
    SERVER_UNKNOWN_COOKIE, /* a reply to a request that was never sent */
    SERVER_REPLY_TWICE,
    SERVER_WRONG_MAGIC,
    SERVER_OTHER_FORM,   /* one that was not negotiated */
    SERVER_SIMPLE_REPLY, /* the same */
    SERVER_WRONG_OFFSET, /* in an extended header */
    SERVER_UNASKED,      /* bytes that nobody has asked for, before the first request */
};

/* A chunk that a test makes. The header takes the request's cookie, and its offset. */
struct server_chunk {
    uint16_t flags;
    uint16_t type;
    uint64_t length;      /* that the header announces */
    const uint8_t *bytes; /* that follow; NULL: zeroes */
    size_t count;         /* of them, at most 4 MiB */
};

/* Each connection has them as they were when it began, but for the delay. */
struct server_options {
    uint64_t size;    /* bytes */
    uint64_t claimed; /* the size it says it has; 0: `size` */
    uint16_t flags;   /* transmission flags; SERVER_FLAGS_USUAL */
    uint32_t minimum; /* block sizes, bytes; `maximum` is of a request. 0: not said */
    uint32_t maximum;
    enum server_form form;
    bool no_context;         /* base:allocation is not known */
    uint64_t seed;           /* replies come in pieces of any size, order and kind that is allowed; 0: in one piece */
    bool interleaved;        /* so do those of different requests */
    bool trickle;            /* bytes come one by one */
    uint64_t bad_at;         /* all but a TRIM of this byte fails with NBD_EIO, and says where if it can; 0: none */
    uint32_t error;          /* requests are answered with this NBD error; 0: they are carried out */
    unsigned error_one_in;   /* of them; 0 or 1: each */
    unsigned delay_us;       /* how long each request takes */
    size_t cut_at;           /* the first connection ends after so many bytes of the server's; 0: never */
    size_t cut_reply_at;     /* the same, counted from the end of its handshake */
    size_t deaf_at;          /* the first connection ends after so many bytes of the client's; 0: never */
    size_t deaf_request_at;  /* the same, counted from the end of its handshake */
    enum server_fault fault; /* of the first connection */
    const struct server_chunk *chunks; /* of the first connection, in place of the first reply; NULL: none */
    unsigned chunk_count;
    unsigned drop_at;      /* the n-th request ends the connection with a reset; 0: never */
    unsigned stall_at;     /* from the n-th request on nothing is answered; 0: never */
    bool halting;          /* a read's delay is in the middle of its payload */
    bool cut_payload;      /* a read's payload ends half-way, then the connection */
    bool backwards;        /* replies of what is at hand come in reverse order */
    unsigned greeting_us;  /* how long the first connection waits for its greeting */
    bool handshake_less;   /* begins with the requests */
    bool silent;           /* accepts and says nothing */
    unsigned taken;        /* connections beyond so many at a time are accepted, and then nothing is said; 0: none */
    bool ends_others;      /* those shake hands, and end then */
    const uint8_t *script; /* sent in place of everything after accepting; then the connection ends */
    size_t script_length;
    uint8_t host;  /* listens on 127.0.0.host; 0: 1 */
    uint16_t port; /* 0: one that is free */
};

#define SERVER_FLAG_FUA          (1 << 3)
#define SERVER_FLAG_WRITE_ZEROES (1 << 6)
#define SERVER_FLAG_CACHE        (1 << 10)

#define SERVER_FLAGS_USUAL   (1 << 0 | 1 << 2 | SERVER_FLAG_FUA | 1 << 5) /* has flags, FLUSH, TRIM */
#define SERVER_FLAGS_SEVERAL (SERVER_FLAGS_USUAL | 1 << 8)                /* and CAN_MULTI_CONN */
#define SERVER_FLAGS_ALL     (SERVER_FLAGS_SEVERAL | SERVER_FLAG_WRITE_ZEROES | SERVER_FLAG_CACHE)

#define SERVER_CONTEXT 0xA110CA7Eu /* the number of base:allocation */

#define SERVER_PAGE 4096 /* a run of zeroes that begins and ends at such a page is a hole */

struct server;

/* It listens when this returns. */
struct server *server_start(const struct server_options *options);
uint16_t server_port(const struct server *server);

/* What the export holds, beside the clients. */
void server_read(struct server *server, uint64_t offset, void *data, size_t length);
void server_write(struct server *server, uint64_t offset, const void *data, size_t length);

/* Requests and connections so far. */
unsigned server_requests(struct server *server);
unsigned server_commands(struct server *server, enum server_command command);
unsigned server_errors(struct server *server, enum server_command command); /* of those: answered with an error */
unsigned server_connections(struct server *server);

/* Connections over which the client said goodbye. */
unsigned server_goodbyes(struct server *server);

/* The form of replies that the last connection got. */
enum server_form server_agreed(struct server *server);

/* Connections that are there and have brought a request. */
unsigned server_busy(struct server *server);

/* What the client did that a server must not be asked for; NULL. */
const char *server_complaint(struct server *server);

/* From now on each request takes this long. */
void server_set_delay(struct server *server, unsigned delay_us);

/* What connections to come are offered: the size that it says it has, or everything but the size and the address. What
 * is said of the first connection is said of the next one then. */
void server_claim(struct server *server, uint64_t size);
void server_offer(struct server *server, const struct server_options *options);

/* From now on no connection is accepted; those that are there stay. */
void server_refuse(struct server *server);

/* Ends the connections that are there, or one of those that have brought a request, with a reset. */
void server_drop(struct server *server);
void server_drop_one(struct server *server);

/* Ends all connections and waits for its threads. */
void server_stop(struct server *server);

#endif
