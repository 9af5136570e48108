/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that Windows seldom sends, each as a pass-through, and what becomes of them in the driver. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include "bed/port/control.h"

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

/* ---- Commands that compare or change what the disk does ---- */

#define SENSE 32

struct pass_with_sense {
    SCSI_PASS_THROUGH header;
    UCHAR sense[SENSE];
    UCHAR data[24 * 512];
};

/* Begins a command that sends `length` bytes of pass->data. */
static void run_begin(struct bed_io *io, struct bed_file *disk, struct pass_with_sense *pass, const UCHAR *cdb,
                      UCHAR cdb_length, ULONG length)
{
    pass->header = (SCSI_PASS_THROUGH){
        .Length = sizeof(pass->header),
        .CdbLength = cdb_length,
        .DataIn = SCSI_IOCTL_DATA_OUT,
        .DataTransferLength = length,
        .TimeOutValue = 60,
        .SenseInfoLength = SENSE,
        .SenseInfoOffset = offsetof(struct pass_with_sense, sense),
        .DataBufferOffset = offsetof(struct pass_with_sense, data),
    };
    memcpy(pass->header.Cdb, cdb, cdb_length);
    memset(pass->sense, 0, sizeof(pass->sense));
    bed_control_begin(io, disk, IOCTL_SCSI_PASS_THROUGH, pass, sizeof(*pass), pass, sizeof(*pass));
}

/* Key, ASC and ASCQ as one number; 0: GOOD. */
static ULONG run_end(struct bed_io *io, const struct pass_with_sense *pass)
{
    assert_int_equal(bed_io_wait(io, MAXULONG, NULL), STATUS_SUCCESS);
    if (pass->header.ScsiStatus == 0) {
        return 0;
    }
    if ((pass->sense[0] & 0x7F) == 0x72) {
        return (ULONG)pass->sense[1] << 16 | (ULONG)pass->sense[2] << 8 | pass->sense[3];
    }
    return (ULONG)pass->sense[2] << 16 | (ULONG)pass->sense[12] << 8 | pass->sense[13];
}

static ULONG run(struct bed_file *disk, struct pass_with_sense *pass, const UCHAR *cdb, UCHAR cdb_length, ULONG length)
{
    struct bed_io io;

    run_begin(&io, disk, pass, cdb, cdb_length, length);
    return run_end(&io, pass);
}

static void fill(UCHAR *bytes, ULONG length)
{
    for (ULONG i = 0; i < length; i++) {
        bytes[i] = (UCHAR)(i * 11 + i / 512);
    }
}

/* 24 blocks: a flush and three reads; then one byte of the last one is another on the server. */
static void verify_compares(void **state)
{
    static const UCHAR verify[10] = {0x2F, 0x02, 0, 0, 0, 100, 0, 0, 24};
    static struct pass_with_sense pass;
    struct bed_file *disk;
    unsigned before;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    fill(pass.data, sizeof(pass.data));
    server_write(server, 100 * 512, pass.data, sizeof(pass.data));
    before = server_requests(server);
    assert_int_equal(run(disk, &pass, verify, sizeof(verify), sizeof(pass.data)), 0);
    assert_int_equal(server_requests(server), before + 4);
    pass.data[23 * 512 + 511] ^= 1;
    assert_int_equal(run(disk, &pass, verify, sizeof(verify), sizeof(pass.data)), 0x0E1D00);
    assert_int_equal(pass.sense[0], 0xF0);
    assert_memory_equal(pass.sense + 3, "\0\0\0\x7B", 4); /* LBA 123 */
    end(disk);
}

/* The connection goes while the second read is out; it is sent again, and the comparison goes on where it was. */
static void verify_goes_on_over_the_next_connection(void **state)
{
    static const UCHAR verify[10] = {0x2F, 0x02, 0, 0, 0, 100, 0, 0, 24};
    static struct pass_with_sense pass;
    struct bed_file *disk;
    struct bed_io io;
    unsigned before;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    fill(pass.data, sizeof(pass.data));
    server_write(server, 100 * 512, pass.data, sizeof(pass.data));
    before = server_requests(server);
    server_set_delay(server, 50 * MS);
    run_begin(&io, disk, &pass, verify, sizeof(verify), sizeof(pass.data));
    while (server_requests(server) < before + 3) {
        usleep(MS);
    }
    server_set_delay(server, 0);
    server_drop(server);
    assert_int_equal(run_end(&io, &pass), 0);
    assert_int_equal(server_requests(server), before + 5);
    end(disk);
}

