/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test asks of a server, and changes in it, while it serves. */
#include "tests/host/server_internal.h"

#include <string.h>

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

unsigned server_commands(struct server *server, enum server_command command)
{
    return read_count(server, &server->commands[command]);
}

unsigned server_errors(struct server *server, enum server_command command)
{
    return read_count(server, &server->errors[command]);
}

unsigned server_goodbyes(struct server *server)
{
    return server_commands(server, SERVER_DISC);
}

unsigned server_connections(struct server *server)
{
    return read_count(server, &server->connections);
}

enum server_form server_agreed(struct server *server)
{
    enum server_form form;

    pthread_mutex_lock(&server->lock);
    form = server->agreed;
    pthread_mutex_unlock(&server->lock);
    return form;
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

void server_complain(struct server *server, const char *complaint)
{
    pthread_mutex_lock(&server->lock);
    server->complaint = server->complaint != NULL ? server->complaint : complaint;
    pthread_mutex_unlock(&server->lock);
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

void server_offer(struct server *server, const struct server_options *options)
{
    pthread_mutex_lock(&server->lock);
    server->options = *options;
    server->options.size = server->size;
    server->has_begun = false;
    pthread_mutex_unlock(&server->lock);
}
