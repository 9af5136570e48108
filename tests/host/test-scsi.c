/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that Windows seldom sends, each as a pass-through, and what becomes of them in the driver. */
#include "tests/host/fixture.h"

#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000 /* microseconds, of the machine's own clock */

#define FLUSH_WITHOUT_FUA (SERVER_FLAGS_USUAL & ~(1 << 3))

struct pass {
    SCSI_PASS_THROUGH header;
    UCHAR data[512];
};

static void begin(struct bed_io *io, struct bed_file *disk, struct pass *pass, const UCHAR *cdb, UCHAR cdb_length,
                  UCHAR direction)
{
    pass->header = (SCSI_PASS_THROUGH){
        .Length = sizeof(pass->header),
        .CdbLength = cdb_length,
        .DataIn = direction,
        .DataTransferLength = sizeof(pass->data),
        .TimeOutValue = 60,
        .DataBufferOffset = offsetof(struct pass, data),
    };
    memcpy(pass->header.Cdb, cdb, cdb_length);
    bed_control_begin(io, disk, IOCTL_SCSI_PASS_THROUGH, pass, sizeof(*pass), pass, sizeof(*pass));
}

static void assert_good(struct bed_io *io, const struct pass *pass)
{
    assert_int_equal(bed_io_wait(io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(pass->header.ScsiStatus, 0);
}

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

/* A WRITE (10) of block 0 with FUA. */
static const UCHAR write_through[10] = {0x2A, 0x08, 0, 0, 0, 0, 0, 0, 1};

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
    struct bed_io io;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    memset(pass.data, 'w', sizeof(pass.data));
    begin(&io, disk, &pass, write_through, sizeof(write_through), SCSI_IOCTL_DATA_OUT);
    assert_good(&io, &pass);
    assert_int_equal(server_commands(server, SERVER_FLUSH), 1);
    assert_holds('w');
    end(disk);
}

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
    memset(pass.data, 'w', sizeof(pass.data));
    begin(&io, disk, &pass, write_through, sizeof(write_through), SCSI_IOCTL_DATA_OUT);
    while (server_requests(server) < before + 2) {
        usleep(MS);
    }
    server_write(server, 0, lost, sizeof(lost));
    server_set_delay(server, 0);
    server_drop(server);
    assert_good(&io, &pass);
    assert_int_equal(server_requests(server), before + 4);
    assert_holds('w');
    end(disk);
}

/* A server that says nothing of its blocks: from the one asked for to the end all is mapped. */
static void status_of_blocks_nobody_knows(void **state)
{
    static const UCHAR cdb[16] = {0x9E, 0x12, [9] = 8, [12] = 2};
    const ULONG blocks = FIXTURE_BYTES / 512 - 8;
    const UCHAR answer[24] = {
        0, 0, 0, 20, [15] = 8, [16] = (UCHAR)(blocks >> 24), (UCHAR)(blocks >> 16), (UCHAR)(blocks >> 8), (UCHAR)blocks,
    };
    struct pass pass;
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    begin(&io, disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN);
    assert_good(&io, &pass);
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
