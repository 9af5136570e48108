/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that Windows seldom sends, each as a pass-through, and what becomes of them in the driver. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000 /* microseconds, of the machine's own clock */

#define FLUSH_WITHOUT_FUA (SERVER_FLAGS_USUAL & ~SERVER_FLAG_FUA)

static struct bed_file *start(uint16_t flags)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = flags};

    fixture_start(&options);
    return fixture_map();
}

static void end(struct bed_file *disk)
{
    fixture_unmap(disk);
    fixture_stop();
}

static void assert_holds(UCHAR fill)
{
    UCHAR there[512];
    UCHAR wanted[512];

    memset(wanted, fill, sizeof(wanted));
    server_read(server, 0, there, sizeof(there));
    assert_memory_equal(there, wanted, sizeof(wanted));
}

static void write_with_fua_to_a_server_that_only_flushes(void **state)
{
    struct pass pass;
    struct bed_file *disk;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    memset(pass.data, 'w', 512);
    assert_true(pass_write_through(disk, &pass, 0, 512));
    assert_int_equal(server_commands(server, SERVER_FLUSH), 1);
    assert_holds('w');
    end(disk);
}

/* A WRITE (10) of block 0 with FUA. */
static const UCHAR write_through[10] = {0x2A, 0x08, 0, 0, 0, 0, 0, 0, 1};

/*
 *     driver                    server
 *     write ------------------> done, in its cache
 *     flush ------------------> crashes: the cache is lost
 *     (reconnects)
 *     write, flush -----------> done
 */
static void write_with_fua_whose_flush_is_lost(void **state)
{
    static const UCHAR lost[512];
    unsigned before;
    struct pass pass;
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    before = server_requests(server);
    server_set_delay(server, 50 * MS);
    memset(pass.data, 'w', 512);
    pass_begin(&io, disk, &pass, write_through, sizeof(write_through), SCSI_IOCTL_DATA_OUT, 512);
    while (server_requests(server) < before + 2) {
        usleep(MS);
    }
    server_write(server, 0, lost, sizeof(lost));
    server_set_delay(server, 0);
    server_drop(server);
    assert_true(pass_wait(&io, &pass));
    assert_int_equal(server_requests(server), before + 4);
    assert_holds('w');
    end(disk);
}

/* A server that says nothing of its blocks: from the one asked for to the end all is mapped. */
static void status_of_blocks_nobody_knows(void **state)
{
    const ULONG blocks = FIXTURE_BYTES / 512 - 8;
    const UCHAR answer[24] = {
        0, 0, 0, 20, [15] = 8, [16] = (UCHAR)(blocks >> 24), (UCHAR)(blocks >> 16), (UCHAR)(blocks >> 8), (UCHAR)blocks,
    };
    struct pass pass;
    struct bed_file *disk;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    assert_true(pass_lba_status(disk, &pass, 8, 31));
    assert_int_equal(pass.header.DataTransferLength, sizeof(answer));
    assert_memory_equal(pass.data, answer, sizeof(answer));
    end(disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_with_fua_to_a_server_that_only_flushes),
        cmocka_unit_test(write_with_fua_whose_flush_is_lost),
        cmocka_unit_test(status_of_blocks_nobody_knows),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
