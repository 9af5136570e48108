/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/server_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void server_reset(int fd)
{
    struct linger linger = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* ---- A connection's thread ---- */

static void be_silent(int fd)
{
    uint8_t byte;

    while (recv(fd, &byte, 1, 0) > 0) {
    }
}

static bool is_one_too_many(struct server *server, unsigned taken)
{
    unsigned there = 0;

    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        there += server->slots[i].used && server->slots[i].fd >= 0;
    }
    pthread_mutex_unlock(&server->lock);
    return taken != 0 && there > taken;
}

/* The handshake is over. */
static void count_from_here(struct connection *connection)
{
    if (connection->is_first && connection->options.cut_reply_at != 0) {
        connection->sent = 0;
        connection->cut_at = connection->options.cut_reply_at;
    }
    if (connection->is_first && connection->options.deaf_request_at != 0) {
        connection->heard = 0;
        connection->deaf_at = connection->options.deaf_request_at;
    }
}

static void talk(struct connection *connection)
{
    const struct server_options *options = &connection->options;

    if (options->script != NULL) {
        wire_transmit(connection, options->script, options->script_length);
        shutdown(connection->fd, SHUT_WR);
        be_silent(connection->fd);
    } else if (options->ends_others && is_one_too_many(connection->server, options->taken)) {
        handshake(connection);
    } else if (options->silent || is_one_too_many(connection->server, options->taken)) {
        be_silent(connection->fd);
    } else if (options->handshake_less || handshake(connection)) {
        count_from_here(connection);
        transmission(connection);
    }
}

static void *serve(void *argument)
{
    struct connection *connection = argument;

    if (connection->is_first) {
        usleep(connection->options.greeting_us);
    }
    talk(connection);
    shutdown(connection->fd, SHUT_RDWR);
    pthread_mutex_lock(&connection->server->lock);
    connection->slot->fd = -1;
    close(connection->fd);
    pthread_mutex_unlock(&connection->server->lock);
    free(connection->payload);
    free(connection->data);
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

static struct connection *make(struct server *server, int fd)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    connection->server = server;
    connection->fd = fd;
    connection->payload = malloc(REQUEST_MAX);
    connection->data = malloc(REQUEST_MAX);
    return connection;
}

/* Under the lock. */
static void begin_count(struct connection *connection)
{
    struct server *server = connection->server;

    connection->options = server->options;
    connection->is_first = !server->has_begun;
    server->has_begun = true;
    server->connections++;
    connection->cut_at = connection->is_first ? server->options.cut_at : 0;
    connection->deaf_at = connection->is_first ? server->options.deaf_at : 0;
    connection->random = server->options.seed + server->connections;
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
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connection = make(server, fd);
    connection->slot = slot;
    pthread_mutex_lock(&server->lock);
    begin_count(connection);
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

/* ---- Beginning and end ---- */

struct server *server_start(const struct server_options *options)
{
    struct server *server = calloc(1, sizeof(*server));
    in_addr_t host = INADDR_LOOPBACK - 1 + (options->host != 0 ? options->host : 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons(options->port)};
    socklen_t length = sizeof(address);
    int one = 1;

    server->options = *options;
    server->size = options->size;
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

static void end_connections(struct server *server, bool hard)
{
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (server->slots[i].used && server->slots[i].fd >= 0) {
            if (hard) {
                server_reset(server->slots[i].fd);
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
            server_reset(server->slots[i].fd);
            shutdown(server->slots[i].fd, SHUT_RDWR);
            break;
        }
    }
    pthread_mutex_unlock(&server->lock);
}

void server_refuse(struct server *server)
{
    if (server->listener >= 0) {
        shutdown(server->listener, SHUT_RDWR);
        pthread_join(server->acceptor, NULL);
        close(server->listener);
        server->listener = -1;
    }
}

void server_stop(struct server *server)
{
    server_refuse(server);
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
