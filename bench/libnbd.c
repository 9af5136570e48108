/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libnbd used directly and as well as it can be: its asynchronous calls and its own poll loop, one connection, no
 * checks of arguments, no clearing of read buffers, simple replies like the others. It does not say how many system
 * calls it makes.
 */
#include "bench/meter.h"
#include "bench/pattern.h"

#include <libnbd.h>
#include <stdio.h>
#include <string.h>

struct request {
    uint8_t *data;
    uint64_t offset;
    struct request *next; /* idle */
    struct client *client;
};

struct client {
    struct nbd_handle *nbd;
    struct plan plan;
    uint64_t places; /* of a request in the export */
    uint32_t random;
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

static void connect_to(struct client *client)
{
    const char *address = client->plan.address;

    client->nbd = nbd_create();
    if (client->nbd == NULL) {
        fail(nbd_get_error());
    }
    must(nbd_set_strict_mode(client->nbd, 0));
    must(nbd_set_pread_initialize(client->nbd, false));
    must(nbd_set_request_structured_replies(client->nbd, false));
    if (strncmp(address, "tcp:", 4) == 0) {
        must(nbd_connect_tcp(client->nbd, "127.0.0.1", address + 4));
    } else {
        must(nbd_connect_unix(client->nbd, address + 5));
    }
    client->places = (uint64_t)nbd_get_size(client->nbd) / client->plan.size;
}

static void prepare(struct client *client)
{
    uint8_t *data;

    client->random = 1;
    data = allocate((size_t)client->plan.depth * client->plan.size);
    for (uint32_t i = 0; i < client->plan.depth; i++) {
        struct request *request = &client->requests[i];

        request->client = client;
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
        !pattern_holds(request->data, client->plan.size, request->offset)) {
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
    request->offset = random_below(&client->random, client->places) * size;
    if (client->plan.verify && client->plan.write) {
        pattern_fill(request->data, size, request->offset);
    }
    cookie = client->plan.write ? nbd_aio_pwrite(client->nbd, request->data, size, request->offset, callback, 0)
                                : nbd_aio_pread(client->nbd, request->data, size, request->offset, callback, 0);
    must(cookie == -1 ? -1 : 0);
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
        must(nbd_poll(client->nbd, -1));
    }
    meter_end(&meter, started, METER_NO_CALLS);
}

int main(int count, char **arguments)
{
    static struct client client;

    client.plan = plan_read(count, arguments);
    connect_to(&client);
    prepare(&client);
    run(&client);
    must(nbd_shutdown(client.nbd, 0));
    nbd_close(client.nbd);
    return 0;
}
