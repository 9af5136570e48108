/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which request comes next: any that the export and the terms of the connection have, on whole blocks of the slot. */
#include "client.h"

#include <string.h>

/* Where an operation is allowed, and how many of the choices it is. */
struct offer {
    enum io_operation operation;
    uint16_t needs;   /* NBD_FLAG_* */
    uint32_t choices; /* of all, CHOICES_MAX at most */
};

static const struct offer offers[] = {
    {IO_READ, 0, 8},
    {IO_WRITE, 0, 8},
    {IO_FLUSH, NBD_FLAG_SEND_FLUSH, 1},
    {IO_TRIM, NBD_FLAG_SEND_TRIM, 2},
    {IO_WRITE_ZEROES, NBD_FLAG_SEND_WRITE_ZEROES, 5},
    {IO_CACHE, NBD_FLAG_SEND_CACHE, 1},
    {IO_BLOCK_STATUS, 0, 4},
};

static uint32_t next_random(struct client *client)
{
    client->random = client->random * 1664525 + 1013904223;
    return client->random >> 8;
}

static bool has(const struct client *client, uint16_t flag)
{
    return (client->server_export.flags & flag) == flag;
}

static bool changes_contents(enum io_operation operation)
{
    return operation == IO_WRITE || operation == IO_TRIM || operation == IO_WRITE_ZEROES;
}

static bool is_allowed(const struct client *client, const struct offer *offer)
{
    if (changes_contents(offer->operation) && has(client, NBD_FLAG_READ_ONLY)) {
        return false;
    }
    if (offer->operation == IO_BLOCK_STATUS && !client->terms.block_status) {
        return false;
    }
    return has(client, offer->needs);
}

void choose_operations(struct client *client)
{
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        for (uint32_t count = 0; is_allowed(client, &offers[i]) && count < offers[i].choices; count++) {
            client->choices[client->choice_count++] = offers[i].operation;
        }
    }
}

/* The flag, one time in `times`, where the server has `needs`. */
static uint32_t maybe(struct client *client, uint32_t flag, uint16_t needs, uint32_t times)
{
    return has(client, needs) && next_random(client) % times == 0 ? flag : 0;
}

static uint32_t choose_flags(struct client *client, enum io_operation operation)
{
    uint32_t fua = changes_contents(operation) ? maybe(client, IO_FUA, NBD_FLAG_SEND_FUA, 4) : 0;

    switch (operation) {
    case IO_READ: /* "Transmission flags": a server may show SEND_DF to whom it is of no use */
        return client->terms.form == NBD_SIMPLE ? 0 : maybe(client, IO_DONT_FRAGMENT, NBD_FLAG_SEND_DF, 4);
    case IO_WRITE_ZEROES:
        return fua | maybe(client, IO_NO_HOLE, 0, 2) | maybe(client, IO_FAST_ZERO, NBD_FLAG_SEND_FAST_ZERO, 3);
    case IO_BLOCK_STATUS:
        return maybe(client, IO_ONE_EXTENT, 0, 3);
    case IO_WRITE:
    case IO_TRIM:
    case IO_FLUSH:
    case IO_CACHE:
    case IO_RESERVE_IN:
    case IO_RESERVE_OUT: /* never chosen */
        break;
    }
    return fua;
}

static void choose_range(struct client *client, struct flight *flight)
{
    uint32_t first = next_random(client) % BLOCKS;
    uint32_t count = 1 + next_random(client) % (BLOCKS - first);

    flight->request.offset = (uint64_t)flight->number * AREA + (uint64_t)first * BLOCK;
    flight->request.length = count * BLOCK;
}

static void fill(struct client *client, struct flight *flight)
{
    for (uint32_t i = 0; i < flight->request.length; i += 4) {
        uint32_t value = next_random(client);

        memcpy(flight->data + i, &value, 4);
    }
}

void make_request(struct client *client, struct flight *flight)
{
    struct io_request *request = &flight->request;

    *request = (struct io_request){0};
    request->operation = client->choices[next_random(client) % client->choice_count];
    request->flags = choose_flags(client, request->operation);
    if (request->operation != IO_FLUSH) {
        choose_range(client, flight);
    }
    if (request->operation == IO_WRITE) {
        fill(client, flight);
    }
    if (request->operation == IO_READ) {
        memset(flight->data, 0xA5, request->length); /* a byte that does not come is seen */
    }
}
