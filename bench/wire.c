/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/wire.h"

#include "bench/plan.h"
#include "core/nbd/handshake.h"
#include "core/nbd/encode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SEND_BUFFER (512 << 10) /* more of it only makes payload leave the cache before it is read */

static int connect_tcp(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("the server refused the connection");
    }
    return descriptor;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(path) >= sizeof address.sun_path) {
        fail("the socket's path is too long");
    }
    strcpy(address.sun_path, path);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("the server refused the connection");
    }
    return descriptor;
}

static int connect_to(const char *address)
{
    const int room = SEND_BUFFER;
    int descriptor;

    if (strncmp(address, "tcp:", 4) == 0) {
        descriptor = connect_tcp(address + 4);
    } else if (strncmp(address, "unix:", 5) == 0) {
        descriptor = connect_unix(address + 5);
    } else {
        fail("the address is neither tcp:PORT nor unix:PATH");
    }
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return descriptor;
}

static bool move(int descriptor, uint8_t *bytes, size_t length, bool out)
{
    while (length != 0) {
        ssize_t count = out ? send(descriptor, bytes, length, MSG_NOSIGNAL) : recv(descriptor, bytes, length, 0);

        if (count <= 0) {
            return false;
        }
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

static void shake_hands(int descriptor, struct nbd_handshake *handshake)
{
    char text[512];

    for (;;) {
        uint8_t *bytes;
        size_t length;
        enum nbd_handshake_step step = nbd_handshake_step(handshake, &bytes, &length);

        if (step == NBD_HANDSHAKE_DONE) {
            return;
        }
        if (step == NBD_HANDSHAKE_FAILED) {
            nbd_handshake_describe(handshake, text, sizeof text);
            fail(text);
        }
        if (move(descriptor, bytes, length, step == NBD_HANDSHAKE_SEND)) {
            nbd_handshake_advance(handshake);
        } else {
            nbd_handshake_closed(handshake);
        }
    }
}

void wire_open(struct wire *wire, const char *address, enum nbd_form form, struct nbd_export *server_export)
{
    struct nbd_handshake handshake;

    wire->socket = connect_to(address);
    wire->calls = 0;
    nbd_handshake_init(&handshake, "", 0);
    handshake.form_max = form;
    shake_hands(wire->socket, &handshake);
    if (handshake.terms.form != form) {
        fail("the server does not have that form of replies");
    }
    wire->terms = handshake.terms;
    *server_export = handshake.server_export;
}

size_t wire_send(struct wire *wire, struct iovec *pieces, size_t count, bool wait)
{
    int flags = wait ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_DONTWAIT;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t sent;

    wire->calls++;
    sent = count == 1 ? send(wire->socket, pieces->iov_base, pieces->iov_len, flags)
                      : sendmsg(wire->socket, &message, flags);
    if (sent < 0 && !wait && errno == EAGAIN) {
        return 0;
    }
    if (sent <= 0) {
        fail("sending failed");
    }
    return (size_t)sent;
}

size_t wire_receive(struct wire *wire, struct iovec *pieces, size_t count, bool wait)
{
    int flags = wait ? 0 : MSG_DONTWAIT;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t received;

    wire->calls++;
    received = count == 1 ? recv(wire->socket, pieces->iov_base, pieces->iov_len, flags)
                          : recvmsg(wire->socket, &message, flags);
    if (received < 0 && !wait && errno == EAGAIN) {
        return 0;
    }
    if (received <= 0) {
        fail(received == 0 ? "the server closed the connection" : "receiving failed");
    }
    return (size_t)received;
}

void wire_close(struct wire *wire)
{
    uint8_t request[NBD_REQUEST_SIZE_MAX];

    if (!move(wire->socket, request, nbd_encode_disconnect(request, wire->terms.form), true)) {
        fail("the server closed the connection");
    }
    close(wire->socket);
}
