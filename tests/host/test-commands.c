/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that NBD has requests for beside reads and writes, in each form of replies. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"

#include "core/base/bytes.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK        512
#define EXPORT_BYTES (4u << 20)

typedef void used(struct bed_file *disk);

/* Does something with a disk whose server has all commands, once in each form and with each of some seeds. */
static void in_each_form(const struct server_options *but, used *use)
{
    fixture_start_machine();
    for (enum server_form form = SERVER_SIMPLE; form <= SERVER_EXTENDED; form++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct server_options options = *but;
            struct bed_file *disk;

            options.size = EXPORT_BYTES;
            options.form = form;
            options.seed = seed;
            disk = fixture_serve(&options);
            use(disk);
            fixture_serve_no_more(disk);
        }
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void fill_export(void)
{
    static UCHAR data[EXPORT_BYTES];

    wnbd_pattern(data, EXPORT_BYTES, 3);
    for (ULONG i = 0; i < EXPORT_BYTES; i++) {
        data[i] |= 1;
    }
    server_write(server, 0, data, EXPORT_BYTES);
}

/* Whether those bytes, and none beside them, are zeroes. */
static void assert_zeroed(ULONG lba, ULONG blocks)
{
    static UCHAR data[EXPORT_BYTES];

    server_read(server, 0, data, EXPORT_BYTES);
    for (ULONG i = 0; i < EXPORT_BYTES; i++) {
        bool inside = i / BLOCK >= lba && i / BLOCK < lba + blocks;

        if ((data[i] == 0) != inside) {
            fail_msg("byte %u of the export is 0x%02x", i, data[i]);
        }
    }
}

static void write_same(struct bed_file *disk)
{
    struct pass pass = {0};

    fill_export();
    assert_true(pass_write_same_16(disk, &pass, 0, 3, 200, BLOCK));
    assert_zeroed(3, 200);
    fill_export();
    assert_true(pass_write_same_16(disk, &pass, PASS_UNMAP, 8, 1000, BLOCK));
    assert_zeroed(8, 1000);
    fill_export();
    assert_true(pass_write_same_16(disk, &pass, PASS_UNMAP | PASS_NDOB, EXPORT_BYTES / BLOCK - 9, 9, 0));
    assert_zeroed(EXPORT_BYTES / BLOCK - 9, 9);
    fill_export();
    assert_true(pass_write_same_10(disk, &pass, 1, 1, BLOCK));
    assert_zeroed(1, 1);
    assert_int_equal(server_commands(server, SERVER_WRITE), 0);
    assert_int_equal(server_commands(server, SERVER_WRITE_ZEROES), 4);
}

static void write_same_of_zeroes(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL};

    (void)state;
    in_each_form(&options, write_same);
}

static void write_much_the_same(struct bed_file *disk)
{
    struct pass pass = {0};

    fill_export();
    assert_true(pass_write_same_16(disk, &pass, PASS_NDOB, 5, 129, 0));
    assert_zeroed(5, 129);
    assert_int_equal(server_commands(server, SERVER_WRITE_ZEROES), 2);
}

static void write_same_of_more_than_the_server_takes(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL, .maximum = 64 << 10};

    (void)state;
    in_each_form(&options, write_much_the_same);
}

static void write_nothing(struct bed_file *disk)
{
    struct pass pass = {0};

    fill_export();
    pass.data[BLOCK - 1] = 1;
    assert_false(pass_write_same_16(disk, &pass, 0, 0, 8, BLOCK - 1));
    assert_true(pass_has_sense(&pass, 0x5));
    assert_false(pass_write_same_16(disk, &pass, PASS_NDOB, 0, 0, 0));
    assert_true(pass_has_sense(&pass, 0x5));
    assert_false(pass_write_same_16(disk, &pass, PASS_NDOB, EXPORT_BYTES / BLOCK - 1, 2, 0));
    assert_true(pass_has_sense(&pass, 0x5));
    assert_zeroed(0, 0);
    assert_int_equal(server_commands(server, SERVER_WRITE_ZEROES), 0);
}

static void write_same_of_nothing(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL};

    (void)state;
    in_each_form(&options, write_nothing);
}

/* Whether the export has that block there, again and again, and what fill_export left everywhere else. */
static void assert_repeated(ULONG lba, ULONG blocks, const UCHAR *block)
{
    static UCHAR data[EXPORT_BYTES], filled[EXPORT_BYTES];

    server_read(server, 0, data, EXPORT_BYTES);
    fill_export();
    server_read(server, 0, filled, EXPORT_BYTES);
    for (ULONG i = 0; i < blocks; i++) {
        memcpy(filled + (size_t)(lba + i) * BLOCK, block, BLOCK);
    }
    assert_memory_equal(data, filled, EXPORT_BYTES);
}

static void write_the_same(struct bed_file *disk)
{
    struct pass pass = {0};

    fill_export();
    wnbd_pattern(pass.data, BLOCK, 9);
    assert_true(pass_write_same_16(disk, &pass, 0, 3, 200, BLOCK));
    assert_repeated(3, 200, pass.data);
    assert_true(pass_write_same_10(disk, &pass, 1, 1, BLOCK));
    assert_repeated(1, 1, pass.data);
    assert_true(pass_write_same_16(disk, &pass, PASS_UNMAP, 0, EXPORT_BYTES / BLOCK, BLOCK));
    assert_repeated(0, EXPORT_BYTES / BLOCK, pass.data);
}

