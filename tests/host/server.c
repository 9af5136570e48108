/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/server.h"

#include "core/base/bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define REQUEST_MAX     (4u << 20)
#define TOGETHER_MAX    16

#define MAGIC_SERVER  0x4e42444d41474943ULL
#define MAGIC_OPTION  0x49484156454F5054ULL
#define MAGIC_ANSWER  0x3e889045565a9ULL
#define MAGIC_REQUEST 0x25609513u
#define MAGIC_REPLY   0x67446698u

#define MAGIC_STRUCTURED 0x668e33efu

enum { OPTION_EXPORT_NAME = 1, OPTION_ABORT = 2, OPTION_INFO = 6, OPTION_GO = 7 };
enum { ANSWER_ACK = 1, ANSWER_INFO = 3 };
enum { COMMAND_READ, COMMAND_WRITE, COMMAND_DISC, COMMAND_FLUSH, COMMAND_TRIM };

#define ANSWER_UNSUPPORTED 0x80000001u

struct server {
    struct server_options options;
    uint8_t *data;
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t lock;
    /* guarded by lock */
    struct slot {
        pthread_t thread;
        bool used; /* the thread is to be waited for */
        int fd;    /* -1: it has closed it */
        unsigned requests;
    } slots[CONNECTIONS_MAX];
    unsigned requests;
    unsigned flushes;
    unsigned connections;
    const char *complaint;
};

struct connection {
    struct server *server;
    struct slot *slot;
    int fd;
    unsigned number; /* from 1 on */
    unsigned replies;
    size_t sent;      /* bytes */
    uint8_t *payload; /* REQUEST_MAX bytes */
};

struct request {
    uint16_t type;
    uint64_t cookie;
    uint64_t offset;
    uint32_t length;
};

static bool receive(int fd, void *buffer, size_t length)
{
    return length == 0 || recv(fd, buffer, length, MSG_WAITALL) == (ssize_t)length;
}

/* False: the connection is to end. */
static bool transmit(struct connection *connection, const void *buffer, size_t length)
{
    size_t cut_at = connection->number == 1 ? connection->server->options.cut_at : 0;
    bool cut = cut_at != 0 && connection->sent + length >= cut_at;

    length = cut ? cut_at - connection->sent : length;
    connection->sent += length;
    return send(connection->fd, buffer, length, MSG_NOSIGNAL) == (ssize_t)length && !cut;
}

/* ---- handshake ---- */

static bool answer(struct connection *connection, uint32_t option, uint32_t type, const void *data, uint32_t length)
{
    uint8_t bytes[20 + 64];

    store_be64(bytes, MAGIC_ANSWER);
    store_be32(bytes + 8, option);
    store_be32(bytes + 12, type);
    store_be32(bytes + 16, length);
    memcpy(bytes + 20, data != NULL ? data : "", length);
    return transmit(connection, bytes, 20 + length);
}

static uint64_t claimed_size(struct server *server)
{
    uint64_t size;

    pthread_mutex_lock(&server->lock);
    size = server->options.claimed != 0 ? server->options.claimed : server->options.size;
    pthread_mutex_unlock(&server->lock);
    return size;
}

static bool answer_go(struct connection *connection, uint32_t option)
{
    const struct server_options *options = &connection->server->options;
    uint8_t export[12];
    uint8_t blocks[14];

    store_be16(export, 0);
    store_be64(export + 2, claimed_size(connection->server));
    store_be16(export + 10, options->flags);
    if (!answer(connection, option, ANSWER_INFO, export, sizeof(export))) {
        return false;
    }
    if (options->maximum != 0) {
        store_be16(blocks, 3);
        store_be32(blocks + 2, options->minimum != 0 ? options->minimum : 1);
        store_be32(blocks + 6, options->minimum > 4096 ? options->minimum : 4096);
        store_be32(blocks + 10, options->maximum);
        if (!answer(connection, option, ANSWER_INFO, blocks, sizeof(blocks))) {
            return false;
        }
    }
    return answer(connection, option, ANSWER_ACK, NULL, 0);
}

