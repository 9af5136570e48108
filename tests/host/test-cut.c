/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection is closed after each byte of what a server sends: of the handshake, with all options that there are,
 * and of each kind of reply; and after each byte of what the client does. A map fails in words then; a request goes on
 * over another connection.
 */
#include "tests/host/chunks.h"
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include "bed/host/clock.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define SPEED        50
#define EXPORT_BYTES (128u << 10)
#define FLAGS        (SERVER_FLAGS_USUAL | SERVER_FLAG_WRITE_ZEROES | SERVER_FLAG_CACHE)
#define BLOCK        CHUNKS_LENGTH
#define DATA_STRIDE  61

static struct server_options options_of(enum server_form form)
{
    return (struct server_options){.size = EXPORT_BYTES, .flags = FLAGS, .form = form};
}

/* ---- The handshake ---- */

static NTSTATUS map_with(const struct server_options *options, size_t at)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output = {0};
    NTSTATUS status;

    server = server_start(options);
    wnbd_describe(&command, "vol1", server_port(server));
    status = wnbd_map(adapter, &command, &output);
    if (NT_SUCCESS(status)) {
        assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    } else if (status != STATUS_CONNECTION_DISCONNECTED || output.Message[0] == '\0') {
        fail_msg("form %d cut after %zu bytes: 0x%08x '%s'", options->form, at, (unsigned)status, output.Message);
    }
    server_stop(server);
    return status;
}

static NTSTATUS map_cut(enum server_form form, size_t at)
{
    struct server_options options = options_of(form);

    options.cut_at = at;
    return map_with(&options, at);
}

/* How many bytes the handshake has. */
static size_t handshake_bytes(enum server_form form)
{
    size_t at = 1;

    while (!NT_SUCCESS(map_cut(form, at))) {
        at++;
    }
    return at;
}