static void write_and_verify_is_on_the_medium(void **state)
{
    static const UCHAR write[10] = {0x2E, 0, 0, 0, 0, 7, 0, 0, 24};
    static struct pass_with_sense pass;
    static UCHAR there[sizeof(pass.data)];
    struct bed_file *disk;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    fill(pass.data, sizeof(pass.data));
    assert_int_equal(run(disk, &pass, write, sizeof(write), sizeof(pass.data)), 0);
    assert_int_equal(server_commands(server, SERVER_FLUSH), 1);
    server_read(server, 7 * 512, there, sizeof(there));
    assert_memory_equal(there, pass.data, sizeof(there));
    end(disk);
}

/* 24 blocks: written, flushed, and read in three pieces. */
static void write_and_verify_compares(void **state)
{
    static const UCHAR write[10] = {0x2E, 0x02, 0, 0, 0, 7, 0, 0, 24};
    static struct pass_with_sense pass;
    static UCHAR sent[sizeof(pass.data)];
    static UCHAR there[sizeof(pass.data)];
    struct bed_file *disk;
    unsigned before;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    before = server_requests(server);
    fill(sent, sizeof(sent));
    memcpy(pass.data, sent, sizeof(sent));
    assert_int_equal(run(disk, &pass, write, sizeof(write), sizeof(pass.data)), 0);
    assert_int_equal(server_commands(server, SERVER_FLUSH), 1);
    assert_int_equal(server_requests(server), before + 5);
    server_read(server, 7 * 512, there, sizeof(there));
    assert_memory_equal(there, sent, sizeof(there));
    assert_memory_equal(pass.data, sent, sizeof(sent));
    end(disk);
}

/* The server's contents are changed while the first read waits for its answer: the last block is another then. */
static void write_and_verify_miscompares(void **state)
{
    static const UCHAR write[10] = {0x2E, 0x02, 0, 0, 0, 7, 0, 0, 24};
    static struct pass_with_sense pass;
    struct bed_file *disk;
    struct bed_io io;
    unsigned before;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    before = server_requests(server);
    fill(pass.data, sizeof(pass.data));
    server_set_delay(server, 50 * MS);
    run_begin(&io, disk, &pass, write, sizeof(write), sizeof(pass.data));
    while (server_requests(server) < before + 3) {
        usleep(MS);
    }
    server_write(server, (7 + 23) * 512, "changed", 7);
    server_set_delay(server, 0);
    assert_int_equal(run_end(&io, &pass), 0x0E1D00);
    assert_memory_equal(pass.sense + 3, "\0\0\0\x1E", 4); /* LBA 30 */
    end(disk);
}

/* The connection goes while the second read is out: what was written is on the medium and is not written again. */
static void write_and_verify_goes_on_over_the_next_connection(void **state)
{
    static const UCHAR write[10] = {0x2E, 0x02, 0, 0, 0, 7, 0, 0, 24};
    static struct pass_with_sense pass;
    struct bed_file *disk;
    struct bed_io io;
    unsigned before;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    before = server_requests(server);
    fill(pass.data, sizeof(pass.data));
    server_set_delay(server, 50 * MS);
    run_begin(&io, disk, &pass, write, sizeof(write), sizeof(pass.data));
    while (server_requests(server) < before + 4) {
        usleep(MS);
    }
    server_set_delay(server, 0);
    server_drop(server);
    assert_int_equal(run_end(&io, &pass), 0);
    assert_int_equal(server_requests(server), before + 6);
    end(disk);
}

/* The cache is turned off: one flush then, and one after every write. */
static void mode_select_turns_the_cache_off(void **state)
{
    static const UCHAR select[6] = {0x15, 0x10, 0, 0, 24};
    static const UCHAR write[10] = {0x2A, 0, 0, 0, 0, 0, 0, 0, 1};
    static const UCHAR off[24] = {[4] = 0x08, 0x12};
    static struct pass_with_sense pass;
    struct bed_file *disk;

    (void)state;
    disk = start(FLUSH_WITHOUT_FUA);
    memcpy(pass.data, off, sizeof(off));
    assert_int_equal(run(disk, &pass, select, sizeof(select), sizeof(off)), 0);
    assert_int_equal(server_commands(server, SERVER_FLUSH), 1);
    assert_int_equal(run(disk, &pass, write, sizeof(write), 512), 0);
    assert_int_equal(server_commands(server, SERVER_FLUSH), 2);
    pass.data[4] = 0x09;
    assert_int_equal(run(disk, &pass, select, sizeof(select), sizeof(off)), 0x052600);
    end(disk);
}

