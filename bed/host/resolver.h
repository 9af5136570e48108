/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* getaddrinfo, kept from the kernel's headers: both define struct sockaddr. */
#ifndef BED_HOST_RESOLVER_H
#define BED_HOST_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESOLVER_ADDRESSES 8

struct resolver_address {
    bool is_6;
    uint16_t port_be;
    uint8_t bytes[16]; /* 4 or 16 of them */
};

/* From now on the name stands for that node, an address in text. NULL: it stands for itself again. Both texts stay the
 * caller's and must last. */
void resolver_alias(const char *name, const char *node);

/* How many addresses there are for a TCP service of a node; empty texts stand for none. */
size_t resolver_ask(const char *node, const char *service, struct resolver_address found[RESOLVER_ADDRESSES]);

#endif
