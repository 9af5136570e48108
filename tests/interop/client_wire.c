/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket of a connection: everything on it is bounded by the server's silence. */
#include "client.h"

#include "core/nbd/encode.h"
#include "core/nbd/handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_MS 10000 /* a server that says nothing for so long has failed */

void fail(const char *why)
{
    printf("failed: %s\n", why);
    exit(1);
}

short wait_for_socket(struct client *client, short events)
{
    struct pollfd poll_on = {.fd = client->socket, .events = events};

    if (poll(&poll_on, 1, SILENCE_MS) != 1) {
        fail("the server is silent");
    }
    return poll_on.revents;
}

size_t receive_some(struct client *client, uint8_t *bytes, size_t room)
{
    ssize_t count = recv(client->socket, bytes, room, MSG_DONTWAIT);

    while (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        wait_for_socket(client, POLLIN);
        count = recv(client->socket, bytes, room, MSG_DONTWAIT);
    }
    return count < 0 ? 0 : (size_t)count;
}

static bool receive_all(struct client *client, uint8_t *bytes, size_t length)
{
    while (length != 0) {
        size_t count = receive_some(client, bytes, length);

        if (count == 0) {
            return false;
        }
        bytes += count;
        length -= count;
    }
    return true;
}

void send_some(struct client *client)
{
    ssize_t count = send(client->socket, client->out + client->out_sent, client->out_length - client->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

    if (count > 0) {
        client->out_sent += (size_t)count;
    } else if (errno != EAGAIN && errno != EINTR) {
        fail("the server closed the connection");
    }
}

static bool send_all(struct client *client, const uint8_t *bytes, size_t length)
{
    while (length != 0) {
        ssize_t count = send(client->socket, bytes, length, MSG_NOSIGNAL);

        if (count <= 0) {
            return false;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

void connect_to(struct client *client, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->socket, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("the server refused the connection");
    }
}

/* One step. False: the handshake is over. */
static bool shake(struct client *client, struct nbd_handshake *handshake)
{
    uint8_t *bytes;
    size_t length;
    bool moved = false;

    switch (nbd_handshake_step(handshake, &bytes, &length)) {
    case NBD_HANDSHAKE_SEND:
        moved = send_all(client, bytes, length);
        break;
    case NBD_HANDSHAKE_RECEIVE:
        moved = receive_all(client, bytes, length);
        break;
    case NBD_HANDSHAKE_ENTRY: /* not in a handshake for a session */
    case NBD_HANDSHAKE_DONE:
    case NBD_HANDSHAKE_FAILED:
        return false;
    }
    if (moved) {
        nbd_handshake_advance(handshake);
    } else {
        nbd_handshake_closed(handshake);
    }
    return true;
}

void shake_hands(struct client *client, const char *name)
{
    struct nbd_handshake handshake;
    char text[512];

    nbd_handshake_init(&handshake, name, strlen(name));
    handshake.form_max = client->form_max;
    while (shake(client, &handshake)) {
    }
    if (handshake.failure != NBD_HANDSHAKE_NO_FAILURE) {
        nbd_handshake_describe(&handshake, text, sizeof text);
        fail(text);
    }
    client->server_export = handshake.server_export;
    client->terms = handshake.terms;
    nbd_reader_init(&client->reader, &client->terms);
}

void disconnect(struct client *client)
{
    uint8_t request[NBD_REQUEST_SIZE_MAX];

    if (!send_all(client, request, nbd_encode_disconnect(request, client->terms.form)) ||
        receive_some(client, client->in, sizeof client->in) != 0) {
        fail("the server did not close after NBD_CMD_DISC");
    }
    close(client->socket);
}
