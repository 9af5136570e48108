/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The core's NBD client over a POSIX socket, against a real server: shakes hands, then keeps requests of every kind in
 * flight and compares what it reads with what it wrote.
 *
 *     interop-client PORT EXPORT REQUESTS
 *
 * One line says what the export is, one how it ended. Exit code 0: all was as it should be; 1: refused or wrong.
 */
#include "core/io/queue.h"
#include "core/nbd/encode.h"
#include "core/nbd/handshake.h"
#include "core/nbd/reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEPTH       16
#define AREA        (128u << 10) /* bytes of the export that belong to one slot */
#define SILENCE_MS  10000        /* a server that says nothing for so long has failed */
#define RECEIVE_MAX 8192         /* larger reads come straight into their memory */

/* A request in flight; it and its bytes of the export belong to one slot. */
struct flight {
    struct io_request request;
    struct nbd_progress progress;
    uint32_t number;
    uint8_t *expected; /* what the slot's bytes of the export must be */
    uint8_t *data;     /* what is being read or written */
    bool known;        /* false after a trim: anything may be read */
};

struct client {
    int socket;
    struct nbd_export server_export;
    struct nbd_terms terms;
    struct nbd_geometry geometry;
    struct io_queue queue;
    struct io_slot slots[DEPTH];
    struct flight flights[DEPTH];
    struct nbd_reader reader;
    uint32_t random;
    uint64_t started;
    uint64_t wanted;
    uint64_t counts[IO_BLOCK_STATUS + 1]; /* by operation */
    uint8_t *out;                         /* bytes to be sent */
    size_t out_length;
    size_t out_sent;
    uint8_t in[RECEIVE_MAX];
};

static _Noreturn void fail(const char *why)
{
    printf("failed: %s\n", why);
    exit(1);
}

static uint32_t next_random(struct client *client)
{
    client->random = client->random * 1664525 + 1013904223;
    return client->random >> 8;
}

static void wait_for(int descriptor, short events, short *happened)
{
    struct pollfd poll_on = {.fd = descriptor, .events = events};

    if (poll(&poll_on, 1, SILENCE_MS) != 1) {
        fail("the server is silent");
    }
    *happened = poll_on.revents;
}