static void mode_select_changes_the_format_of_sense(void **state)
{
    static const UCHAR select[6] = {0x15, 0x10, 0, 0, 16};
    static const UCHAR unknown[6] = {0xFF};
    static const UCHAR control[16] = {[4] = 0x0A, 0x0A, 0x04, 0x10, [12] = 0xFF, 0xFF};
    static struct pass_with_sense pass;
    struct bed_file *disk;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    assert_int_equal(run(disk, &pass, unknown, sizeof(unknown), 0), 0x052000);
    assert_int_equal(pass.sense[0], 0x70);
    memcpy(pass.data, control, sizeof(control));
    assert_int_equal(run(disk, &pass, select, sizeof(select), sizeof(control)), 0);
    assert_int_equal(run(disk, &pass, unknown, sizeof(unknown), 0), 0x052000);
    assert_int_equal(pass.sense[0], 0x72);
    end(disk);
}

/* Sense of a request that was given to the server and failed. */
static void failed_read_has_the_format_that_was_chosen(void **state)
{
    static const UCHAR select[6] = {0x15, 0x10, 0, 0, 16};
    static const UCHAR control[16] = {[4] = 0x0A, 0x0A, 0x04, 0x10, [12] = 0xFF, 0xFF};
    const struct server_options bad = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .error = 5};
    static struct pass pass;
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    fixture_start(&bad);
    disk = fixture_map();
    assert_false(pass_read(disk, &pass, 0, 1, 512));
    assert_int_equal(pass.sense[0] & 0x7F, 0x70);
    assert_int_equal(pass.sense[2], 0x03);
    memcpy(pass.data, control, sizeof(control));
    pass_begin(&io, disk, &pass, select, sizeof(select), SCSI_IOCTL_DATA_OUT, sizeof(control));
    assert_true(pass_wait(&io, &pass));
    assert_false(pass_read(disk, &pass, 0, 1, 512));
    assert_int_equal(pass.sense[0], 0x72);
    assert_int_equal(pass.sense[1], 0x03);
    end(disk);
}

/* The first command after it says so, once; the pages are as they were in the beginning. */
static void reset_is_told_once(void **state)
{
    static const struct {
        ULONG kind;
        int sense;
    } resets[] = {
        {BED_INJECT_RESET_LUN, 0x062903}, {BED_INJECT_RESET_TARGET, 0x062902}, {BED_INJECT_RESET_BUS, 0x062902}};
    static const UCHAR test_unit_ready[6] = {0x00};
    static const UCHAR select[6] = {0x15, 0x10, 0, 0, 16};
    static const UCHAR unknown[6] = {0xFF};
    static const UCHAR control[16] = {[4] = 0x0A, 0x0A, 0x04, 0x10, [12] = 0xFF, 0xFF};
    static struct pass_with_sense pass;
    struct bed_file *disk;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    for (unsigned i = 0; i < ARRAYSIZE(resets); i++) {
        memcpy(pass.data, control, sizeof(control));
        assert_int_equal(run(disk, &pass, select, sizeof(select), sizeof(control)), 0);
        if (resets[i].kind == BED_INJECT_RESET_BUS) {
            fixture_inject_adapter(resets[i].kind);
        } else {
            fixture_inject_disk(resets[i].kind);
        }
        assert_int_equal(run(disk, &pass, test_unit_ready, sizeof(test_unit_ready), 0), resets[i].sense);
        assert_int_equal(pass.sense[0], 0x70);
        fixture_await_connections("vol1", 1);
        assert_int_equal(run(disk, &pass, test_unit_ready, sizeof(test_unit_ready), 0), 0);
        assert_int_equal(run(disk, &pass, unknown, sizeof(unknown), 0), 0x052000);
        assert_int_equal(pass.sense[0], 0x70);
    }
    end(disk);
}