/* True when the transmission phase begins. */
static bool handshake(struct connection *connection)
{
    uint8_t bytes[18];
    uint32_t client_flags;

    store_be64(bytes, MAGIC_SERVER);
    store_be64(bytes + 8, MAGIC_OPTION);
    store_be16(bytes + 16, 3); /* fixed newstyle, no zeroes */
    if (!transmit(connection, bytes, 18) || !receive(connection->fd, &client_flags, 4)) {
        return false;
    }
    while (receive(connection->fd, bytes, 16)) {
        uint32_t option = load_be32(bytes + 8);
        uint32_t length = load_be32(bytes + 12);

        if (length > REQUEST_MAX || !receive(connection->fd, connection->payload, length)) {
            return false;
        }
        if (option == OPTION_GO) {
            return answer_go(connection, option);
        }
        if (option == OPTION_ABORT || !answer(connection, option, ANSWER_UNSUPPORTED, NULL, 0)) {
            return false;
        }
    }
    return false;
}

/* ---- transmission ---- */

static unsigned count_request(struct connection *connection)
{
    struct server *server = connection->server;
    unsigned count;

    pthread_mutex_lock(&server->lock);
    connection->slot->requests++;
    count = ++server->requests;
    pthread_mutex_unlock(&server->lock);
    return count;
}

static bool receive_request(struct connection *connection, struct request *request)
{
    uint8_t bytes[28];

    if (!receive(connection->fd, bytes, sizeof(bytes)) || load_be32(bytes) != MAGIC_REQUEST) {
        return false;
    }
    request->type = load_be16(bytes + 6);
    request->cookie = load_be64(bytes + 8);
    request->offset = load_be64(bytes + 16);
    request->length = load_be32(bytes + 24);
    return request->type != COMMAND_WRITE ||
           (request->length <= REQUEST_MAX && receive(connection->fd, connection->payload, request->length));
}

/* What the block sizes forbid, and what the document says of each command. */
static const char *wrong_with(const struct server_options *options, const struct request *request)
{
    uint32_t minimum = options->minimum != 0 ? options->minimum : 1;

    if (request->type == COMMAND_FLUSH) {
        return request->offset != 0 || request->length != 0 ? "a FLUSH has an offset or a length" : NULL;
    }
    if (request->offset % minimum != 0 || request->length % minimum != 0) {
        return "a request is not made of whole blocks";
    }
    if (options->maximum != 0 && request->type != COMMAND_TRIM && request->length > options->maximum) {
        return "a request is longer than the maximum";
    }
    return request->length == 0 ? "a request has no length" : NULL;
}

static void note_request(struct server *server, const struct request *request)
{
    const char *wrong = wrong_with(&server->options, request);

    pthread_mutex_lock(&server->lock);
    server->flushes += request->type == COMMAND_FLUSH;
    server->complaint = server->complaint != NULL ? server->complaint : wrong;
    pthread_mutex_unlock(&server->lock);
}

static bool is_inside(const struct server *server, const struct request *request)
{
    return request->length <= server->options.size && request->offset <= server->options.size - request->length;
}

static void carry_out(struct connection *connection, const struct request *request)
{
    struct server *server = connection->server;

    pthread_mutex_lock(&server->lock);
    if (request->type == COMMAND_WRITE) {
        memcpy(server->data + request->offset, connection->payload, request->length);
    } else if (request->type == COMMAND_READ) {
        memcpy(connection->payload, server->data + request->offset, request->length);
    } else if (request->type == COMMAND_TRIM) {
        memset(server->data + request->offset, 0, request->length);
    }
    pthread_mutex_unlock(&server->lock);
}

/* The NBD error of a request; 0: it is carried out. */
static uint32_t error_of(const struct connection *connection, const struct request *request)
{
    const struct server_options *options = &connection->server->options;

    if (options->error != 0 && (options->error_one_in < 2 || connection->replies % options->error_one_in == 0)) {
        return options->error;
    }
    return is_inside(connection->server, request) ? 0 : 22;
}

/* A reply with what is wrong with it. */
static bool transmit_header(struct connection *connection, uint32_t error, uint64_t cookie)
{
    bool first = connection->number == 1 && connection->replies == 1;
    enum server_fault fault = first ? connection->server->options.fault : SERVER_RIGHT;
    uint8_t bytes[20] = {0};

    store_be32(bytes, fault == SERVER_WRONG_MAGIC ? MAGIC_REPLY + 1 : MAGIC_REPLY);
    store_be32(bytes + 4, error);
    store_be64(bytes + 8, fault == SERVER_UNKNOWN_COOKIE ? cookie + (1ull << 32) : cookie);
    if (fault == SERVER_STRUCTURED) {
        store_be32(bytes, MAGIC_STRUCTURED);
        store_be32(bytes + 4, 1u << 16); /* done, NBD_REPLY_TYPE_NONE */
        return transmit(connection, bytes, 20);
    }
    return transmit(connection, bytes, 16) && (fault != SERVER_REPLY_TWICE || transmit(connection, bytes, 16));
}