static void write_same_of_any_block(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL};

    (void)state;
    in_each_form(&options, write_the_same);
}

static void write_zeroes_by_writes(struct bed_file *disk)
{
    static const UCHAR zeroes[BLOCK];
    struct pass pass = {0};

    fill_export();
    assert_true(pass_write_same_16(disk, &pass, 0, 3, 200, BLOCK));
    assert_repeated(3, 200, zeroes);
    assert_true(pass_write_same_16(disk, &pass, PASS_NDOB, EXPORT_BYTES / BLOCK - 9, 9, 0));
    assert_repeated(EXPORT_BYTES / BLOCK - 9, 9, zeroes);
    assert_int_equal(server_commands(server, SERVER_WRITE_ZEROES), 0);
}

static void write_same_of_zeroes_that_the_server_has_no_command_for(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL & ~SERVER_FLAG_WRITE_ZEROES};

    (void)state;
    in_each_form(&options, write_zeroes_by_writes);
}

/* One has the disk's memory for it, the others come again. */
static void write_several_the_same(struct bed_file *disk)
{
    enum { COUNT = 4, BLOCKS = 1000 };
    static struct pass passes[COUNT];
    struct bed_io ios[COUNT];

    for (ULONG i = 0; i < COUNT; i++) {
        UCHAR cdb[16] = {0x93};

        store_be64(cdb + 2, (uint64_t)i * BLOCKS);
        store_be32(cdb + 10, BLOCKS);
        memset(&passes[i], 0, sizeof(passes[i]));
        wnbd_pattern(passes[i].data, BLOCK, 20 + i);
        pass_begin(&ios[i], disk, &passes[i], cdb, sizeof(cdb), SCSI_IOCTL_DATA_OUT, BLOCK);
    }
    for (ULONG i = 0; i < COUNT; i++) {
        assert_true(pass_wait(&ios[i], &passes[i]));
    }
    for (ULONG i = 0; i < COUNT * BLOCKS; i++) {
        UCHAR block[BLOCK];

        server_read(server, (uint64_t)i * BLOCK, block, BLOCK);
        assert_memory_equal(block, passes[i / BLOCKS].data, BLOCK);
    }
}

static void write_same_of_several_at_once(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL};

    (void)state;
    in_each_form(&options, write_several_the_same);
}

static void prefetch(struct bed_file *disk)
{
    struct pass pass;

    assert_true(pass_prefetch(disk, &pass, 8, 128));
    assert_true(pass_prefetch(disk, &pass, EXPORT_BYTES / BLOCK - 8, 0)); /* to the end */
    assert_int_equal(server_commands(server, SERVER_CACHE), 2);
}

/* A hint: that a server fails it is nobody's concern. */
static void prefetch_that_is_done_and_that_fails(void **state)
{
    const struct server_options good = {.flags = SERVER_FLAGS_ALL};
    const struct server_options bad = {.flags = SERVER_FLAGS_ALL, .error = 5};

    (void)state;
    in_each_form(&good, prefetch);
    in_each_form(&bad, prefetch);
}

/* ---- What is allocated ---- */

static bool is_allocated(ULONG lba)
{
    static const UCHAR zeroes[SERVER_PAGE];
    UCHAR page[SERVER_PAGE];

    server_read(server, (uint64_t)lba * BLOCK / SERVER_PAGE * SERVER_PAGE, page, SERVER_PAGE);
    return memcmp(page, zeroes, SERVER_PAGE) != 0;
}

/* What is said of one run of blocks is true of each. Answers the block behind it. */
static ULONG check_descriptor(const UCHAR *descriptor, ULONG lba)
{
    ULONG blocks = load_be32(descriptor + 8);

    assert_int_equal(load_be64(descriptor), lba);
    assert_true(blocks != 0);
    for (ULONG i = 0; i < blocks; i++) {
        assert_int_equal(descriptor[12], is_allocated(lba + i) ? 0 : 1);
    }
    return lba + blocks;
}

static ULONG check_status(const struct pass *pass, ULONG lba)
{
    ULONG end = 4 + load_be32(pass->data);

    assert_int_equal(pass->header.DataTransferLength, end);
    for (ULONG at = 8; at < end; at += 16) {
        lba = check_descriptor(pass->data + at, lba);
    }
    assert_true(lba <= EXPORT_BYTES / BLOCK);
    return lba;
}

/* Runs of 1 to 8 pages, allocated or not. */
static void fill_in_runs(void)
{
    UCHAR page[SERVER_PAGE];

    memset(page, 'a', sizeof(page));
    for (ULONG at = 0, run = 0; at < EXPORT_BYTES; run++) {
        for (ULONG i = 0; i < run % 8 + 1 && at < EXPORT_BYTES; i++, at += SERVER_PAGE) {
            server_write(server, at, run % 2 != 0 ? page : (UCHAR[SERVER_PAGE]){0}, sizeof(page));
        }
    }
}

