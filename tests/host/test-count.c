/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LOG SENSE of page 0C: the driver asks the server for its block status until it has counted all blocks in use. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include "bed/host/clock.h"
#include "bed/port/control.h"
#include "core/base/bytes.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK        512
#define EXPORT_BYTES (4u << 20)
#define PAGE         0x0C
#define ROOM         28   /* what Windows' class driver has: for two parameters */
#define MS           1000 /* microseconds, of the machine's own clock */

/* Runs of 1 to 8 pages, holes and data: so many blocks are in use then. */
static ULONG fill_in_runs(void)
{
    UCHAR page[SERVER_PAGE];
    ULONG used = 0;

    memset(page, 'a', sizeof(page));
    for (ULONG at = 0, run = 0; at < EXPORT_BYTES; run++) {
        for (ULONG i = 0; i < run % 8 + 1 && at < EXPORT_BYTES; i++, at += SERVER_PAGE) {
            server_write(server, at, run % 2 != 0 ? page : (UCHAR[SERVER_PAGE]){0}, sizeof(page));
            used += run % 2 != 0 ? SERVER_PAGE / BLOCK : 0;
        }
    }
    return used;
}

/* The page with its parameter, in threshold sets of 2 blocks, as VPD B2 says. */
static void assert_counted(const struct pass *pass, ULONG used)
{
    assert_int_equal(pass->header.DataTransferLength, 16);
    assert_memory_equal(pass->data, "\x8C\0\0\x0C\0\x02\x23\x08", 8);
    assert_int_equal(load_be32(pass->data + 8), used / 2);
    assert_memory_equal(pass->data + 12, "\x01\0\0\0", 4);
}

static void assert_not_counted(const struct pass *pass)
{
    assert_int_equal(pass->header.DataTransferLength, 4);
    assert_memory_equal(pass->data, "\x8C\0\0\0", 4);
}

/* Whatever the way in which the server tells it. */
static void count(struct bed_file *disk)
{
    ULONG used = fill_in_runs();
    unsigned before = server_commands(server, SERVER_BLOCK_STATUS);
    struct pass pass;

    assert_true(pass_inquiry(disk, &pass, 0xB2, 8));
    assert_int_equal(pass.data[4], 1);
    assert_true(pass_log_sense(disk, &pass, 0, 8));
    assert_memory_equal(pass.data, "\0\0\0\x02\0\x0C", 6);
    assert_true(pass_log_sense(disk, &pass, PAGE, ROOM));
    assert_counted(&pass, used);
    assert_true(server_commands(server, SERVER_BLOCK_STATUS) > before + 10);
    assert_true(pass_log_sense(disk, &pass, PAGE, 5));
    assert_int_equal(pass.header.DataTransferLength, 5);
    server_write(server, 0, "0123", 4);
    assert_true(pass_log_sense(disk, &pass, PAGE, ROOM));
    assert_counted(&pass, used + SERVER_PAGE / BLOCK);
}

/* Nothing is made up where nobody knows. */
static void do_not_count(struct bed_file *disk)
{
    struct pass pass;

    assert_true(pass_inquiry(disk, &pass, 0xB2, 8));
    assert_int_equal(pass.data[4], 0);
    assert_true(pass_log_sense(disk, &pass, 0, 8));
    assert_int_equal(pass.header.DataTransferLength, 5);
    assert_memory_equal(pass.data, "\0\0\0\x01\0", 5);
    assert_false(pass_log_sense(disk, &pass, PAGE, ROOM));
    assert_true(pass_has_sense(&pass, 0x5));
}