static unsigned delay_of(struct server *server)
{
    unsigned delay_us;

    pthread_mutex_lock(&server->lock);
    delay_us = server->options.delay_us;
    pthread_mutex_unlock(&server->lock);
    return delay_us;
}

/* Whether the delay comes with the payload. */
static bool halts(const struct connection *connection, const struct request *request)
{
    return connection->server->options.halting && request->type == COMMAND_READ;
}

static bool transmit_payload(struct connection *connection, const struct request *request)
{
    uint32_t first = halts(connection, request) ? request->length / 2 : 0;

    if (first != 0) {
        if (!transmit(connection, connection->payload, first)) {
            return false;
        }
        usleep(delay_of(connection->server));
    }
    return transmit(connection, connection->payload + first, request->length - first);
}

static bool reply(struct connection *connection, const struct request *request)
{
    const struct server_options *options = &connection->server->options;
    uint32_t error;

    connection->replies++;
    if (!halts(connection, request)) {
        usleep(delay_of(connection->server));
    }
    error = error_of(connection, request);
    if (error == 0) {
        carry_out(connection, request);
    }
    if (!transmit_header(connection, error, request->cookie)) {
        return false;
    }
    if (error != 0 || request->type != COMMAND_READ) {
        return true;
    }
    if (options->cut_payload) {
        transmit(connection, connection->payload, request->length / 2);
        return false;
    }
    return transmit_payload(connection, request);
}

static bool is_readable(int fd)
{
    uint8_t byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Reads without payload that are there already; they are answered backwards. */
static bool reply_backwards(struct connection *connection, struct request *first)
{
    struct request together[TOGETHER_MAX] = {*first};
    unsigned count = 1;

    while (count < TOGETHER_MAX && together[count - 1].type == COMMAND_READ && is_readable(connection->fd)) {
        if (!receive_request(connection, &together[count++])) {
            return false;
        }
        count_request(connection);
    }
    while (count-- != 0) {
        if (together[count].type == COMMAND_DISC || !reply(connection, &together[count])) {
            return false;
        }
    }
    return true;
}

static void reset(int fd)
{
    struct linger linger = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void transmission(struct connection *connection)
{
    const struct server_options *options = &connection->server->options;
    struct request request;
    bool going = options->fault != SERVER_UNASKED || connection->number != 1 || transmit(connection, "Surprise", 8);

    while (going && receive_request(connection, &request) && request.type != COMMAND_DISC) {
        unsigned number = count_request(connection);

        note_request(connection->server, &request);
        if (options->drop_at != 0 && number >= options->drop_at) {
            reset(connection->fd);
            return;
        }
        if (options->stall_at != 0 && number >= options->stall_at) {
            continue;
        }
        going = options->backwards ? reply_backwards(connection, &request) : reply(connection, &request);
    }
}

static void be_silent(int fd)
{
    uint8_t byte;

    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

/* ---- threads ---- */

static bool is_one_too_many(struct server *server)
{
    unsigned there = 0;

    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        there += server->slots[i].used && server->slots[i].fd >= 0;
    }
    pthread_mutex_unlock(&server->lock);
    return server->options.taken != 0 && there > server->options.taken;
}

static void *serve(void *argument)
{
    struct connection *connection = argument;
    const struct server_options *options = &connection->server->options;

    if (connection->number == 1) {
        usleep(options->greeting_us);
    }
    if (options->script != NULL) {
        transmit(connection, options->script, options->script_length);
        shutdown(connection->fd, SHUT_WR);
        be_silent(connection->fd);
    } else if (options->silent || is_one_too_many(connection->server)) {
        be_silent(connection->fd);
    } else if (options->handshake_less || handshake(connection)) {
        transmission(connection);
    }
    shutdown(connection->fd, SHUT_RDWR);
    pthread_mutex_lock(&connection->server->lock);
    connection->slot->fd = -1;
    close(connection->fd);
    pthread_mutex_unlock(&connection->server->lock);
    free(connection->payload);
    free(connection);
    return NULL;
}

/* A place for another connection; those that have ended are waited for. NULL: there is none. */
static struct slot *free_slot(struct server *server)
{
    struct slot *found = NULL;

    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        struct slot *slot = &server->slots[i];
        bool ended;

        pthread_mutex_lock(&server->lock);
        ended = slot->used && slot->fd < 0;
        pthread_mutex_unlock(&server->lock);
        if (ended) {
            pthread_join(slot->thread, NULL);
            pthread_mutex_lock(&server->lock);
            slot->used = false;
            pthread_mutex_unlock(&server->lock);
        }
        found = slot->used ? found : slot;
    }
    return found;
}

static void begin(struct server *server, int fd)
{
    struct slot *slot = free_slot(server);
    struct connection *connection;
    int one = 1;

    if (slot == NULL) {
        close(fd);
        return;
    }
    connection = calloc(1, sizeof(*connection));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connection->server = server;
    connection->slot = slot;
    connection->fd = fd;
    connection->payload = malloc(REQUEST_MAX);
    pthread_mutex_lock(&server->lock);
    connection->number = ++server->connections;
    slot->fd = fd;
    slot->requests = 0;
    slot->used = true;
    if (pthread_create(&slot->thread, NULL, serve, connection) != 0) {
        abort();
    }
    pthread_mutex_unlock(&server->lock);
}

static void *accept_all(void *argument)
{
    struct server *server = argument;
    int fd;

    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        begin(server, fd);
    }
    return NULL;
}

