/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bed itself: a RAM-disk miniport lives on it and leaves nothing behind. */
#include "bed/host/machine.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/host/user.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *image;

static void pattern(UCHAR *data, ULONG length, ULONG seed)
{
    for (ULONG i = 0; i < length; i++) {
        data[i] = (UCHAR)(seed + i * 7 + i / 256);
    }
}

static void round_trip(void **state)
{
    enum { LENGTH = 3 << 20 };
    UCHAR *written = malloc(LENGTH);
    UCHAR *read = calloc(1, LENGTH);
    struct bed_file *disk;

    (void)state;
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    assert_int_equal(bed_open_disk(0, 5000, &disk), STATUS_SUCCESS);
    pattern(written, LENGTH, 1);
    assert_int_equal(bed_write(disk, 512, written, LENGTH), STATUS_SUCCESS);
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    assert_int_equal(bed_read(disk, 512, read, LENGTH), STATUS_SUCCESS);
    assert_memory_equal(written, read, LENGTH);
    bed_close(disk);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
    assert_int_equal(port_violation_count(), 0);
    free(written);
    free(read);
}

static void open_disk_objects_to_removal(void **state)
{
    UCHAR block[512];
    struct bed_file *disk;

    (void)state;
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    assert_int_equal(bed_open_disk(0, 5000, &disk), STATUS_SUCCESS);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_DEVICE_BUSY);
    assert_int_equal(bed_read(disk, 0, block, sizeof(block)), STATUS_SUCCESS);
    bed_close(disk);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_SURPRISE), STATUS_SUCCESS);
    assert_int_equal(port_violation_count(), 0);
}

static void threaded_miniport(void **state)
{
    UCHAR block[4096];
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "Threaded", 1);
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    assert_int_equal(bed_open_disk(0, 5000, &disk), STATUS_SUCCESS);
    assert_int_equal(bed_write(disk, 0, block, sizeof(block)), STATUS_SUCCESS);
    bed_close(disk);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
    assert_int_equal(port_violation_count(), 0);
    bed_registry_clear();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(open_disk_objects_to_removal),
        cmocka_unit_test(threaded_miniport),
    };

    if (count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_print_options(false, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
