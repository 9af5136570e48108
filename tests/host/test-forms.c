/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Simple, structured and extended replies: in one piece or in many, byte by byte, backwards, mixed; and what happens
 * when a server that comes back agrees to another form, or can do less than it could.
 */
#include "tests/host/fixture.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS           1000 /* microseconds, of the machine's own clock */
#define EXPORT_BYTES (8u << 20)
#define FLIGHT       16
#define SEEDS        8
#define PATIENCE_MS  20000

static const enum server_form forms[] = {SERVER_SIMPLE, SERVER_STRUCTURED, SERVER_EXTENDED};

static struct server_options options_of(enum server_form form)
{
    return (struct server_options){.size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL, .form = form};
}

/* Every third page, and all of the last quarter, is zeroes. */
static void fill(ULONG seed)
{
    UCHAR page[SERVER_PAGE];

    for (ULONG at = 0; at < EXPORT_BYTES / 4 * 3; at += SERVER_PAGE) {
        if (at / SERVER_PAGE % 3 != seed % 3) {
            wnbd_pattern(page, SERVER_PAGE, at + seed);
            server_write(server, at, page, SERVER_PAGE);
        }
    }
}

static void check_read(struct bed_file *disk, ULONGLONG offset, ULONG length)
{
    UCHAR *read = malloc(length);
    UCHAR *wanted = malloc(length);

    memset(read, 0xEE, length);
    assert_int_equal(bed_read(disk, offset, read, length), STATUS_SUCCESS);
    server_read(server, offset, wanted, length);
    assert_memory_equal(read, wanted, length);
    free(read);
    free(wanted);
}

/* ---- In pieces ---- */

static const ULONG sizes[] = {512, 1024, 4096, 8192 + 512, 20480, 20480 + 512, 65536, 65536 + 1024, 1 << 20, 3 << 20};

/* Reads of what is there, holes and all, and of what has been written. */
static void go_through(struct bed_file *disk, ULONG seed)
{
    for (size_t i = 0; i < ARRAYSIZE(sizes); i++) {
        ULONG at = (ULONG)(i * 98816 + seed * 512);

        check_read(disk, at, sizes[i]);
        check_read(disk, EXPORT_BYTES - sizes[i], sizes[i]);
        fixture_write_and_read_back(disk, at, sizes[i]);
    }
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
}

