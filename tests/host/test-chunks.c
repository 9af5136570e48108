/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server that breaks the rules for replies, in each form of them ("Structured reply types" and what stands around it
 * in the protocol). Each time the connection is given up for what the server did wrong, and the request goes on over
 * another one; nobody sees wrong data.
 */
#include "tests/host/chunks.h"
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXPORT_BYTES (128u << 10)
#define FLAGS        (SERVER_FLAGS_USUAL | SERVER_FLAG_WRITE_ZEROES | SERVER_FLAG_CACHE)
#define AT           CHUNKS_AT
#define LENGTH       CHUNKS_LENGTH
#define LEFT         (EXPORT_BYTES - AT) /* what a block status is asked for */
#define CONTEXT      BE32(SERVER_CONTEXT)
#define CHUNKS_MAX   11

enum in_form {
    STRUCTURED = 1 << SERVER_STRUCTURED,
    EXTENDED = 1 << SERVER_EXTENDED,
    EITHER = STRUCTURED | EXTENDED,
};

enum asked {
    ASK_READ,
    ASK_WRITE,
    ASK_STATUS,
    ASK_ONE, /* status, of the first extent alone */
};

/* In place of the first reply, and what the driver says of it. */
struct row {
    enum in_form forms;
    const char *words;
    struct server_chunk chunks[CHUNKS_MAX];
};

/* ---- The request ---- */

static void check_read(struct bed_file *disk)
{
    UCHAR data[LENGTH];
    UCHAR wanted[LENGTH];

    memset(data, 0xEE, LENGTH);
    assert_int_equal(bed_read(disk, AT, data, LENGTH), STATUS_SUCCESS);
    server_read(server, AT, wanted, LENGTH);
    assert_memory_equal(data, wanted, LENGTH);
}

static void check_write(struct bed_file *disk)
{
    UCHAR data[LENGTH];
    UCHAR wanted[LENGTH];

    wnbd_pattern(wanted, LENGTH, 77);
    assert_int_equal(bed_write(disk, AT, wanted, LENGTH), STATUS_SUCCESS);
    server_read(server, AT, data, LENGTH);
    assert_memory_equal(data, wanted, LENGTH);
}

/* The page there is allocated, those behind it are not. */
static void check_status(struct bed_file *disk, ULONG descriptors)
{
    struct pass pass;

    assert_true(pass_lba_status(disk, &pass, AT / LENGTH, descriptors));
    assert_int_equal(pass.header.DataTransferLength, 8 + 16 * descriptors);
    assert_int_equal(pass.data[8 + 11], SERVER_PAGE / LENGTH);
    assert_int_equal(pass.data[8 + 12], 0);
    assert_true(descriptors == 1 || pass.data[8 + 16 + 12] == 1);
}

static void check(struct bed_file *disk, enum asked asked)
{
    switch (asked) {
    case ASK_READ:
        check_read(disk);
        break;
    case ASK_WRITE:
        check_write(disk);
        break;
    case ASK_STATUS:
        check_status(disk, 2);
        break;
    case ASK_ONE:
        check_status(disk, 1);
        break;
    }
}

static struct bed_file *serve(const struct server_options *options)
{
    UCHAR page[SERVER_PAGE];

    wnbd_pattern(page, sizeof(page), 3);
    server = server_start(options);
    server_write(server, AT, page, sizeof(page));
    return fixture_map();
}

/* Carries the request out, although the server does as the options say, and finds in the driver what it says of it. */
static void outlive(const struct server_options *options, enum asked asked, const char *words)
{
    struct bed_file *disk = serve(options);
    WNBD_SERVER_STATUS status;

    check(disk, asked);
    fixture_await_reconnects("vol1", 1);
    status = fixture_server_status("vol1");
    if (strstr(status.LastError, words) == NULL) {
        fail_msg("form %d: '%s' is said in place of '%s'", options->form, status.LastError, words);
    }
    check(disk, asked);
    assert_int_equal(server_connections(server), 2);
    fixture_serve_no_more(disk);
}

