/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The practical limit: moves the same bytes as a client would with as few system calls as a blocking socket allows, and
 * looks at nothing. The requests were built before; the replies land one behind the other in as much memory as the
 * requests in flight own, and are counted by their bytes: the client asks for as many requests again as have been
 * answered.
 */
#include "bench/meter.h"
#include "bench/pattern.h"
#include "bench/wire.h"
#include "core/nbd/session.h"

#include <stdio.h>

#define REQUESTS_MIN 1024 /* different ones, if they are small */

struct raw {
    struct wire wire;
    uint32_t depth;

    uint8_t *requests; /* `count` and, so that any `depth` of them lie together, the first `depth` again */
    size_t request_size;
    uint32_t count;
    uint32_t next;

    uint8_t *window;
    size_t reply_size;
    size_t window_size;
    size_t position; /* in the window, of the next byte */
};

static void build(struct raw *raw, const struct plan *plan, uint64_t export_size)
{
    uint32_t random = 1;

    raw->count = plan->write ? plan->depth : REQUESTS_MIN;
    raw->request_size = NBD_REQUEST_SIZE + (plan->write ? plan->size : 0);
    raw->requests = allocate(raw->request_size * (raw->count + plan->depth));
    for (uint32_t i = 0; i < raw->count + plan->depth; i++) {
        uint8_t *bytes = raw->requests + i * raw->request_size;
        struct io_request request = {
            .operation = plan->write ? IO_WRITE : IO_READ,
            .offset = random_below(&random, export_size / plan->size) * plan->size,
            .length = plan->size,
            .cookie = i + 1,
        };

        nbd_encode_request(bytes, &request);
        if (plan->write) {
            pattern_fill(bytes + NBD_REQUEST_SIZE, plan->size, request.offset);
        }
    }
    raw->reply_size = NBD_SIMPLE_REPLY_SIZE + (plan->write ? 0 : plan->size);
    raw->window_size = raw->reply_size * plan->depth;
    raw->window = allocate(raw->window_size);
}

static void ask(struct raw *raw, uint64_t count)
{
    struct iovec piece = {
        .iov_base = raw->requests + raw->next * raw->request_size,
        .iov_len = count * raw->request_size,
    };

    raw->next = (uint32_t)((raw->next + count) % raw->count);
    while (piece.iov_len != 0) {
        size_t sent = wire_send(&raw->wire, &piece, 1, true);

        piece.iov_base = (uint8_t *)piece.iov_base + sent;
        piece.iov_len -= sent;
    }
}

static size_t receive(struct raw *raw)
{
    struct iovec pieces[] = {
        {.iov_base = raw->window + raw->position, .iov_len = raw->window_size - raw->position},
        {.iov_base = raw->window, .iov_len = raw->position},
    };
    size_t count = wire_receive(&raw->wire, pieces, raw->position == 0 ? 1 : 2, true);

    raw->position = (raw->position + count) % raw->window_size;
    return count;
}

static void run(struct raw *raw, const struct plan *plan)
{
    struct meter meter;
    uint64_t started = 0;
    uint64_t received = 0; /* bytes */

    meter_begin(&meter, plan, raw->wire.calls);
    for (;;) {
        uint64_t answered = received / raw->reply_size;
        uint64_t count = meter_allows(&meter, started, plan->depth - (started - answered));

        if (count != 0) {
            ask(raw, count);
            started += count;
        } else if (answered == started) {
            break;
        }
        received += receive(raw);
    }
    meter_end(&meter, started, raw->wire.calls);
}

int main(int count, char **arguments)
{
    static struct raw raw;
    struct plan plan = plan_read(count, arguments);
    struct nbd_export server_export;

    wire_open(&raw.wire, plan.address, &server_export);
    build(&raw, &plan, server_export.size);
    run(&raw, &plan);
    wire_close(&raw.wire);
    return 0;
}
