/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The practical limit: moves the same bytes as a client would with as few system calls as a blocking socket allows, and
 * looks at nothing. The requests were built before, only their offsets are new; the replies land one behind the other
 * in as much memory as the requests in flight own, and are counted by their bytes: the client asks for as many requests
 * again as have been answered. One connection always. Only where a reply is a hole it writes what the server did not
 * send: zeroes.
 */
#include "bench/meter.h"
#include "bench/reply.h"
#include "bench/wire.h"
#include "core/base/bytes.h"
#include "core/nbd/encode.h"

#include <stdio.h>
#include <string.h>

struct raw {
    struct wire wire;

    uint8_t *requests; /* twice `depth`, so that any `depth` of them lie together */
    size_t request_size;
    uint32_t depth;
    uint32_t next;
    struct places places;
    uint32_t size;

    uint8_t *zeroes; /* holes: the memory of the requests in flight, NULL without holes */

    uint8_t *window;
    size_t reply_size;
    size_t window_size;
    size_t position; /* in the window, of the next byte */
};

static bool is_hole(const struct plan *plan)
{
    return !plan->write && plan->sparse && plan->form != NBD_SIMPLE;
}

/* What the null server answers a request with. */
static size_t reply_size(const struct plan *plan)
{
    if (plan->write) {
        return reply_end_size(plan->form);
    }
    return is_hole(plan) ? reply_hole_size(plan->form) : reply_data_head_size(plan->form) + plan->size;
}

static void build(struct raw *raw, const struct plan *plan)
{
    raw->depth = plan->depth;
    raw->size = plan->size;
    raw->request_size = nbd_request_size(plan->form) + (plan->write ? plan->size : 0);
    raw->requests = allocate(2 * plan->depth * raw->request_size);
    for (uint32_t i = 0; i < 2 * plan->depth; i++) {
        const struct io_request request = {
            .operation = plan->write ? IO_WRITE : IO_READ,
            .length = plan->size,
            .cookie = i + 1,
        };

        nbd_encode_request(raw->requests + i * raw->request_size, &request, plan->form);
    }
    raw->reply_size = reply_size(plan);
    raw->window_size = raw->reply_size * plan->depth;
    raw->window = allocate(raw->window_size);
    raw->zeroes = is_hole(plan) ? allocate((size_t)plan->depth * plan->size) : NULL;
}

static void ask(struct raw *raw, uint64_t count)
{
    uint8_t *first = raw->requests + raw->next * raw->request_size;
    struct iovec piece = {.iov_base = first, .iov_len = count * raw->request_size};

    for (uint64_t i = 0; i < count; i++) {
        store_be64(first + i * raw->request_size + 16, place_next(&raw->places) * raw->size);
    }
    raw->next = (uint32_t)((raw->next + count) % raw->depth);
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

/* The requests from number `from` up to `to` were answered with holes: somebody has to write the zeroes. */
static void fill(struct raw *raw, uint64_t from, uint64_t to)
{
    while (from != to) {
        memset(raw->zeroes + from++ % raw->depth * raw->size, 0, raw->size);
    }
}

static void run(struct raw *raw, const struct plan *plan)
{
    struct meter meter;
    uint64_t started = 0;
    uint64_t answered = 0;
    uint64_t received = 0; /* bytes */

    meter_begin(&meter, plan, raw->wire.calls);
    for (;;) {
        uint64_t count = meter_allows(&meter, started, plan->depth - (started - answered));

        if (count != 0) {
            ask(raw, count);
            started += count;
        } else if (answered == started) {
            break;
        }
        received += receive(raw);
        if (raw->zeroes != NULL) {
            fill(raw, answered, received / raw->reply_size);
        }
        answered = received / raw->reply_size;
    }
    meter_end(&meter, started, raw->wire.calls);
}

int main(int count, char **arguments)
{
    static struct raw raw;
    struct plan plan = plan_read(count, arguments);
    struct nbd_export server_export;

    wire_open(&raw.wire, plan.address, plan.form, &server_export);
    raw.places = plan_places(&plan, server_export.size);
    build(&raw, &plan);
    run(&raw, &plan);
    wire_close(&raw.wire);
    return 0;
}
