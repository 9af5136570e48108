/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wnbd.sys on the simulated kernel against a server that is not ours, at the clock's own speed. */
#include "tests/host/nbdkit.h"
#include "tests/host/wnbd.h"

#include "bed/host/print.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define EXPORT_BYTES (64u << 20)
#define PIECE_BYTES  (3u << 20) /* more than one transfer, and not a multiple of one */
#define TRIES        100

static const char *image;

/* nbdkit may not listen yet. */
static NTSTATUS map(struct bed_file *adapter, USHORT port)
{
    LARGE_INTEGER pause = {.QuadPart = -50 * 10000};
    NTSTATUS status = wnbd_map_port(adapter, "vol1", port);

    for (unsigned i = 0; i < TRIES && status == STATUS_CONNECTION_REFUSED; i++) {
        KeDelayExecutionThread(UserMode, FALSE, &pause);
        status = wnbd_map_port(adapter, "vol1", port);
    }
    return status;
}

static void fill(struct bed_file *disk, UCHAR *data)
{
    for (ULONG at = 0; at + PIECE_BYTES <= EXPORT_BYTES; at += PIECE_BYTES) {
        wnbd_pattern(data, PIECE_BYTES, at / 512);
        assert_int_equal(bed_write(disk, at, data, PIECE_BYTES), STATUS_SUCCESS);
    }
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
}

static void compare(struct bed_file *disk, UCHAR *data, UCHAR *read)
{
    for (ULONG at = 0; at + PIECE_BYTES <= EXPORT_BYTES; at += PIECE_BYTES) {
        wnbd_pattern(data, PIECE_BYTES, at / 512);
        assert_int_equal(bed_read(disk, at, read, PIECE_BYTES), STATUS_SUCCESS);
        assert_memory_equal(data, read, PIECE_BYTES);
    }
}

static void nbdkit_is_written_and_read_back(void **state)
{
    UCHAR *data = malloc(PIECE_BYTES);
    UCHAR *read = malloc(PIECE_BYTES);
    struct bed_file *adapter;
    struct bed_file *disk;
    struct nbdkit nbdkit;

    (void)state;
    nbdkit_start(&nbdkit, "64M");
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    adapter = wnbd_open();
    assert_non_null(adapter);
    assert_int_equal(map(adapter, nbdkit.port), STATUS_SUCCESS);
    assert_int_equal(wnbd_open_disk(adapter, "vol1", &disk), STATUS_SUCCESS);
    fill(disk, data);
    compare(disk, data, read);
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    bed_close(adapter);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
    assert_int_equal(port_violation_count(), 0);
    nbdkit_stop(&nbdkit);
    free(data);
    free(read);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nbdkit_is_written_and_read_back),
    };

    if (count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_print_options(getenv("BED_VERBOSE") == NULL, getenv("BED_FATAL") != NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