static unsigned chunk_count(const struct row *row)
{
    unsigned count = CHUNKS_MAX;

    while (row->chunks[count - 1].flags == 0 && row->chunks[count - 1].bytes == NULL &&
           row->chunks[count - 1].length == 0 && count > 1) {
        count--;
    }
    return count;
}

static void outlive_all(const struct row *rows, size_t count, enum asked asked)
{
    fixture_start_machine();
    for (size_t i = 0; i < count; i++) {
        for (enum server_form form = SERVER_STRUCTURED; form <= SERVER_EXTENDED; form++) {
            struct server_options options = {.size = EXPORT_BYTES, .flags = FLAGS, .form = form};

            options.chunks = rows[i].chunks;
            options.chunk_count = chunk_count(&rows[i]);
            if ((rows[i].forms & 1 << form) != 0) {
                outlive(&options, asked, rows[i].words);
            }
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Reads ---- */

#define OUTSIDE "it sent data that was not asked for"
#define TWICE   "it sent some of a read's data twice"

static void data_outside_of_the_read(void **state)
{
    const struct row rows[] = {
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(AT - 1), 'x')}},
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(AT - 1), 'x', 'y')}},
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(0), 'x')}},
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(AT + LENGTH), 'x')}},
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(AT + LENGTH - 1), 'x', 'y')}},
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(UINT64_MAX), 'x', 'y')}},
        {EITHER, OUTSIDE, {CHUNK(0, DATA, BE64(1ull << 63), 'x')}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT - 1), BE32(1))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT - 512), BE32(1024))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT + LENGTH), BE32(1))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT + 1), BE32(LENGTH))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT), BE32(LENGTH + 1))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT), BE32(UINT32_MAX))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(AT), BE32(0))}},
        {EITHER, OUTSIDE, {CHUNK(0, HOLE, BE64(UINT64_MAX - 255), BE32(LENGTH))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_READ);
}