static void round_trips_of_many_sizes_in_pieces(void **state)
{
    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(forms); i++) {
        for (ULONG seed = 0; seed < (forms[i] == SERVER_SIMPLE ? 1 : SEEDS); seed++) {
            struct server_options options = options_of(forms[i]);
            struct bed_file *disk;

            options.seed = seed;
            disk = fixture_serve(&options);
            assert_int_equal(server_agreed(server), forms[i]);
            fill(seed);
            go_through(disk, seed);
            assert_int_equal(fixture_server_status("vol1").Reconnects, 0);
            fixture_serve_no_more(disk);
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void replies_that_come_byte_by_byte(void **state)
{
    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(forms); i++) {
        struct server_options options = options_of(forms[i]);
        struct bed_file *disk;

        options.trickle = true;
        options.seed = 7;
        disk = fixture_serve(&options);
        fill(0);
        check_read(disk, 2048, 24 << 10);
        check_read(disk, 512, 512);
        fixture_write_and_read_back(disk, 4096, 4096 + 512);
        assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
        fixture_serve_no_more(disk);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Several at once ---- */

/* Reads of different lengths, small and large, that are out together. */
static void check_flight(struct bed_file *disk, ULONG seed)
{
    static UCHAR data[FLIGHT][64 << 10];
    static UCHAR wanted[64 << 10];
    struct bed_io io[FLIGHT];

    for (ULONG i = 0; i < FLIGHT; i++) {
        ULONG length = sizes[(i + seed) % 7];

        memset(data[i], 0xEE, length);
        bed_transfer_begin(&io[i], disk, false, i * 65536 + seed * 512, data[i], length);
    }
    for (ULONG i = 0; i < FLIGHT; i++) {
        ULONG length = sizes[(i + seed) % 7];

        assert_int_equal(bed_io_wait(&io[i], MAXULONG, NULL), STATUS_SUCCESS);
        server_read(server, i * 65536 + seed * 512, wanted, length);
        assert_memory_equal(data[i], wanted, length);
    }
}

static void fly(struct server_options *options)
{
    struct bed_file *disk;

    options->delay_us = MS / 10; /* so that requests gather */
    disk = fixture_serve(options);
    fill((ULONG)options->seed);
    for (ULONG i = 0; i < 20; i++) {
        check_flight(disk, i);
    }
    assert_int_equal(fixture_server_status("vol1").Reconnects, 0);
    fixture_serve_no_more(disk);
}

static void replies_in_reverse_order(void **state)
{
    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(forms); i++) {
        for (ULONG seed = 0; seed < 2; seed++) {
            struct server_options options = options_of(forms[i]);

            options.seed = seed;
            options.backwards = true;
            fly(&options);
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void chunks_of_different_requests_mixed(void **state)
{
    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_STRUCTURED; form <= SERVER_EXTENDED; form++) {
        for (ULONG seed = 1; seed <= 3; seed++) {
            struct server_options options = options_of(form);

            options.seed = seed;
            options.interleaved = true;
            fly(&options);
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- A server that comes back otherwise ---- */

/* Headers have another size then, in slots that have had one. */
static void form_changes_while_requests_are_out(void **state)
{
    static const enum server_form order[] = {SERVER_EXTENDED, SERVER_STRUCTURED, SERVER_SIMPLE,  SERVER_EXTENDED,
                                             SERVER_SIMPLE,   SERVER_STRUCTURED, SERVER_EXTENDED};
    static UCHAR data[FLIGHT][8192];
    static UCHAR there[8192];
    struct server_options options = options_of(SERVER_SIMPLE);
    struct bed_io io[FLIGHT];
    struct bed_file *disk;

    (void)state;
    options.no_context = true;
    options.delay_us = 2 * MS;
    fixture_start_machine();
    disk = fixture_serve(&options);
    for (ULONG round = 0; round < ARRAYSIZE(order); round++) {
        for (ULONG i = 0; i < FLIGHT; i++) {
            wnbd_pattern(data[i], sizeof(data[i]), round + i);
            bed_transfer_begin(&io[i], disk, true, i * sizeof(data[i]), data[i], sizeof(data[i]));
        }
        options.form = order[round];
        options.seed = round;
        server_offer(server, &options);
        usleep(3 * MS);
        server_drop(server);
        for (ULONG i = 0; i < FLIGHT; i++) {
            assert_int_equal(bed_io_wait(&io[i], MAXULONG, NULL), STATUS_SUCCESS);
            server_read(server, i * sizeof(data[i]), there, sizeof(there));
            assert_memory_equal(there, data[i], sizeof(there));
        }
        check_read(disk, 0, sizeof(data));
        assert_int_equal(server_agreed(server), order[round]);
        fixture_await_reconnects("vol1", round + 1);
    }
    assert_true(fixture_server_status("vol1").ReplayedRequests > 0);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* One that has lost what the disk has shown is refused, in words, until it has it again. */
static void refuse_until_right_again(const struct server_options *good, const struct server_options *bad)
{
    struct bed_file *disk = fixture_serve(good);

    server_offer(server, bad);
    server_drop(server);
    fixture_await_error("vol1", "what the server can do with it has changed");
    assert_int_equal(fixture_server_status("vol1").State, WnbdServerReconnecting);
    server_offer(server, good);
    fixture_await_reconnects("vol1", 1);
    fixture_write_and_read_back(disk, 512, 4096);
    fixture_serve_no_more(disk);
}

static void server_that_can_do_less_is_refused(void **state)
{
    static const uint16_t lost[] = {SERVER_FLAG_WRITE_ZEROES, SERVER_FLAG_CACHE, SERVER_FLAG_FUA};
    struct server_options good = options_of(SERVER_EXTENDED);
    struct server_options bad = good;

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(lost); i++) {
        bad.flags = good.flags & ~lost[i];
        refuse_until_right_again(&good, &bad);
    }
    bad = good;
    bad.no_context = true;
    refuse_until_right_again(&good, &bad);
    bad = options_of(SERVER_SIMPLE); /* which cannot have the context */
    refuse_until_right_again(&good, &bad);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void server_that_can_do_more_is_taken(void **state)
{
    struct server_options options = options_of(SERVER_SIMPLE);
    struct bed_file *disk;

    (void)state;
    fixture_start_machine();
    options.flags = SERVER_FLAGS_USUAL;
    disk = fixture_serve(&options);
    options = options_of(SERVER_EXTENDED);
    server_offer(server, &options);
    server_drop(server);
    fixture_await_reconnects("vol1", 1);
    fixture_write_and_read_back(disk, 512, 1 << 20);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- The end ---- */

static void await_goodbyes(unsigned count)
{
    for (unsigned waited_ms = 0; server_goodbyes(server) != count && waited_ms < PATIENCE_MS; waited_ms++) {
        usleep(MS);
    }
    assert_int_equal(server_goodbyes(server), count);
}

static void goodbye_is_said_over_each_connection(void **state)
{
    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(forms); i++) {
        struct server_options options = options_of(forms[i]);
        struct bed_file *disk;

        server = server_start(&options);
        disk = fixture_map_several(3);
        fixture_write_and_read_back(disk, 0, 1 << 20);
        assert_int_equal(server_goodbyes(server), 0);
        fixture_unmap(disk);
        await_goodbyes(3);
        assert_null(server_complaint(server));
        server_stop(server);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_of_many_sizes_in_pieces),
        cmocka_unit_test(replies_that_come_byte_by_byte),
        cmocka_unit_test(replies_in_reverse_order),
        cmocka_unit_test(chunks_of_different_requests_mixed),
        cmocka_unit_test(form_changes_while_requests_are_out),
        cmocka_unit_test(server_that_can_do_less_is_refused),
        cmocka_unit_test(server_that_can_do_more_is_taken),
        cmocka_unit_test(goodbye_is_said_over_each_connection),
    };

    return fixture_init(count, arguments) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