/* Of a buffer that is longer than what is read or written, what was moved is told; a shorter one is refused. */
static void residual_is_told(void **state)
{
    static const UCHAR write_2[10] = {0x2A, [8] = 2};
    struct bed_file *disk;
    struct pass pass;
    struct bed_io io;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    assert_true(pass_read(disk, &pass, 0, 1, 4096));
    assert_int_equal(pass.header.DataTransferLength, 512);
    pass_begin(&io, disk, &pass, write_2, sizeof(write_2), SCSI_IOCTL_DATA_OUT, 4096);
    assert_true(pass_wait(&io, &pass));
    assert_int_equal(pass.header.DataTransferLength, 1024);
    assert_false(pass_read(disk, &pass, 0, 2, 512));
    assert_true(pass_has_sense(&pass, 5));
    assert_int_equal(pass.sense[12], 0x24);
    end(disk);
}

/* What is offered of a parameter list counts as transferred, also what lies behind its end. */
static void lists_count_as_transferred(void **state)
{
    static const UCHAR unmap[10] = {0x42, [8] = 24};
    static const UCHAR mode_select[6] = {0x15, 0x10, [4] = 4};
    struct bed_file *disk;
    struct pass pass;
    struct bed_io io;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    memset(pass.data, 0, 64);
    memcpy(pass.data, (const UCHAR[]){0, 22, 0, 16}, 4); /* one descriptor: LBA 0, no blocks */
    pass_begin(&io, disk, &pass, unmap, sizeof(unmap), SCSI_IOCTL_DATA_OUT, 64);
    assert_true(pass_wait(&io, &pass));
    assert_int_equal(pass.header.DataTransferLength, 64);
    memset(pass.data, 0, 64);
    pass_begin(&io, disk, &pass, mode_select, sizeof(mode_select), SCSI_IOCTL_DATA_OUT, 64);
    assert_true(pass_wait(&io, &pass));
    assert_int_equal(pass.header.DataTransferLength, 64);
    end(disk);
}

/* A REQUEST SENSE is carried out, has the attention as its data, and clears it. */
static void request_sense_tells_of_a_reset(void **state)
{
    static const UCHAR request_sense[6] = {0x03, 0, 0, 0, 18};
    static const UCHAR descriptor[6] = {0x03, 1, 0, 0, 18};
    struct pass pass;
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    fixture_inject_disk(BED_INJECT_RESET_LUN);
    pass_begin(&io, disk, &pass, request_sense, sizeof(request_sense), SCSI_IOCTL_DATA_IN, 18);
    assert_true(pass_wait(&io, &pass));
    assert_int_equal(pass.header.DataTransferLength, 18);
    assert_memory_equal(pass.data, "\x70\0\x06\0\0\0\0\x0A\0\0\0\0\x29\x03\0\0\0\0", 18);
    pass_begin(&io, disk, &pass, descriptor, sizeof(descriptor), SCSI_IOCTL_DATA_IN, 18);
    assert_true(pass_wait(&io, &pass));
    assert_int_equal(pass.header.DataTransferLength, 8);
    assert_memory_equal(pass.data, "\x72\0\0\0\0\0\0\0", 8);
    end(disk);
}

/* Programs pass 6 bytes of it. */
static void reservations_are_not_supported(void **state)
{
    static const UCHAR in[6] = {0x5E, 1};
    static const UCHAR out[10] = {0x5F, 3, 3, [8] = 24};
    static struct pass_with_sense pass;
    struct bed_file *disk;

    (void)state;
    disk = start(SERVER_FLAGS_USUAL);
    assert_int_equal(run(disk, &pass, in, sizeof(in), 0), 0x052000);
    assert_int_equal(run(disk, &pass, out, sizeof(out), 24), 0x052000);
    end(disk);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_with_fua_to_a_server_that_only_flushes),
        cmocka_unit_test(write_with_fua_whose_flush_is_lost),
        cmocka_unit_test(status_of_blocks_nobody_knows),
        cmocka_unit_test(verify_compares),
        cmocka_unit_test(verify_goes_on_over_the_next_connection),
        cmocka_unit_test(write_and_verify_is_on_the_medium),
        cmocka_unit_test(write_and_verify_compares),
        cmocka_unit_test(write_and_verify_miscompares),
        cmocka_unit_test(write_and_verify_goes_on_over_the_next_connection),
        cmocka_unit_test(mode_select_turns_the_cache_off),
        cmocka_unit_test(mode_select_changes_the_format_of_sense),
        cmocka_unit_test(failed_read_has_the_format_that_was_chosen),
        cmocka_unit_test(reset_is_told_once),
        cmocka_unit_test(residual_is_told),
        cmocka_unit_test(lists_count_as_transferred),
        cmocka_unit_test(request_sense_tells_of_a_reset),
        cmocka_unit_test(reservations_are_not_supported),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
