/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libnbd used directly and as well as it can be: its asynchronous calls and its own poll loop (a loop over all of them
 * when there are several connections, to which the requests in flight belong evenly), no checks of arguments, no
 * clearing of read buffers, the form of replies that the others have. It does not say how many system calls it makes.
 */
#include "bench/meter.h"
#include "bench/pattern.h"

#include <libnbd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

struct request {
    struct nbd_handle *nbd; /* its connection */
    uint8_t *data;
    uint64_t offset;
    struct request *next; /* idle */
    struct client *client;
};

struct client {
    struct nbd_handle *connections[PLAN_CONNECTIONS_MAX];
    struct plan plan;
    struct places places;
    struct request requests[PLAN_DEPTH_MAX];
    struct request *idle;
    uint64_t answered;
};

static void must(int result)
{
    if (result == -1) {
        fail(nbd_get_error());
    }
}

static struct nbd_handle *connect_to(const struct plan *plan)
{
    struct nbd_handle *nbd = nbd_create();

    if (nbd == NULL) {
        fail(nbd_get_error());
    }
    must(nbd_set_strict_mode(nbd, 0));
    must(nbd_set_pread_initialize(nbd, false));
    must(nbd_set_request_structured_replies(nbd, plan->form != NBD_SIMPLE));
    if (strncmp(plan->address, "tcp:", 4) == 0) {
        must(nbd_connect_tcp(nbd, "127.0.0.1", plan->address + 4));
    } else {
        must(nbd_connect_unix(nbd, plan->address + 5));
    }
    if (plan->form == NBD_EXTENDED || (plan->form == NBD_SIMPLE) == nbd_get_structured_replies_negotiated(nbd)) {
        fail("the server does not have that form of replies, or this libnbd does not");
    }
    return nbd;
}

static void connect_all(struct client *client)
{
    for (uint32_t i = 0; i < client->plan.connections; i++) {
        client->connections[i] = connect_to(&client->plan);
    }
    client->places = plan_places(&client->plan, (uint64_t)nbd_get_size(client->connections[0]));
}

static void prepare(struct client *client)
{
    uint8_t *data;

    data = allocate((size_t)client->plan.depth * client->plan.size);
    for (uint32_t i = 0; i < client->plan.depth; i++) {
        struct request *request = &client->requests[i];

        request->client = client;
        request->nbd = client->connections[i % client->plan.connections];
        request->data = data + (size_t)i * client->plan.size;
        request->next = client->idle;
        client->idle = request;
    }
}

static int answered(void *context, int *error)
{
    struct request *request = context;
    struct client *client = request->client;

    if (*error != 0) {
        fail("a request failed");
    }
    if (client->plan.verify && !client->plan.write &&
        !contents_hold(request->data, client->plan.size, request->offset, client->plan.sparse)) {
        fail("what was read is not what the server has");
    }
    request->next = client->idle;
    client->idle = request;
    client->answered++;
    return 1; /* libnbd forgets the request */
}

static void start(struct client *client)
{
    struct request *request = client->idle;
    nbd_completion_callback callback = {.callback = answered, .user_data = request};
    uint32_t size = client->plan.size;
    int64_t cookie;

    client->idle = request->next;
    request->offset = place_next(&client->places) * size;
    if (client->plan.verify && client->plan.write) {
        contents_fill(request->data, size, request->offset, client->plan.sparse);
    }
    cookie = client->plan.write ? nbd_aio_pwrite(request->nbd, request->data, size, request->offset, callback, 0)
                                : nbd_aio_pread(request->nbd, request->data, size, request->offset, callback, 0);
    must(cookie == -1 ? -1 : 0);
}

static short events_of(struct nbd_handle *nbd)
{
    unsigned direction = nbd_aio_get_direction(nbd);

    return (short)((direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
                   (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0));
}

static void notify(struct nbd_handle *nbd, short events)
{
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
        must(nbd_aio_notify_read(nbd));
    } else if ((events & POLLOUT) != 0) {
        must(nbd_aio_notify_write(nbd));
    }
}

/* What nbd_poll does for one connection. */
static void poll_all(struct client *client)
{
    struct pollfd poll_on[PLAN_CONNECTIONS_MAX];
    uint32_t count = client->plan.connections;

    if (count == 1) {
        must(nbd_poll(client->connections[0], -1));
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct nbd_handle *nbd = client->connections[i];

        poll_on[i] = (struct pollfd){.fd = nbd_aio_get_fd(nbd), .events = events_of(nbd)};
    }
    if (poll(poll_on, count, -1) < 1) {
        fail("waiting failed");
    }
    for (uint32_t i = 0; i < count; i++) {
        notify(client->connections[i], poll_on[i].revents);
    }
}

static void run(struct client *client)
{
    uint64_t started = 0;
    struct meter meter;

    meter_begin(&meter, &client->plan, 0);
    for (;;) {
        uint64_t count = meter_allows(&meter, started, client->plan.depth - (started - client->answered));

        started += count;
        while (count-- != 0) {
            start(client);
        }
        if (client->answered == started) {
            break;
        }
        poll_all(client);
    }
    meter_end(&meter, started, METER_NO_CALLS);
}

int main(int count, char **arguments)
{
    static struct client client;

    client.plan = plan_read(count, arguments);
    connect_all(&client);
    prepare(&client);
    run(&client);
    for (uint32_t i = 0; i < client.plan.connections; i++) {
        must(nbd_shutdown(client.connections[i], 0));
        nbd_close(client.connections[i]);
    }
    return 0;
}
