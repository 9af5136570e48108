/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server's files call in each other. */
#ifndef TESTS_HOST_SERVER_INTERNAL_H
#define TESTS_HOST_SERVER_INTERNAL_H

#include "tests/host/server.h"

#include <pthread.h>

#define CONNECTIONS_MAX 16
#define REQUEST_MAX     (4u << 20)
#define TOGETHER_MAX    16

#define MAGIC_REPLY      0x67446698u
#define MAGIC_STRUCTURED 0x668e33efu
#define MAGIC_EXTENDED   0x6e8a278cu

enum { FLAG_FUA = 1, FLAG_NO_HOLE = 2, FLAG_DF = 4, FLAG_REQ_ONE = 8, FLAG_PAYLOAD_LEN = 32 };
enum { CHUNK_NONE, CHUNK_DATA, CHUNK_HOLE, CHUNK_STATUS = 5, CHUNK_STATUS_EXT, CHUNK_ERROR = 0x8001, CHUNK_ERROR_AT };
enum { CHUNK_DONE = 1 };

#define ERROR_EIO    5u
#define ERROR_EINVAL 22u

struct server {
    uint8_t *data; /* guarded by lock; `size` bytes */
    uint64_t size;
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t lock;
    /* guarded by lock */
    struct server_options options;
    struct slot {
        pthread_t thread;
        bool used; /* the thread is to be waited for */
        int fd;    /* -1: it has closed it */
        unsigned requests;
    } slots[CONNECTIONS_MAX];
    unsigned requests;
    unsigned commands[SERVER_COMMANDS];
    unsigned errors[SERVER_COMMANDS]; /* of them */
    unsigned connections;
    enum server_form agreed;
    const char *complaint;
    bool has_begun; /* a connection, with these options */
};

struct connection {
    struct server *server;
    struct slot *slot;
    struct server_options options;
    int fd;
    bool is_first;         /* since the options were given */
    enum server_form form; /* as it was agreed */
    bool context;          /* the same */
    unsigned replies;
    uint64_t random;
    size_t sent;      /* bytes that are counted for the cut */
    size_t cut_at;    /* 0: never */
    size_t heard;     /* bytes of the client's */
    size_t deaf_at;   /* 0: never */
    uint8_t *payload; /* of a request; REQUEST_MAX bytes */
    uint8_t *data;    /* of a reply; the same */
};

struct request {
    uint16_t flags;
    uint16_t type;
    uint64_t cookie;
    uint64_t offset;
    uint64_t length;
};

/* A run of pages of one kind. */
struct extent {
    uint64_t length;
    bool is_hole;
};

/* server_wire.c. False: the connection is to end. */
bool wire_receive(struct connection *connection, void *buffer, size_t length);
bool wire_transmit(struct connection *connection, const void *buffer, size_t length);
bool wire_is_readable(int fd);

/* A number below `limit`, 0 where the options have no seed. */
unsigned wire_random(struct connection *connection, unsigned limit);

/* server_ask.c: what the client did wrong; the first is kept. */
void server_complain(struct server *server, const char *complaint);

/* server.c: the socket will end with a reset. */
void server_reset(int fd);

/* server_reply.c: whether this is the reply that the options have something against. */
bool is_first_reply(const struct connection *connection);

/* server_handshake.c: true when the transmission phase begins. */
bool handshake(struct connection *connection);

/* server_transmission.c: until the connection is to end. */
void transmission(struct connection *connection);

/* False: the connection is to end. */
bool reply(struct connection *connection, const struct request *request);
bool reply_payload(struct connection *connection, const struct request *request, const uint8_t *data, size_t length);

/* Carries the request out, or answers its NBD error. */
uint32_t carry_out(struct connection *connection, const struct request *request);

/* Whether the error is that of the byte which cannot be reached. */
bool is_bad_there(const struct connection *connection, const struct request *request, uint32_t error);

/* server_chunk.c: replies in chunks, those of several reads mixed. False: the connection is to end. */
bool chunk_reply(struct connection *connection, const struct request *request, uint32_t error);
bool chunk_reply_reads(struct connection *connection, const struct request *requests, unsigned count);

/* server_extent.c: what is at the beginning of a range, at most `most` extents. Answers how many. */
unsigned extents_find(struct server *server, uint64_t begin, uint64_t end, struct extent *extents, unsigned most);

#endif