/* 0 at the end of the connection. */
static size_t receive_some(struct client *client, uint8_t *bytes, size_t room)
{
    ssize_t count = recv(client->socket, bytes, room, MSG_DONTWAIT);
    short happened;

    while (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        wait_for(client->socket, POLLIN, &happened);
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

static void connect_to(struct client *client, const char *port)
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

static void shake_hands(struct client *client, const char *name)
{
    struct nbd_handshake handshake;
    char text[512];

    nbd_handshake_init(&handshake, name, strlen(name));
    for (;;) {
        uint8_t *bytes;
        size_t length;
        bool moved = false;

        switch (nbd_handshake_step(&handshake, &bytes, &length)) {
        case NBD_HANDSHAKE_SEND:
            moved = send_all(client, bytes, length);
            break;
        case NBD_HANDSHAKE_RECEIVE:
            moved = receive_all(client, bytes, length);
            break;
        case NBD_HANDSHAKE_ENTRY:
        case NBD_HANDSHAKE_DONE:
            client->server_export = handshake.server_export;
            client->terms = handshake.terms;
            nbd_reader_init(&client->reader, &client->terms);
            return;
        case NBD_HANDSHAKE_FAILED:
            nbd_handshake_describe(&handshake, text, sizeof text);
            fail(text);
        }
        if (moved) {
            nbd_handshake_advance(&handshake);
        } else {
            nbd_handshake_closed(&handshake);
        }
    }
}

static void describe_export(struct client *client)
{
    const struct nbd_export *server = &client->server_export;
    enum nbd_geometry_problem problem = nbd_export_geometry(server, 512, &client->geometry);

    printf("export: size %llu flags 0x%x minimum %u preferred %u maximum %u\n", (unsigned long long)server->size,
           server->flags, server->minimum_block, server->preferred_block, server->maximum_payload);
    if (problem != NBD_GEOMETRY_OK) {
        fail(nbd_geometry_problem_text(problem));
    }
    if (server->size < (uint64_t)DEPTH * AREA || client->geometry.maximum_length < AREA) {
        fail("the export or its longest request is too small for this test");
    }
}

static bool has(const struct client *client, uint16_t flag)
{
    return (client->server_export.flags & flag) != 0;
}

static enum io_operation choose_operation(struct client *client, const struct flight *flight)
{
    uint32_t choice = next_random(client) % 16;

    if (has(client, NBD_FLAG_READ_ONLY)) {
        return IO_READ;
    }
    if (!flight->known) {
        return IO_WRITE;
    }
    if (choice == 0 && has(client, NBD_FLAG_SEND_FLUSH)) {
        return IO_FLUSH;
    }
    if (choice == 1 && has(client, NBD_FLAG_SEND_TRIM)) {
        return IO_TRIM;
    }
    return choice % 2 == 0 ? IO_READ : IO_WRITE;
}

/* Whole blocks within the slot's area; all of it where it is not known what is there. */
static void choose_range(struct client *client, struct flight *flight)
{
    struct io_request *request = &flight->request;
    uint32_t blocks = AREA / 512;
    uint32_t first = flight->known ? next_random(client) % blocks : 0;
    uint32_t count = flight->known ? 1 + next_random(client) % (blocks - first) : blocks;

    if (request->operation == IO_FLUSH) {
        return;
    }
    request->offset = (uint64_t)flight->number * AREA + first * 512;
    request->length = count * 512;
}

static uint8_t *expected_bytes(struct flight *flight)
{
    return flight->expected + flight->request.offset % AREA;
}

static void prepare(struct client *client, struct flight *flight)
{
    struct io_request *request = &flight->request;

    *request = (struct io_request){0};
    request->operation = choose_operation(client, flight);
    choose_range(client, flight);
    if (request->operation == IO_WRITE) {
        for (uint32_t i = 0; i < request->length; i += 4) {
            uint32_t value = next_random(client);

            memcpy(flight->data + i, &value, 4);
        }
        memcpy(expected_bytes(flight), flight->data, request->length);
        flight->known = true;
    }
    if (request->operation == IO_TRIM) {
        flight->known = false;
    }
    if (has(client, NBD_FLAG_SEND_FUA) && next_random(client) % 4 == 0) {
        request->flags = IO_FUA;
    }
}

static void start(struct client *client, struct flight *flight)
{
    const struct io_request *request = &flight->request;
    uint8_t *out = client->out + client->out_length;
    uint32_t size;

    prepare(client, flight);
    if (!queue_add(&client->queue, &flight->request)) {
        fail("the queue is full");
    }
    nbd_progress_init(&flight->progress);
    size = nbd_encode_request(out, request, client->terms.form);
    client->out_length += size;
    if (request->operation == IO_WRITE) {
        memcpy(out + size, flight->data, request->length);
        client->out_length += request->length;
    }
    client->started++;
    client->counts[request->operation]++;
}

/* Fills the output again when all of it has left. */
static void start_what_can(struct client *client)
{
    if (client->out_length != client->out_sent) {
        return;
    }
    client->out_length = 0;
    client->out_sent = 0;
    for (uint32_t i = 0; i < DEPTH && client->started < client->wanted; i++) {
        if (client->flights[i].request.cookie == 0) {
            start(client, &client->flights[i]);
        }
    }
}

static struct flight *flight_of(struct client *client)
{
    struct io_request *request = queue_find(&client->queue, client->reader.cookie);

    if (request == NULL) {
        fail("the server replied to a request that was not sent");
    }
    return (struct flight *)(void *)((uint8_t *)request - offsetof(struct flight, request));
}

static void end(struct client *client, struct flight *flight)
{
    const struct io_request *request = &flight->request;

    if (flight->progress.error != 0) {
        fail(nbd_error_text(flight->progress.error));
    }
    if (request->operation == IO_READ && flight->known &&
        memcmp(flight->data, expected_bytes(flight), request->length) != 0) {
        fail("what was read is not what was written");
    }
    if (queue_take(&client->queue, client->reader.cookie) == NULL) {
        fail("a request ended twice");
    }
}

static void take_reply(struct client *client)
{
    struct flight *flight = flight_of(client);

    nbd_reader_expect(&client->reader, &flight->request, &flight->progress);
}

static void take_replies(struct client *client, const uint8_t *bytes, size_t length)
{
    enum nbd_reader_step step;
    struct nbd_part part;

    while ((step = nbd_reader_step(&client->reader, &bytes, &length, &part)) != NBD_READER_MORE) {
        switch (step) {
        case NBD_READER_MORE:
        case NBD_READER_EXTENT:
            break;
        case NBD_READER_REPLY:
            take_reply(client);
            break;
        case NBD_READER_DATA:
            memcpy(flight_of(client)->data + part.offset, part.bytes, part.length);
            break;
        case NBD_READER_HOLE:
            memset(flight_of(client)->data + part.offset, 0, part.length);
            break;
        case NBD_READER_DONE:
            end(client, flight_of(client));
            break;
        case NBD_READER_BAD:
            fail(client->reader.broken);
        }
    }
}

static void receive_payload(struct client *client)
{
    struct flight *flight = flight_of(client);
    size_t count = receive_some(client, flight->data + client->reader.payload_offset, client->reader.payload_left);

    if (count == 0) {
        fail("the server closed the connection");
    }
    nbd_reader_received(&client->reader, (uint32_t)count);
    take_replies(client, client->in, 0);
}

static void receive_replies(struct client *client)
{
    size_t length = receive_some(client, client->in, sizeof client->in);

    if (length == 0) {
        fail("the server closed the connection");
    }
    take_replies(client, client->in, length);
}

static void send_some(struct client *client)
{
    ssize_t count = send(client->socket, client->out + client->out_sent, client->out_length - client->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

    if (count > 0) {
        client->out_sent += (size_t)count;
    } else if (errno != EAGAIN && errno != EINTR) {
        fail("the server closed the connection");
    }
}

static void transfer(struct client *client)
{
    while (client->started < client->wanted || client->queue.used != 0) {
        short happened;

        start_what_can(client);
        wait_for(client->socket, client->out_length != client->out_sent ? POLLIN | POLLOUT : POLLIN, &happened);
        if (happened & POLLOUT) {
            send_some(client);
        }
        if (!(happened & (POLLIN | POLLHUP | POLLERR))) {
            continue;
        }
        if (nbd_reader_payload(&client->reader) > sizeof client->in) {
            receive_payload(client);
        } else {
            receive_replies(client);
        }
    }
}

/* NBD_CMD_DISC: the server ends the connection and says nothing more. */
static void disconnect(struct client *client)
{
    uint8_t request[NBD_REQUEST_SIZE_MAX];

    if (!send_all(client, request, nbd_encode_disconnect(request, client->terms.form)) ||
        receive_some(client, client->in, sizeof client->in) != 0) {
        fail("the server did not close after NBD_CMD_DISC");
    }
    close(client->socket);
}

static void *allocate(size_t length)
{
    void *memory = calloc(1, length);

    if (memory == NULL) {
        fail("out of memory");
    }
    return memory;
}

static void prepare_client(struct client *client, uint64_t wanted)
{
    queue_init(&client->queue, client->slots, DEPTH);
    client->random = 1;
    client->wanted = wanted;
    client->out = allocate(DEPTH * (NBD_REQUEST_SIZE_MAX + AREA));
    for (uint32_t i = 0; i < DEPTH; i++) {
        client->flights[i].number = i;
        client->flights[i].expected = allocate(AREA);
        client->flights[i].data = allocate(AREA);
    }
}

static void free_client(struct client *client)
{
    for (uint32_t i = 0; i < DEPTH; i++) {
        free(client->flights[i].expected);
        free(client->flights[i].data);
    }
    free(client->out);
}

int main(int count, char **arguments)
{
    static struct client client;

    if (count != 4) {
        fail("usage: interop-client PORT EXPORT REQUESTS");
    }
    prepare_client(&client, strtoull(arguments[3], NULL, 10));
    connect_to(&client, arguments[1]);
    shake_hands(&client, arguments[2]);
    describe_export(&client);
    transfer(&client);
    disconnect(&client);
    printf("done: %llu reads %llu writes %llu flushes %llu trims\n", (unsigned long long)client.counts[IO_READ],
           (unsigned long long)client.counts[IO_WRITE], (unsigned long long)client.counts[IO_FLUSH],
           (unsigned long long)client.counts[IO_TRIM]);
    free_client(&client);
    return 0;
}