static void data_of_a_wrong_length(void **state)
{
    static const char none[] = "it sent a chunk of data without data";
    static const char more[] = "it sent more data than was asked for";
    static const char hole[] = "it sent a hole with a wrong length";
    const struct row rows[] = {
        {EITHER, none, {CHUNK(0, DATA, BE64(AT))}},
        {EITHER, none, {CHUNK(0, DATA, BE32(0))}},
        {EITHER, none, {CHUNK_EMPTY(0, DONE, DATA)}},
        {EITHER, more, {CHUNK_OF(8 + LENGTH + 1, 0, DATA, BE64(AT))}},
        {EITHER, more, {CHUNK_OF(UINT32_MAX, DONE, DATA, BE64(AT))}},
        {EITHER, hole, {CHUNK_OF(11, 0, HOLE, BE64(AT), BE32(LENGTH))}},
        {EITHER, hole, {CHUNK_OF(13, 0, HOLE, BE64(AT), BE32(LENGTH), 0)}},
        {EITHER, hole, {CHUNK_EMPTY(0, DONE, HOLE)}},
        {EXTENDED, "it sent a chunk of 4 GiB or more", {CHUNK_OF(1ull << 32 | 9, 0, DATA, BE64(AT), 'x')}},
        {EXTENDED, "it sent a chunk of 4 GiB or more", {CHUNK_OF(UINT64_MAX, 0, DATA, BE64(AT), 'x')}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_READ);
}

static void data_twice(void **state)
{
    const struct row rows[] = {
        {EITHER, TWICE, {CHUNK(0, DATA, BE64(AT), 'x', 'y'), CHUNK(0, DATA, BE64(AT + 1), 'z')}},
        {EITHER, TWICE, {CHUNK(0, DATA, BE64(AT + 9), 'x', 'y'), CHUNK(0, DATA, BE64(AT + 8), 'z', 'z')}},
        {EITHER, TWICE, {CHUNK(0, HOLE, BE64(AT), BE32(LENGTH)), CHUNK(0, DATA, BE64(AT), 'x')}},
        {EITHER, TWICE, {CHUNK(0, DATA, BE64(AT + 100), 'x'), CHUNK(0, HOLE, BE64(AT), BE32(LENGTH))}},
        {EITHER, TWICE, {CHUNK(0, HOLE, BE64(AT), BE32(256)), CHUNK(DONE, HOLE, BE64(AT), BE32(256))}},
        /* More pieces than are kept track of: their number of bytes tells. */
        {EITHER,
         TWICE,
         {CHUNK(0, DATA, BE64(AT + 1), 'a'), CHUNK(0, DATA, BE64(AT + 3), 'b'), CHUNK(0, DATA, BE64(AT + 5), 'c'),
          CHUNK(0, DATA, BE64(AT + 7), 'd'), CHUNK(0, DATA, BE64(AT + 9), 'e'), CHUNK(0, DATA, BE64(AT + 11), 'f'),
          CHUNK(0, DATA, BE64(AT + 13), 'g'), CHUNK(0, DATA, BE64(AT + 15), 'h'), CHUNK(0, DATA, BE64(AT + 17), 'i'),
          CHUNK(0, DATA, BE64(AT + 19), 'j'), CHUNK(DONE, HOLE, BE64(AT), BE32(LENGTH))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_READ);
}

static void read_that_ends_too_early_or_too_late(void **state)
{
    static const char early[] = "it ended a read without having sent all of its data";
    static const char late[] = "the server answered a request that is not out";
    const struct row rows[] = {
        {EITHER, early, {CHUNK_END}},
        {EITHER, early, {CHUNK(DONE, DATA, BE64(AT), 'x')}},
        {EITHER, early, {CHUNK(0, HOLE, BE64(AT), BE32(LENGTH - 1)), CHUNK_END}},
        {EITHER, early, {CHUNK(0, HOLE, BE64(AT + 1), BE32(LENGTH - 2)), CHUNK(DONE, DATA, BE64(AT), 'x')}},
        {EITHER, late, {CHUNK(0, ERROR, BE32(12), BE16(0)), CHUNK_END, CHUNK_END}},
        {EITHER, late, {CHUNK(DONE, ERROR, BE32(12), BE16(0)), CHUNK(0, HOLE, BE64(AT), BE32(LENGTH))}},
        {EITHER, late, {CHUNK(DONE, ERROR, BE32(12), BE16(0)), CHUNK(0, ERROR, BE32(12), BE16(0))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_READ);
}

static void chunks_that_no_read_has(void **state)
{
    static const char full[] = "it sent a chunk without content whose length is not 0";
    static const char unknown[] = "it sent a chunk of an unknown type";
    static const char status[] = "it sent a block status for a request that did not ask for one";
    const struct row rows[] = {
        {EITHER, full, {CHUNK_OF(4, DONE, NONE, BE32(0))}},
        {EITHER, "it sent an empty chunk that is not the last", {CHUNK_OF(0, 0, NONE, BE32(0))}},
        {EITHER, unknown, {CHUNK_OF(4, 0, 3, BE32(0))}},
        {EITHER, unknown, {CHUNK_OF(4, DONE, 4, BE32(0))}},
        {EITHER, unknown, {CHUNK_OF(4, DONE, 0x7FFF, BE32(0))}},
        {EITHER, status, {CHUNK(DONE, STATUS, CONTEXT, BE32(LENGTH), BE32(0))}},
        {EITHER, status, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(1), BE64(LENGTH), BE64(0))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_READ);
}

/* ---- Errors ---- */

static void errors_that_are_none(void **state)
{
    static const char length[] = "it sent an error chunk with a wrong length";
    static const char text[] = "it sent an error text that is too long";
    static const char where[] = "it sent an error at an offset that was not asked for";
    const struct row rows[] = {
        {EITHER, length, {CHUNK_OF(5, DONE, ERROR, BE32(5), 0)}},
        {EITHER, length, {CHUNK_EMPTY(0, DONE, ERROR)}},
        {EITHER, length, {CHUNK(DONE, ERROR_AT, BE32(5), BE16(0), BE32(0), 0, 0, 0)}},
        {EITHER, length, {CHUNK_OF(65537, DONE, ERROR, BE32(5), BE16(0))}},
        {EITHER, length, {CHUNK_OF(UINT32_MAX, DONE, ERROR_AT, BE32(5), BE16(0))}},
        {EITHER, "it sent an error chunk without an error", {CHUNK(DONE, ERROR, BE32(0), BE16(0))}},
        {EITHER, text, {CHUNK(DONE, ERROR, BE32(5), BE16(1))}},
        {EITHER, text, {CHUNK(DONE, ERROR, BE32(5), BE16(0xFFFF), 'a')}},
        {EITHER, text, {CHUNK(DONE, ERROR_AT, BE32(5), BE16(1), BE64(AT))}},
        {EITHER, text, {CHUNK_OF(8192, DONE, ERROR, BE32(5), BE16(4097))}},
        {EITHER, where, {CHUNK(DONE, ERROR_AT, BE32(5), BE16(0), BE64(AT - 1))}},
        {EITHER, where, {CHUNK(DONE, ERROR_AT, BE32(5), BE16(0), BE64(AT + LENGTH))}},
        {EITHER, where, {CHUNK(DONE, ERROR_AT, BE32(5), BE16(0), BE64(UINT64_MAX))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_READ);
    outlive_all(rows, ARRAYSIZE(rows), ASK_WRITE);
}

/* ---- Writes ---- */

static void chunks_that_no_write_has(void **state)
{
    static const char data[] = "it sent data for a request that is not a read";
    static const char hole[] = "it sent a hole for a request that is not a read";
    static const char full[] = "it sent a chunk without content whose length is not 0";
    const struct row rows[] = {
        {EITHER, data, {CHUNK(0, DATA, BE64(AT), 'x'), CHUNK_END}},
        {EITHER, hole, {CHUNK(DONE, HOLE, BE64(AT), BE32(LENGTH))}},
        {EITHER, full, {CHUNK_OF(1, DONE, NONE, 0)}},
        {EITHER,
         "it sent a block status for a request that did not ask for one",
         {CHUNK(DONE, STATUS, CONTEXT, BE32(LENGTH), BE32(0))}},
        {EITHER, "it sent a chunk of an unknown type", {CHUNK_OF(4, DONE, 7, BE32(0))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_WRITE);
}

/* ---- Block status ---- */

static void block_status_of_a_wrong_form(void **state)
{
    static const char length[] = "it sent a block status with a wrong length";
    static const char context[] = "it sent a block status of a context that was not negotiated";
    static const char number[] = "it sent a block status with a wrong number of extents";
    const struct row rows[] = {
        {EITHER, length, {CHUNK(DONE, STATUS, CONTEXT)}}, /* no extents */
        {EITHER, length, {CHUNK_EMPTY(0, DONE, STATUS)}},
        {EITHER, length, {CHUNK(DONE, STATUS, CONTEXT, BE32(LEFT), BE32(0), 0)}},
        {EITHER, length, {CHUNK(DONE, STATUS, CONTEXT, BE32(LEFT))}},
        {EXTENDED, length, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(0))}},
        {EXTENDED, length, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(1), BE64(LEFT))}},
        {EXTENDED, number, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(2), BE64(LEFT), BE64(0))}},
        {EXTENDED, number, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(UINT32_MAX), BE64(LEFT), BE64(0))}},
        {STRUCTURED,
         "it sent an extended block status, which was not negotiated",
         {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(1), BE64(LEFT), BE64(0))}},
        {EITHER, context, {CHUNK(DONE, STATUS, BE32(SERVER_CONTEXT + 1), BE32(LEFT), BE32(0))}},
        {EXTENDED, context, {CHUNK(DONE, STATUS_EXT, BE32(0), BE32(1), BE64(LEFT), BE64(0))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_STATUS);
}

static void extents_that_cannot_be(void **state)
{
    static const char nothing[] = "it sent an extent of 0 bytes";
    static const char beyond[] = "it sent extents beyond what was asked for";
    const struct row rows[] = {
        {EITHER, nothing, {CHUNK(DONE, STATUS, CONTEXT, BE32(0), BE32(0))}},
        {EITHER, nothing, {CHUNK(DONE, STATUS, CONTEXT, BE32(512), BE32(3), BE32(0), BE32(0))}},
        {EXTENDED, nothing, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(1), BE64(0), BE64(0))}},
        {EITHER, beyond, {CHUNK(DONE, STATUS, CONTEXT, BE32(LEFT), BE32(0), BE32(1), BE32(3))}},
        {EITHER, beyond, {CHUNK(DONE, STATUS, CONTEXT, BE32(UINT32_MAX), BE32(0), BE32(1), BE32(3))}},
        {EXTENDED, beyond, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(2), BE64(UINT64_MAX), BE64(0), BE64(1), BE64(3))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_STATUS);
}

