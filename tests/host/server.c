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
    } slots[CONNECTIONS_MAX];
    unsigned requests;
};

struct connection {
    struct server *server;
    struct slot *slot;
    int fd;
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

static bool transmit(int fd, const void *buffer, size_t length)
{
    return send(fd, buffer, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* ---- handshake ---- */

static bool answer(int fd, uint32_t option, uint32_t type, const void *data, uint32_t length)
{
    uint8_t bytes[20 + 64];

    store_be64(bytes, MAGIC_ANSWER);
    store_be32(bytes + 8, option);
    store_be32(bytes + 12, type);
    store_be32(bytes + 16, length);
    memcpy(bytes + 20, data != NULL ? data : "", length);
    return transmit(fd, bytes, 20 + length);
}

static bool answer_go(struct server *server, int fd, uint32_t option)
{
    uint8_t export[12];
    uint8_t blocks[14];

    store_be16(export, 0);
    store_be64(export + 2, server->options.size);
    store_be16(export + 10, server->options.flags);
    if (!answer(fd, option, ANSWER_INFO, export, sizeof(export))) {
        return false;
    }
    if (server->options.maximum != 0) {
        store_be16(blocks, 3);
        store_be32(blocks + 2, 1);
        store_be32(blocks + 6, 4096);
        store_be32(blocks + 10, server->options.maximum);
        if (!answer(fd, option, ANSWER_INFO, blocks, sizeof(blocks))) {
            return false;
        }
    }
    return answer(fd, option, ANSWER_ACK, NULL, 0);
}

/* True when the transmission phase begins. */
static bool handshake(struct connection *connection)
{
    uint8_t bytes[18];
    uint32_t client_flags;

    store_be64(bytes, MAGIC_SERVER);
    store_be64(bytes + 8, MAGIC_OPTION);
    store_be16(bytes + 16, 3); /* fixed newstyle, no zeroes */
    if (!transmit(connection->fd, bytes, 18) || !receive(connection->fd, &client_flags, 4)) {
        return false;
    }
    while (receive(connection->fd, bytes, 16)) {
        uint32_t option = load_be32(bytes + 8);
        uint32_t length = load_be32(bytes + 12);

        if (length > REQUEST_MAX || !receive(connection->fd, connection->payload, length)) {
            return false;
        }
        if (option == OPTION_GO) {
            return answer_go(connection->server, connection->fd, option);
        }
        if (option == OPTION_ABORT || !answer(connection->fd, option, ANSWER_UNSUPPORTED, NULL, 0)) {
            return false;
        }
    }
    return false;
}

/* ---- transmission ---- */

static unsigned count_request(struct server *server)
{
    unsigned count;

    pthread_mutex_lock(&server->lock);
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

static bool reply(struct connection *connection, const struct request *request)
{
    const struct server_options *options = &connection->server->options;
    bool good = options->error == 0 && is_inside(connection->server, request);
    uint8_t bytes[16];

    store_be32(bytes, MAGIC_REPLY);
    store_be32(bytes + 4, options->error != 0 ? options->error : good ? 0 : 22);
    store_be64(bytes + 8, request->cookie);
    if (good) {
        carry_out(connection, request);
    }
    if (!transmit(connection->fd, bytes, sizeof(bytes))) {
        return false;
    }
    if (!good || request->type != COMMAND_READ) {
        return true;
    }
    if (options->cut_payload) {
        transmit(connection->fd, connection->payload, request->length / 2);
        return false;
    }
    return transmit(connection->fd, connection->payload, request->length);
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
        count_request(connection->server);
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
    bool going = true;

    while (going && receive_request(connection, &request) && request.type != COMMAND_DISC) {
        unsigned number = count_request(connection->server);

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

static void *serve(void *argument)
{
    struct connection *connection = argument;
    const struct server_options *options = &connection->server->options;

    if (options->script != NULL) {
        transmit(connection->fd, options->script, options->script_length);
        shutdown(connection->fd, SHUT_WR);
        be_silent(connection->fd);
    } else if (options->silent) {
        be_silent(connection->fd);
    } else if (handshake(connection)) {
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
            slot->used = false;
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
    slot->fd = fd;
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
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    server->options = *options;
    server->data = calloc(1, options->size + 1);
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
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

unsigned server_requests(struct server *server)
{
    unsigned count;

    pthread_mutex_lock(&server->lock);
    count = server->requests;
    pthread_mutex_unlock(&server->lock);
    return count;
}

void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->slots[i].used && server->slots[i].fd >= 0) {
            shutdown(server->slots[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->slots[i].used) {
            pthread_join(server->slots[i].thread, NULL);
        }
    }
    pthread_mutex_destroy(&server->lock);
    free(server->data);
    free(server);
}
