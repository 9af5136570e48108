/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The core's NBD client over a POSIX socket, against any server: shakes hands, then keeps requests of every kind that
 * the server has in flight and compares what it answers with what it was told.
 *
 *     interop-client [--form simple|structured|extended] [--errors] [--depth N] PORT EXPORT REQUESTS
 *
 *     --form     the best form to ask for; extended, unless said
 *     --errors   requests may fail: failures are counted and do not end the run
 *     --depth    requests in flight; 16, unless said, which is the most
 *
 * One line says what the export is, one how it ended. Exit code 0: all was as it should be; 1: refused or wrong.
 */
#include "client.h"

#include "core/nbd/encode.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: interop-client [--form simple|structured|extended] [--errors] [--depth N] PORT EXPORT REQUESTS";

/* ---- Requests go ---- */

static void start(struct client *client, struct flight *flight)
{
    const struct io_request *request = &flight->request;
    uint8_t *out = client->out + client->out_length;
    uint32_t size;

    make_request(client, flight);
    contents_sent(flight);
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
    count_sent(&client->tally, request);
}

/* Fills the output again when all of it has left. */
static void start_what_can(struct client *client)
{
    if (client->out_length != client->out_sent) {
        return;
    }
    client->out_length = 0;
    client->out_sent = 0;
    for (uint32_t i = 0; i < client->depth && client->started < client->wanted; i++) {
        if (client->flights[i].request.cookie == 0) {
            start(client, &client->flights[i]);
        }
    }
}

/* ---- Replies come ---- */

static struct flight *flight_of(struct client *client)
{
    struct io_request *request = queue_find(&client->queue, client->reader.cookie);

    if (request == NULL) {
        fail("the server replied to a request that was not sent");
    }
    return (struct flight *)(void *)((uint8_t *)request - offsetof(struct flight, request));
}

/* "NBD_CMD_FLAG_FAST_ZERO": ENOTSUP is the answer of a server that could not be fast. */
static bool is_not_fast(const struct flight *flight)
{
    return (flight->request.flags & IO_FAST_ZERO) != 0 && flight->progress.error == NBD_ENOTSUP;
}

static void take_error(struct client *client, struct flight *flight)
{
    if (is_not_fast(flight)) {
        client->tally.not_fast++;
    } else if (!client->errors_are_counted) {
        fail(nbd_error_text(flight->progress.error));
    }
    count_failed(&client->tally, &flight->request, flight->progress.error);
    contents_failed(flight);
}

static void end(struct client *client, struct flight *flight)
{
    if (flight->progress.error != 0) {
        take_error(client, flight);
    } else {
        const char *problem = contents_problem(flight);

        if (problem != NULL) {
            fail(problem);
        }
    }
    if (queue_take(&client->queue, client->reader.cookie) == NULL) {
        fail("a request ended twice");
    }
}

static void take_extent(struct client *client, struct flight *flight, const struct nbd_part *part)
{
    const char *problem = extent_problem(flight, part, &client->server_export);

    if (problem != NULL) {
        fail(problem);
    }
    client->tally.extents++;
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
        case NBD_READER_EXTENT:
            take_extent(client, flight_of(client), &part);
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

/* ---- The whole ---- */

static void transfer(struct client *client)
{
    while (client->started < client->wanted || client->queue.used != 0) {
        short happened;

        start_what_can(client);
        happened = wait_for_socket(client, client->out_length != client->out_sent ? POLLIN | POLLOUT : POLLIN);
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

static void leave(struct client *client, const char *why)
{
    disconnect(client);
    fail(why);
}

static void describe_export(struct client *client)
{
    const struct nbd_export *server = &client->server_export;
    enum nbd_geometry_problem problem = nbd_export_geometry(server, BLOCK, &client->geometry);

    printf("export: size %llu flags 0x%x minimum %u preferred %u maximum %u\n", (unsigned long long)server->size,
           server->flags, server->minimum_block, server->preferred_block, server->maximum_payload);
    if (problem != NBD_GEOMETRY_OK) {
        leave(client, nbd_geometry_problem_text(problem));
    }
    if (server->size < (uint64_t)DEPTH * AREA || client->geometry.maximum_length < AREA) {
        leave(client, "the export or its longest request is too small for this test");
    }
}

static void *allocate(size_t length)
{
    void *memory = calloc(1, length);

    if (memory == NULL) {
        fail("out of memory");
    }
    return memory;
}

static void prepare_client(struct client *client)
{
    queue_init(&client->queue, client->slots, DEPTH);
    client->random = 1;
    client->out = allocate((size_t)DEPTH * (NBD_REQUEST_SIZE_MAX + AREA));
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

static uint32_t depth_from(const char *text)
{
    unsigned long depth = strtoul(text, NULL, 10);

    if (depth == 0 || depth > DEPTH) {
        fail(usage);
    }
    return (uint32_t)depth;
}

static enum nbd_form form_from(const char *name)
{
    static const char *const names[] = {"simple", "structured", "extended"}; /* by enum nbd_form */

    for (enum nbd_form form = NBD_SIMPLE; form <= NBD_EXTENDED; form++) {
        if (strcmp(names[form], name) == 0) {
            return form;
        }
    }
    fail(usage);
}

/* Answers the arguments behind the options: PORT, EXPORT and REQUESTS. */
static char **take_options(struct client *client, int count, char **arguments)
{
    static const struct option options[] = {{"form", required_argument, NULL, 'f'},
                                            {"errors", no_argument, NULL, 'e'},
                                            {"depth", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    int option;

    client->form_max = NBD_EXTENDED;
    client->depth = DEPTH;
    opterr = 0;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            client->form_max = form_from(optarg);
            break;
        case 'e':
            client->errors_are_counted = true;
            break;
        case 'd':
            client->depth = depth_from(optarg);
            break;
        default:
            fail(usage);
        }
    }
    if (count - optind != 3) {
        fail(usage);
    }
    return arguments + optind;
}

int main(int count, char **arguments)
{
    static struct client client;
    char **words = take_options(&client, count, arguments);

    client.wanted = strtoull(words[2], NULL, 10);
    prepare_client(&client);
    connect_to(&client, words[0]);
    shake_hands(&client, words[1]);
    describe_export(&client);
    choose_operations(&client);
    transfer(&client);
    disconnect(&client);
    print_tally(&client);
    free_client(&client);
    return 0;
}