static void block_status_twice_or_never(void **state)
{
    static const char twice[] = "it sent the block status twice";
    static const char never[] = "it answered a question for the block status without extents";
    const struct row rows[] = {
        {EITHER,
         twice,
         {CHUNK(0, STATUS, CONTEXT, BE32(512), BE32(0)), CHUNK(DONE, STATUS, CONTEXT, BE32(LEFT), BE32(0))}},
        {EITHER, never, {CHUNK_END}},
        {EITHER, "it sent data for a request that is not a read", {CHUNK(0, DATA, BE64(AT), 'x')}},
        {EITHER, "it sent a hole for a request that is not a read", {CHUNK(0, HOLE, BE64(AT), BE32(LENGTH))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_STATUS);
}

static void more_than_the_one_extent(void **state)
{
    static const char more[] = "it sent more than the one extent that was asked for";
    const struct row rows[] = {
        {EITHER, more, {CHUNK(DONE, STATUS, CONTEXT, BE32(LEFT + 1), BE32(0))}},
        {EITHER, more, {CHUNK(DONE, STATUS, CONTEXT, BE32(512), BE32(0), BE32(512), BE32(3))}},
        {EXTENDED, more, {CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(1), BE64(UINT64_MAX), BE64(0))}},
    };

    (void)state;
    outlive_all(rows, ARRAYSIZE(rows), ASK_ONE);
}

/* Nobody asks a server for a block status that has not agreed to say any; it tells all the same. */
static void block_status_that_was_not_negotiated(void **state)
{
    const struct server_chunk chunks[] = {CHUNK(DONE, STATUS, CONTEXT, BE32(LENGTH), BE32(0))};
    struct server_options options = {.size = EXPORT_BYTES, .flags = FLAGS, .no_context = true};

    (void)state;
    options.chunks = chunks;
    options.chunk_count = 1;
    fixture_start_machine();
    for (options.form = SERVER_STRUCTURED; options.form <= SERVER_EXTENDED; options.form++) {
        outlive(&options, ASK_READ, "it sent a block status for a request that did not ask for one");
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* What the rules allow, though no server here does it: flags and lengths of 64 bits. */
static void block_status_with_all_64_bits(void **state)
{
    const struct server_chunk chunks[] = {
        CHUNK(DONE, STATUS_EXT, CONTEXT, BE32(2), BE64(SERVER_PAGE), BE64(~3ull), BE64(UINT64_MAX), BE64(~0ull))};
    struct server_options options = {.size = EXPORT_BYTES, .flags = FLAGS, .form = SERVER_EXTENDED};
    struct bed_file *disk;

    (void)state;
    options.chunks = chunks;
    options.chunk_count = 1;
    fixture_start_machine();
    disk = serve(&options);
    check_status(disk, 2);
    assert_int_equal(server_connections(server), 1);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Headers ---- */

/* A fault of the server, in one form or in all. */
static void outlive_fault(enum server_fault fault, enum server_form form, enum asked asked, const char *words)
{
    struct server_options options = {.size = EXPORT_BYTES, .flags = FLAGS, .fault = fault, .form = form};

    fixture_start_machine();
    outlive(&options, asked, words);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void outlive_fault_in_each_form(enum server_fault fault, const char *words)
{
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        outlive_fault(fault, form, ASK_READ, words);
        outlive_fault(fault, form, ASK_WRITE, words);
    }
}

static void reply_to_a_request_that_is_not_out(void **state)
{
    (void)state;
    outlive_fault_in_each_form(SERVER_UNKNOWN_COOKIE, "the server answered a request that is not out");
}

static void reply_sent_twice(void **state)
{
    (void)state;
    outlive_fault_in_each_form(SERVER_REPLY_TWICE, "the server answered a request that is not out");
}

static void reply_of_the_wrong_type(void **state)
{
    static const char simple[] = "it answered a read with a simple reply, though structured ones were negotiated";
    static const char status[] = "it answered a question for the block status with a simple reply";
    static const char extended[] = "it sent a simple reply, though extended ones were negotiated";

    (void)state;
    outlive_fault_in_each_form(SERVER_WRONG_MAGIC, "it sent a reply with a wrong magic number");
    outlive_fault_in_each_form(SERVER_UNASKED, "it sent a reply with a wrong magic number");
    outlive_fault(SERVER_OTHER_FORM, SERVER_SIMPLE, ASK_READ, "it sent a structured reply, which was not negotiated");
    outlive_fault(SERVER_OTHER_FORM, SERVER_STRUCTURED, ASK_READ,
                  "it sent an extended reply, which was not negotiated");
    outlive_fault(SERVER_OTHER_FORM, SERVER_EXTENDED, ASK_WRITE,
                  "it sent a structured reply, which was not negotiated");
    outlive_fault(SERVER_SIMPLE_REPLY, SERVER_STRUCTURED, ASK_READ, simple);
    outlive_fault(SERVER_SIMPLE_REPLY, SERVER_STRUCTURED, ASK_STATUS, status);
    outlive_fault(SERVER_SIMPLE_REPLY, SERVER_EXTENDED, ASK_READ, extended);
    outlive_fault(SERVER_SIMPLE_REPLY, SERVER_EXTENDED, ASK_WRITE, extended);
}

static void reply_with_the_offset_of_another_request(void **state)
{
    static const char words[] = "it replied with an offset that is not the request's";

    (void)state;
    outlive_fault(SERVER_WRONG_OFFSET, SERVER_EXTENDED, ASK_READ, words);
    outlive_fault(SERVER_WRONG_OFFSET, SERVER_EXTENDED, ASK_WRITE, words);
    outlive_fault(SERVER_WRONG_OFFSET, SERVER_EXTENDED, ASK_STATUS, words);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_outside_of_the_read),
        cmocka_unit_test(data_of_a_wrong_length),
        cmocka_unit_test(data_twice),
        cmocka_unit_test(read_that_ends_too_early_or_too_late),
        cmocka_unit_test(chunks_that_no_read_has),
        cmocka_unit_test(errors_that_are_none),
        cmocka_unit_test(chunks_that_no_write_has),
        cmocka_unit_test(block_status_of_a_wrong_form),
        cmocka_unit_test(extents_that_cannot_be),
        cmocka_unit_test(block_status_twice_or_never),
        cmocka_unit_test(more_than_the_one_extent),
        cmocka_unit_test(block_status_that_was_not_negotiated),
        cmocka_unit_test(block_status_with_all_64_bits),
        cmocka_unit_test(reply_to_a_request_that_is_not_out),
        cmocka_unit_test(reply_sent_twice),
        cmocka_unit_test(reply_of_the_wrong_type),
        cmocka_unit_test(reply_with_the_offset_of_another_request),
    };

    return fixture_init(count, arguments) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
