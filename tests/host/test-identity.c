/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells one disk from all others (driver/identity.c): page 83h of disks that are and are not the same. */
#include "tests/host/fixture.h"
#include "tests/host/pass.h"
#include "tests/host/program.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 252

struct page {
    UCHAR bytes[PAGE];
};

/* Page 83h of a disk, which has an NAA as its first designator. */
static struct page page_of(const char *name)
{
    static const UCHAR cdb[6] = {0x12, 1, 0x83, 0, PAGE};
    struct bed_file *disk = NULL;
    struct pass pass = {0};
    struct page page;
    struct bed_io io;

    assert_int_equal(wnbd_open_disk(adapter, name, &disk), STATUS_SUCCESS);
    pass_begin(&io, disk, &pass, cdb, sizeof(cdb), SCSI_IOCTL_DATA_IN, PAGE);
    assert_true(pass_wait(&io, &pass));
    bed_close(disk);
    assert_int_equal(pass.data[4] & 0x0F, 1); /* binary */
    assert_int_equal(pass.data[5] & 0x0F, 3); /* NAA */
    memcpy(page.bytes, pass.data, PAGE);
    return page;
}

static bool same_naa(const struct page *one, const struct page *other)
{
    return memcmp(one->bytes + 8, other->bytes + 8, 8) == 0;
}

/* ---- NBD ---- */

static struct page map_and_ask(const char *name, const char *host, const char *export_name)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct page page;

    wnbd_describe(&command, name, server_port(server));
    strcpy(command.Properties.NbdProperties.Hostname, host);
    strcpy(command.Properties.NbdProperties.ExportName, export_name);
    assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
    page = page_of(name);
    assert_int_equal(wnbd_unmap(adapter, name), STATUS_SUCCESS);
    return page;
}

static void exports_differ(void **state)
{
    struct page one;
    struct page other;

    (void)state;
    fixture_start_usual();
    one = map_and_ask("vol1", "127.0.0.1", "a");
    other = map_and_ask("vol2", "127.0.0.1", "a");
    assert_true(same_naa(&one, &other)); /* whatever the disk is called */
    other = map_and_ask("vol1", "127.0.0.1", "b");
    assert_false(same_naa(&one, &other));
    other = map_and_ask("vol1", "localhost", "a");
    assert_false(same_naa(&one, &other));
    fixture_stop();
    fixture_start_usual(); /* another port */
    other = map_and_ask("vol1", "127.0.0.1", "a");
    assert_false(same_naa(&one, &other));
    fixture_stop();
}

/* ---- Programs ---- */

static struct page serve_and_ask(const char *name)
{
    struct program_options options = {.name = name, .threads = 1};
    struct program program;
    struct page page;

    program_start(&program, &options);
    page = page_of(name);
    program_stop(&program);
    return page;
}

static void disks_of_programs_differ(void **state)
{
    struct page one;
    struct page other;

    (void)state;
    fixture_start_machine();
    one = serve_and_ask("vol1");
    other = serve_and_ask("vol2");
    assert_false(same_naa(&one, &other));
    other = serve_and_ask("vol1");
    assert_true(same_naa(&one, &other));
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* The owner's own identifier is the only designator, of 16 bytes with format 6 and of 8 with others. */
static void owner_says(void **state)
{
    static const UCHAR naa[2][16] = {{0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                     {0x50, 7, 6, 5, 4, 3, 2, 1}};

    (void)state;
    fixture_start_usual();
    for (unsigned i = 0; i < 2; i++) {
        UCHAR length = i == 0 ? 16 : 8;
        WNBD_IOCTL_CREATE_COMMAND command;
        WNBD_IOCTL_CREATE_OUTPUT output;
        struct page page;

        wnbd_describe(&command, "vol1", server_port(server));
        command.Properties.Flags.NaaIdSpecified = 1;
        memcpy(command.Properties.NaaIdentifier.data, naa[i], 16);
        assert_int_equal(wnbd_map(adapter, &command, &output), STATUS_SUCCESS);
        page = page_of("vol1");
        assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
        assert_int_equal(page.bytes[3], 4 + length);
        assert_int_equal(page.bytes[7], length);
        assert_memory_equal(page.bytes + 8, naa[i], length);
    }
    fixture_stop();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_differ),
        cmocka_unit_test(disks_of_programs_differ),
        cmocka_unit_test(owner_says),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