static void blocks_in_use_are_counted(void **state)
{
    (void)state;
    fixture_start_machine();
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            const struct server_options options = {
                .size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL, .form = form, .seed = seed};
            struct bed_file *disk = fixture_serve(&options);

            (form == SERVER_SIMPLE ? do_not_count : count)(disk);
            fixture_serve_no_more(disk);
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void context_that_the_server_does_not_know(void **state)
{
    const struct server_options options = {
        .size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL, .form = SERVER_STRUCTURED, .no_context = true};
    struct bed_file *disk;

    (void)state;
    fixture_start_machine();
    disk = fixture_serve(&options);
    do_not_count(disk);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- While it is under way ---- */

static const struct server_options telling = {
    .size = EXPORT_BYTES, .flags = SERVER_FLAGS_ALL, .form = SERVER_STRUCTURED};

/* Begins to count when each answer takes so long, and comes back when the server has been asked `asked` times. */
static void begin_slowly(struct bed_io *io, struct bed_file *disk, struct pass *pass, unsigned delay_us, unsigned asked)
{
    asked += server_commands(server, SERVER_BLOCK_STATUS);
    server_set_delay(server, delay_us);
    pass_begin_log_sense(io, disk, pass, PAGE, ROOM);
    while (server_commands(server, SERVER_BLOCK_STATUS) < asked) {
        usleep(MS);
    }
}

/* Answers that take 2 s each: after more than 10 s nothing is known, and the command has ended well. */
static void server_that_takes_too_long(void **state)
{
    struct bed_file *disk;
    struct pass pass;
    struct bed_io io;
    unsigned before;

    (void)state;
    fixture_start_machine();
    disk = fixture_serve(&telling);
    fill_in_runs();
    before = server_commands(server, SERVER_BLOCK_STATUS);
    begin_slowly(&io, disk, &pass, 100 * MS, 1);
    assert_true(pass_wait(&io, &pass));
    assert_not_counted(&pass);
    assert_in_range(server_commands(server, SERVER_BLOCK_STATUS) - before, 2, 7);
    assert_int_equal(fixture_server_status("vol1").Reconnects, 0);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* What others ask for goes between two requests of the walk. */
static void others_go_on(void **state)
{
    struct pass reading;
    struct bed_file *disk;
    struct pass pass;
    struct bed_io io;
    ULONG used;

    (void)state;
    fixture_start_machine();
    disk = fixture_serve(&telling);
    used = fill_in_runs();
    begin_slowly(&io, disk, &pass, 20 * MS, 2);
    assert_true(pass_read(disk, &reading, 0, 1, BLOCK));
    assert_true(server_commands(server, SERVER_BLOCK_STATUS) < 100); /* of more than 200 */
    server_set_delay(server, 0);
    assert_true(pass_wait(&io, &pass));
    assert_counted(&pass, used);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* It begins again over the next connection: nothing is counted twice. */
static void connection_lost_while_counting(void **state)
{
    struct bed_file *disk;
    struct pass pass;
    struct bed_io io;
    ULONG used;

    (void)state;
    fixture_start_machine();
    disk = fixture_serve(&telling);
    used = fill_in_runs();
    begin_slowly(&io, disk, &pass, 5 * MS, 4);
    server_set_delay(server, 0);
    server_drop(server);
    assert_true(pass_wait(&io, &pass));
    assert_counted(&pass, used);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void end_while_counting(ULONG kind)
{
    struct bed_file *disk;
    struct pass pass;
    struct bed_io io;
    unsigned asked;

    fixture_start_machine();
    disk = fixture_serve(&telling);
    fill_in_runs();
    begin_slowly(&io, disk, &pass, 20 * MS, 3);
    fixture_inject_disk(kind);
    pass_wait(&io, &pass); /* as the port driver ends or repeats it */
    server_set_delay(server, 0);
    fixture_await_connections("vol1", 1);
    pass_read(disk, &pass, 0, 1, BLOCK); /* after a reset this one is told of it */
    asked = server_commands(server, SERVER_BLOCK_STATUS);
    assert_true(pass_read(disk, &pass, 0, 1, BLOCK));
    assert_int_equal(server_commands(server, SERVER_BLOCK_STATUS), asked);
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void reset_while_counting(void **state)
{
    (void)state;
    end_while_counting(BED_INJECT_RESET_LUN);
}

static void aborted_while_counting(void **state)
{
    (void)state;
    end_while_counting(BED_INJECT_ABORT);
}

/* The server's error is the command's, as of GET LBA STATUS. */
static void error_while_counting(void **state)
{
    struct server_options options = telling;
    struct bed_file *disk;
    struct pass pass;

    (void)state;
    options.bad_at = EXPORT_BYTES / 2 + 700;
    fixture_start_machine();
    disk = fixture_serve(&options);
    fill_in_runs();
    assert_false(pass_log_sense(disk, &pass, PAGE, ROOM));
    assert_true(pass_has_sense(&pass, 0x3));
    fixture_serve_no_more(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* With the machine's own time: a busy one would count for longer than is allowed. */
static int in_real_time(void **state)
{
    (void)state;
    bed_clock_speed(1);
    return 0;
}

static int in_fast_time(void **state)
{
    (void)state;
    bed_clock_speed(20);
    return 0;
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_in_use_are_counted, in_real_time),
        cmocka_unit_test_setup(context_that_the_server_does_not_know, in_real_time),
        cmocka_unit_test_setup(server_that_takes_too_long, in_fast_time),
        cmocka_unit_test_setup(others_go_on, in_real_time),
        cmocka_unit_test_setup(connection_lost_while_counting, in_real_time),
        cmocka_unit_test_setup(reset_while_counting, in_real_time),
        cmocka_unit_test_setup(aborted_while_counting, in_real_time),
        cmocka_unit_test_setup(error_while_counting, in_real_time),
    };

    if (!fixture_init(argument_count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
