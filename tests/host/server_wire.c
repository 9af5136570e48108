/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/host/server_internal.h"

#include <sys/socket.h>

bool wire_receive(struct connection *connection, void *buffer, size_t length)
{
    bool deaf = connection->deaf_at != 0 && connection->heard + length >= connection->deaf_at;

    length = deaf ? connection->deaf_at - connection->heard : length;
    connection->heard += length;
    return (length == 0 || recv(connection->fd, buffer, length, MSG_WAITALL) == (ssize_t)length) && !deaf;
}

static bool send_slowly(int fd, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1) {
            return false;
        }
    }
    return true;
}

bool wire_transmit(struct connection *connection, const void *buffer, size_t length)
{
    bool cut = connection->cut_at != 0 && connection->sent + length >= connection->cut_at;

    length = cut ? connection->cut_at - connection->sent : length;
    connection->sent += length;
    if (connection->options.trickle) {
        return send_slowly(connection->fd, buffer, length) && !cut;
    }
    return send(connection->fd, buffer, length, MSG_NOSIGNAL) == (ssize_t)length && !cut;
}

bool wire_is_readable(int fd)
{
    uint8_t byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Knuth's numbers for a linear congruential generator of 64 bits. */
unsigned wire_random(struct connection *connection, unsigned limit)
{
    if (connection->options.seed == 0) {
        return 0;
    }
    connection->random = connection->random * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((connection->random >> 33) % limit);
}