/* From a block in the middle of a page to the end of the disk, as many answers as it takes. */
static void ask_to_the_end(struct bed_file *disk, ULONG descriptors)
{
    unsigned before = server_commands(server, SERVER_BLOCK_STATUS);
    struct pass pass;

    for (ULONG lba = 3; lba < EXPORT_BYTES / BLOCK;) {
        assert_true(pass_lba_status(disk, &pass, lba, descriptors));
        lba = check_status(&pass, lba);
    }
    assert_true(server_commands(server, SERVER_BLOCK_STATUS) > before);
}

static void ask(struct bed_file *disk)
{
    WNBD_SERVER_STATUS status = fixture_server_status("vol1");

    if (server_agreed(server) != SERVER_SIMPLE) {
        fill_in_runs();
        ask_to_the_end(disk, 31);
        ask_to_the_end(disk, 1);
        assert_int_equal(status.Reconnects, 0);
    }
}

static void status_of_blocks_is_what_the_server_says(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL};

    (void)state;
    in_each_form(&options, ask);
}

/* ---- Errors ---- */

#define BAD_AT  (1048576 + 700)
#define BAD_LBA (BAD_AT / BLOCK)

/* The sense says which block failed, unless the form of replies has no place for it. */
static void assert_bad_block(const struct pass *pass, UCHAR key)
{
    ULONG lba;

    assert_true(pass_has_sense(pass, key));
    assert_int_equal(pass_has_information(pass, &lba), server_agreed(server) != SERVER_SIMPLE);
    assert_true(server_agreed(server) == SERVER_SIMPLE || lba == BAD_LBA);
}

static void touch_bad_block(struct bed_file *disk)
{
    struct pass pass = {0};

    assert_true(pass_read(disk, &pass, BAD_LBA - 4, 4, 4 * BLOCK));
    assert_true(pass_read(disk, &pass, BAD_LBA + 1, 4, 4 * BLOCK));
    assert_false(pass_read(disk, &pass, BAD_LBA, 1, BLOCK));
    assert_bad_block(&pass, 0x3);
    assert_false(pass_read(disk, &pass, BAD_LBA - 6, 8, 8 * BLOCK));
    assert_bad_block(&pass, 0x3);
    assert_false(pass_write_through(disk, &pass, BAD_LBA, BLOCK));
    assert_bad_block(&pass, 0x3);
    assert_false(pass_write_same_16(disk, &pass, PASS_NDOB, BAD_LBA - 100, 200, 0));
    assert_bad_block(&pass, 0x3);
    if (server_agreed(server) != SERVER_SIMPLE) {
        assert_false(pass_lba_status(disk, &pass, BAD_LBA - 100, 31));
        assert_bad_block(&pass, 0x3);
    }
}

static void error_says_which_block_failed(void **state)
{
    const struct server_options options = {.flags = SERVER_FLAGS_ALL, .bad_at = BAD_AT};

    (void)state;
    in_each_form(&options, touch_bad_block);
}

/* ---- FUA ---- */

static void assert_holds(UCHAR fill)
{
    UCHAR there[512];
    UCHAR wanted[512];

    memset(wanted, fill, sizeof(wanted));
    server_read(server, 0, there, sizeof(there));
    assert_memory_equal(there, wanted, sizeof(wanted));
}

static void write_through_to_flush(struct bed_file *disk)
{
    struct pass pass;

    memset(pass.data, 'w', BLOCK);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(pass_write_through(disk, &pass, 0, BLOCK));
        assert_int_equal(server_commands(server, SERVER_FLUSH), i);
    }
    assert_holds('w');
}

static void write_through_at_once(struct bed_file *disk)
{
    struct pass pass;

    memset(pass.data, 'f', BLOCK);
    assert_true(pass_write_through(disk, &pass, 0, BLOCK));
    assert_int_equal(server_commands(server, SERVER_FLUSH), 0);
    assert_holds('f');
}

static void write_with_fua_is_flushed_where_there_is_none(void **state)
{
    const struct server_options with = {.flags = SERVER_FLAGS_ALL};
    const struct server_options without = {.flags = SERVER_FLAGS_ALL & ~SERVER_FLAG_FUA};

    (void)state;
    in_each_form(&without, write_through_to_flush);
    in_each_form(&with, write_through_at_once);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_same_of_zeroes),
        cmocka_unit_test(write_same_of_more_than_the_server_takes),
        cmocka_unit_test(write_same_of_nothing),
        cmocka_unit_test(write_same_of_any_block),
        cmocka_unit_test(write_same_of_zeroes_that_the_server_has_no_command_for),
        cmocka_unit_test(write_same_of_several_at_once),
        cmocka_unit_test(prefetch_that_is_done_and_that_fails),
        cmocka_unit_test(status_of_blocks_is_what_the_server_says),
        cmocka_unit_test(error_says_which_block_failed),
        cmocka_unit_test(write_with_fua_is_flushed_where_there_is_none),
    };

    return fixture_init(count, arguments) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