static void connection_closed_after_each_byte_of_the_handshake(void **state)
{
    const size_t simple = 18 + 2 * 20 + 32 + 20;

    (void)state;
    fixture_start_machine();
    assert_int_equal(handshake_bytes(SERVER_SIMPLE), simple);
    assert_int_equal(handshake_bytes(SERVER_STRUCTURED), simple + 39 + 20);
    assert_int_equal(handshake_bytes(SERVER_EXTENDED), simple + 39);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* How many bytes the client's side of the handshake has: the server goes when it has heard fewer. */
static size_t bytes_of_client(enum server_form form)
{
    struct server_options options = options_of(form);

    do {
        options.deaf_at++;
    } while (map_with(&options, options.deaf_at) == STATUS_CONNECTION_DISCONNECTED);
    return options.deaf_at;
}

static void connection_closed_after_each_byte_of_the_clients_handshake(void **state)
{
    size_t simple;

    (void)state;
    fixture_start_machine();
    simple = bytes_of_client(SERVER_SIMPLE);
    assert_in_range(simple, 4 + 3 * 16, 4 + 3 * 16 + 64); /* flags, three options, the last with data */
    assert_in_range(bytes_of_client(SERVER_STRUCTURED), simple + 16 + 15,
                    simple + 16 + 64); /* and the context's name */
    assert_in_range(bytes_of_client(SERVER_EXTENDED), simple + 15, simple + 64);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* The connection is lost, and the next one breaks in its handshake. */
static void lose_and_cut(struct bed_file *disk, struct server_options *options, size_t at)
{
    unsigned before = server_connections(server);

    options->cut_at = at;
    server_offer(server, options);
    server_drop(server);
    fixture_write_and_read_back(disk, at * BLOCK, BLOCK);
    assert_true(server_connections(server) >= before + 2);
}

static void request_outlives_each_byte_of_the_next_handshake(void **state)
{
    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_STRUCTURED; form <= SERVER_EXTENDED; form++) {
        struct server_options options = options_of(form);
        struct bed_file *disk = fixture_serve(&options);
        size_t all = form == SERVER_STRUCTURED ? 169 : 149;

        for (size_t at = 1; at < all; at += 2 - (at > 58)) { /* up to there it is the handshake of before */
            lose_and_cut(disk, &options, at);
        }
        fixture_serve_no_more(disk);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Replies ---- */

typedef bool tried(struct bed_file *disk);

static bool read_block(struct bed_file *disk)
{
    UCHAR data[BLOCK];
    UCHAR wanted[BLOCK];
    bool good = NT_SUCCESS(bed_read(disk, CHUNKS_AT, data, BLOCK));

    server_read(server, CHUNKS_AT, wanted, BLOCK);
    return good && memcmp(data, wanted, BLOCK) == 0;
}

static bool write_block(struct bed_file *disk)
{
    UCHAR wanted[BLOCK];
    UCHAR data[BLOCK];
    bool good;

    wnbd_pattern(wanted, BLOCK, 99);
    good = NT_SUCCESS(bed_write(disk, CHUNKS_AT, wanted, BLOCK));
    server_read(server, CHUNKS_AT, data, BLOCK);
    return good && memcmp(data, wanted, BLOCK) == 0;
}

/* All that the server has is allocated. */
static bool ask_status(struct bed_file *disk)
{
    struct pass pass;

    return pass_lba_status(disk, &pass, CHUNKS_AT / BLOCK, 8) && pass.header.DataTransferLength == 8 + 16 &&
           pass.data[8 + 12] == 0;
}

/* The server ends its first connection `at` bytes into its replies; the request goes on. */
static void cut_reply(const struct server_options *but, tried *try, size_t at)
{
    struct server_options options = *but;
    static UCHAR data[EXPORT_BYTES];
    struct bed_file *disk;

    options.cut_reply_at = at;
    wnbd_pattern(data, EXPORT_BYTES, 5);
    server = server_start(&options);
    server_write(server, 0, data, EXPORT_BYTES);
    disk = fixture_map();
    if (!try(disk) || server_connections(server) != 2) {
        fail_msg("form %d cut after %zu bytes of a reply, %u connections", options.form, at,
                 server_connections(server));
    }
    fixture_serve_no_more(disk);
}

/* Each byte of the headers, and some of the data. */
static void cut_each(const struct server_options *options, tried *try, size_t headers, size_t all)
{
    for (size_t at = 1; at < all; at += at < headers ? 1 : DATA_STRIDE) {
        cut_reply(options, try, at);
    }
}

/* The server goes when it has heard so much of the first request: of its header, and of a write's data some. */
static void connection_closed_after_each_byte_of_a_request(void **state)
{
    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        struct server_options options = options_of(form);
        size_t header = form == SERVER_EXTENDED ? 32 : 28;

        for (size_t at = 1; at <= header + BLOCK; at += at < header ? 1 : DATA_STRIDE) {
            options.deaf_request_at = at;
            cut_reply(&options, write_block, 0);
            if (at <= header) {
                cut_reply(&options, read_block, 0);
            }
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static size_t header_of(enum server_form form)
{
    static const size_t sizes[] = {16, 20, 32};

    return sizes[form];
}

static void connection_closed_after_each_byte_of_a_reply(void **state)
{
    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        struct server_options options = options_of(form);
        size_t read = header_of(form) + (form != SERVER_SIMPLE ? 8 : 0);

        cut_each(&options, read_block, read, read + BLOCK);
        cut_each(&options, write_block, header_of(form), header_of(form));
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* In both forms of chunks. */
static void cut_each_byte_of(const struct server_chunk *chunks, unsigned count, tried *try)
{
    for (enum server_form form = SERVER_STRUCTURED; form <= SERVER_EXTENDED; form++) {
        struct server_options options = options_of(form);
        size_t all = 0;

        for (unsigned i = 0; i < count; i++) {
            all += header_of(form) + chunks[i].count;
        }
        options.chunks = chunks;
        options.chunk_count = count;
        cut_each(&options, try, all, all);
    }
}

static void connection_closed_after_each_byte_of_data_and_holes(void **state)
{
    const struct server_chunk chunks[] = {
        CHUNK(0, HOLE, BE64(CHUNKS_AT + 4), BE32(CHUNKS_LENGTH - 4)),
        CHUNK(DONE, DATA, BE64(CHUNKS_AT), 'd', 'a', 't', 'a'),
    };

    (void)state;
    fixture_start_machine();
    cut_each_byte_of(chunks, ARRAYSIZE(chunks), read_block);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* What was said of a hole, before the connection was lost, is not said any more. */
static void connection_closed_after_each_byte_of_a_block_status(void **state)
{
    const struct server_chunk chunks[] = {
        CHUNK(0, STATUS, BE32(SERVER_CONTEXT), BE32(4096), BE32(3), BE32(4096), BE32(0)),
        CHUNK_END,
    };

    (void)state;
    fixture_start_machine();
    cut_each_byte_of(chunks, ARRAYSIZE(chunks), ask_status);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* The error that has come does not count, because its reply has not. */
static void connection_closed_after_each_byte_of_an_error(void **state)
{
    const struct server_chunk chunks[] = {
        CHUNK(0, ERROR_AT, BE32(5), BE16(3), 'b', 'a', 'd', BE64(CHUNKS_AT + 1)),
        CHUNK_END,
    };

    (void)state;
    fixture_start_machine();
    cut_each_byte_of(chunks, ARRAYSIZE(chunks), write_block);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_closed_after_each_byte_of_the_handshake),
        cmocka_unit_test(request_outlives_each_byte_of_the_next_handshake),
        cmocka_unit_test(connection_closed_after_each_byte_of_the_clients_handshake),
        cmocka_unit_test(connection_closed_after_each_byte_of_a_request),
        cmocka_unit_test(connection_closed_after_each_byte_of_a_reply),
        cmocka_unit_test(connection_closed_after_each_byte_of_data_and_holes),
        cmocka_unit_test(connection_closed_after_each_byte_of_a_block_status),
        cmocka_unit_test(connection_closed_after_each_byte_of_an_error),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    bed_clock_speed(SPEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
