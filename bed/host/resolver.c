/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* guarded by lock */
static const char *alias_name;
static const char *alias_node;

void resolver_alias(const char *name, const char *node)
{
    pthread_mutex_lock(&lock);
    alias_name = name;
    alias_node = node;
    pthread_mutex_unlock(&lock);
}

static const char *node_of(const char *name)
{
    const char *node = name;

    pthread_mutex_lock(&lock);
    if (alias_node != NULL && strcmp(name, alias_name) == 0) {
        node = alias_node;
    }
    pthread_mutex_unlock(&lock);
    return node;
}

static void take(const struct addrinfo *info, struct resolver_address *found)
{
    found->is_6 = info->ai_family == AF_INET6;
    if (found->is_6) {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)(const void *)info->ai_addr;

        found->port_be = address->sin6_port;
        memcpy(found->bytes, &address->sin6_addr, 16);
    } else {
        const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)info->ai_addr;

        found->port_be = address->sin_port;
        memcpy(found->bytes, &address->sin_addr, 4);
    }
}

size_t resolver_ask(const char *node, const char *service, struct resolver_address found[RESOLVER_ADDRESSES])
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct addrinfo *list = NULL;
    size_t count = 0;

    node = node_of(node);
    if (getaddrinfo(node[0] != '\0' ? node : NULL, service[0] != '\0' ? service : NULL, &hints, &list) != 0) {
        return 0;
    }
    for (const struct addrinfo *at = list; at != NULL && count < RESOLVER_ADDRESSES; at = at->ai_next) {
        if (at->ai_family == AF_INET || at->ai_family == AF_INET6) {
            take(at, &found[count++]);
        }
    }
    freeaddrinfo(list);
    return count;
}