struct server *server_start(const struct server_options *options)
{
    struct server *server = calloc(1, sizeof(*server));
    in_addr_t host = INADDR_LOOPBACK - 1 + (options->host != 0 ? options->host : 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons(options->port)};
    socklen_t length = sizeof(address);
    int one = 1;

    server->options = *options;
    server->data = calloc(1, options->size + 1);
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(server->listener, (struct sockaddr *)&address, length) != 0 || listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) != 0) {
        abort();
    }
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0) {
        abort();
    }
    return server;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_read(struct server *server, uint64_t offset, void *data, size_t length)
{
    pthread_mutex_lock(&server->lock);
    memcpy(data, server->data + offset, length);
    pthread_mutex_unlock(&server->lock);
}

void server_write(struct server *server, uint64_t offset, const void *data, size_t length)
{
    pthread_mutex_lock(&server->lock);
    memcpy(server->data + offset, data, length);
    pthread_mutex_unlock(&server->lock);
}

static unsigned read_count(struct server *server, const unsigned *count_of)
{
    unsigned count;

    pthread_mutex_lock(&server->lock);
    count = *count_of;
    pthread_mutex_unlock(&server->lock);
    return count;
}

unsigned server_requests(struct server *server)
{
    return read_count(server, &server->requests);
}

unsigned server_flushes(struct server *server)
{
    return read_count(server, &server->flushes);
}

unsigned server_connections(struct server *server)
{
    return read_count(server, &server->connections);
}

unsigned server_busy(struct server *server)
{
    unsigned busy = 0;

    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        busy += server->slots[i].used && server->slots[i].fd >= 0 && server->slots[i].requests != 0;
    }
    pthread_mutex_unlock(&server->lock);
    return busy;
}

const char *server_complaint(struct server *server)
{
    const char *complaint;

    pthread_mutex_lock(&server->lock);
    complaint = server->complaint;
    pthread_mutex_unlock(&server->lock);
    return complaint;
}

void server_set_delay(struct server *server, unsigned delay_us)
{
    pthread_mutex_lock(&server->lock);
    server->options.delay_us = delay_us;
    pthread_mutex_unlock(&server->lock);
}

void server_claim(struct server *server, uint64_t size)
{
    pthread_mutex_lock(&server->lock);
    server->options.claimed = size;
    pthread_mutex_unlock(&server->lock);
}

static void end_connections(struct server *server, bool hard)
{
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->slots[i].used && server->slots[i].fd >= 0) {
            if (hard) {
                reset(server->slots[i].fd);
            }
            shutdown(server->slots[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->lock);
}

void server_drop(struct server *server)
{
    end_connections(server, true);
}

void server_drop_one(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->slots[i].used && server->slots[i].fd >= 0 && server->slots[i].requests != 0) {
            reset(server->slots[i].fd);
            shutdown(server->slots[i].fd, SHUT_RDWR);
            break;
        }
    }
    pthread_mutex_unlock(&server->lock);
}

void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    end_connections(server, false);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->slots[i].used) {
            pthread_join(server->slots[i].thread, NULL);
        }
    }
    pthread_mutex_destroy(&server->lock);
    free(server->data);
    free(server);
}
