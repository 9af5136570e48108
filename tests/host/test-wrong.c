/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The miniport that is wrong on purpose (tests/bed/wrong.c) is found out on this bed as well: the port driver is the
 * same one. The cases that end the host or need a clock's patience are those of tests/bed alone.
 */
#include "tests/host/child.h"
#include "tests/host/server.h"

#include "bed/host/clock.h"
#include "bed/host/machine.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/host/user.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OUTPUT_BYTES (1 << 16)

enum drive { READ, WRITE, SERVICE, NOTHING };

/* In the order of `enum wrong`. NULL: not tried here. */
static const struct {
    const char *rule;
    enum drive drive;
} wrongs[] = {
    {NULL, READ}, /* nothing wrong */
    {"completed-twice", READ},
    {"completed-unknown", READ},
    {"status-pending", READ},
    {"status-unknown", READ},
    {"status-frozen", READ},
    {"status-mismatch", READ},
    {"length-grown", READ},
    {"length-wrong", READ},
    {"sense-unflagged", READ},
    {"sense-missing", READ},
    {"sense-absent", READ},
    {"sense-format", READ},
    {"sense-overrun", READ},
    {"touched-after-completion: the SRB at", READ},
    {"touched-after-completion: the SRB extension", READ},
    {"touched-after-completion: the sense buffer", READ},
    {"data-touched", READ},
    {"data-overrun", READ},
    {"data-changed", WRITE},
    {"not-outstanding", READ},
    {"pool-leak: 100 bytes", READ},
    {"pool-overrun", READ},
    {"pool-free", READ},
    {"pool-leak: 1000 bytes", READ},
    {NULL, READ}, /* a thread that never ends keeps its image */
    {"call-after-free", NOTHING},
    {"extension-touched", NOTHING},
    {"service-twice", SERVICE},
    {"service-never", SERVICE},
    {"service-cancel", SERVICE},
    {"service-pending", SERVICE},
    {"service-length", SERVICE},
    {"find-adapter: MaximumNumberOfTargets", NOTHING},
    {"find-adapter: InitialLunQueueDepth", NOTHING},
    {"initialize-size", NOTHING},
    {"initialize-feature", NOTHING},
    {"irql: KeWaitForSingleObject was called at IRQL 2", READ},
    {NULL, READ}, /* never completes */
    {"completed-while-lent", READ},
};

static const char *program;
static const char *image;
static char output[OUTPUT_BYTES];

static void each_is_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAYSIZE(wrongs); i++) {
        if (wrongs[i].rule == NULL) {
            continue;
        }
        if (child_run(program, image, i, output, sizeof(output)) == 0 || strstr(output, wrongs[i].rule) == NULL) {
            fail_msg("case %u was not found out by '%s':\n%s", i, wrongs[i].rule, output);
        }
    }
}

static void nothing_wrong(void **state)
{
    (void)state;
    assert_int_equal(child_run(program, image, 0, output, sizeof(output)), 0);
}

/* ---- in a program of its own ---- */

static void transfer(bool write)
{
    static UCHAR data[4096];
    struct bed_file *disk;

    if (!NT_SUCCESS(bed_open_disk(0, 60000, &disk))) {
        return;
    }
    if (write) {
        bed_write(disk, sizeof(data), data, sizeof(data));
    } else {
        bed_read(disk, sizeof(data), data, sizeof(data));
    }
    bed_close(disk);
}

/* One service request; when the miniport keeps it, the removal of the adapter ends it. */
static void service(void)
{
    ULONG code = 1;
    struct bed_file *adapter;
    struct bed_io io;

    if (!NT_SUCCESS(bed_open_interface(&GUID_DEVINTERFACE_STORAGEPORT, &adapter))) {
        return;
    }
    bed_control_begin(&io, adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &code, sizeof(code), &code, sizeof(code));
    if (bed_io_wait(&io, 1000, NULL) == STATUS_TIMEOUT) {
        bed_machine_stop(BED_REMOVAL_ASKED);
        bed_io_wait(&io, MAXULONG, NULL);
        exit(3); /* the file is closed by nobody any more */
    }
    bed_close(adapter);
}

static int play(unsigned number)
{
    struct server_options options = {.size = 512, .silent = true};
    struct server *server = server_start(&options);

    bed_registry_set(BED_PARAMETERS_KEY, "Wrong", number);
    bed_registry_set(BED_PARAMETERS_KEY, "BedSample", 1);
    bed_registry_set(BED_PARAMETERS_KEY, "Port", server_port(server));
    if (NT_SUCCESS(bed_machine_start(image))) {
        if (wrongs[number].drive == SERVICE) {
            service();
        } else if (wrongs[number].drive != NOTHING) {
            transfer(wrongs[number].drive == WRITE);
        }
        bed_machine_stop(BED_REMOVAL_ASKED);
    }
    server_stop(server);
    return port_violation_count() == 0 ? 0 : 3;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_named),
        cmocka_unit_test(nothing_wrong),
    };

    if (count < 2) {
        return 2;
    }
    program = arguments[0];
    image = arguments[1];
    bed_clock_speed(5);
    bed_print_options(true, false);
    return count == 3 ? play((unsigned)strtoul(arguments[2], NULL, 10)) : cmocka_run_group_tests(tests, NULL, NULL);
}
