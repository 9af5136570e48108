/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The serving miniport (tests/bed/serving.c) on the simulated kernel: shared and locked memory, waiting requests, and
 * closed handles. What it leaves undone on purpose is found out.
 */
#define _GNU_SOURCE
#include "tests/host/child.h"

#include "bed/host/clock.h"
#include "bed/host/fault.h"
#include "bed/host/machine.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/host/user.h"
#include "bed/port/violation.h"
#include "tests/bed/serving.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define OUTPUT_BYTES (1 << 20)
#define HANDLES      3

static const char *program;
static const char *image;
static char output[OUTPUT_BYTES];

static struct bed_file *open_adapter(void)
{
    struct bed_file *file = NULL;

    assert_int_equal(bed_open_interface(&GUID_DEVINTERFACE_STORAGEPORT, &file), STATUS_SUCCESS);
    return file;
}

static struct serving ask(struct bed_file *file, enum serving_code code, const void *address, ULONG64 length,
                          ULONG value)
{
    struct serving command = {.code = code, .address = (ULONG64)(uintptr_t)address, .length = length, .value = value};

    assert_int_equal(bed_control(file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &command,
                                 sizeof(command), NULL),
                     STATUS_SUCCESS);
    return command;
}

static void begin_wait(struct bed_io *io, struct bed_file *file)
{
    static struct serving command = {.code = SERVING_WAIT};

    bed_control_begin(io, file, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &command,
                      sizeof(command));
}

static int start(void **state)
{
    (void)state;
    return bed_machine_start(image) == STATUS_SUCCESS ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return bed_machine_stop(BED_REMOVAL_ASKED) == STATUS_SUCCESS && port_violation_count() == 0 ? 0 : -1;
}

/* ---- what is right ---- */

static void section_is_seen_from_both_sides(void **state)
{
    struct bed_file *file = open_adapter();
    struct serving answer = ask(file, SERVING_MAP, NULL, 0, 0);
    volatile UCHAR *view = (UCHAR *)(uintptr_t)answer.address;

    (void)state;
    assert_int_equal(answer.status, STATUS_SUCCESS);
    assert_int_equal(answer.length, SERVING_SECTION_BYTES);
    view[70000] = 11;
    assert_int_equal(ask(file, SERVING_POKE, (void *)70000, 0, 22).value, 11);
    assert_int_equal(view[70000], 22);
    bed_close(file);
    assert_int_equal(view[70000], 22);
    assert_true(bed_unmap_view((void *)(uintptr_t)answer.address));
    assert_false(bed_unmap_view((void *)(uintptr_t)answer.address));
}

static void memory_of_the_program_is_locked(void **state)
{
    struct bed_file *file = open_adapter();
    UCHAR data[5000] = {0};

    (void)state;
    assert_int_equal(ask(file, SERVING_FILL, data + 1, sizeof(data) - 2, 3).status, STATUS_SUCCESS);
    assert_int_equal(data[0] + data[1] + data[4998] + data[4999], 6);
    assert_int_equal(ask(file, SERVING_SUM, data, sizeof(data), 0).value, 3 * 4998);
    bed_close(file);
}

static void memory_that_cannot_be_accessed_is_refused(void **state)
{
    struct bed_file *file = open_adapter();
    UCHAR *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    mprotect(pages + 4096, 4096, PROT_READ);
    mprotect(pages + 8192, 4096, PROT_NONE);
    assert_int_equal((NTSTATUS)ask(file, SERVING_SUM, NULL, 8, 0).status, STATUS_ACCESS_VIOLATION);
    assert_int_equal((NTSTATUS)ask(file, SERVING_SUM, (void *)0xFFFF800000000000, 8, 0).status,
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal((NTSTATUS)ask(file, SERVING_FILL, pages + 4000, 200, 1).status, STATUS_ACCESS_VIOLATION);
    assert_int_equal(pages[4000], 0);
    assert_int_equal((NTSTATUS)ask(file, SERVING_SUM, pages + 4000, 200, 1).status, STATUS_SUCCESS);
    assert_int_equal((NTSTATUS)ask(file, SERVING_SUM, pages + 8000, 200, 1).status, STATUS_ACCESS_VIOLATION);
    munmap(pages, 3 * 4096);
    assert_int_equal((NTSTATUS)ask(file, SERVING_SUM, pages, 8, 0).status, STATUS_ACCESS_VIOLATION);
    bed_close(file);
}

/* CLEANUP comes with requests under way, and CLOSE after them. */
static void close_ends_what_waits(void **state)
{
    struct bed_file *other = open_adapter();
    struct bed_file *files[HANDLES];
    struct bed_io io[HANDLES];

    (void)state;
    for (int i = 0; i < HANDLES; i++) {
        files[i] = open_adapter();
        ask(files[i], SERVING_MAP, NULL, 0, 0);
        begin_wait(&io[i], files[i]);
    }
    assert_int_equal(ask(other, SERVING_COUNT, NULL, 0, 0).waiting, HANDLES);
    bed_close(files[1]);
    assert_int_equal(bed_io_wait(&io[1], MAXULONG, NULL), STATUS_FILE_CLOSED);
    assert_int_equal(ask(other, SERVING_COUNT, NULL, 0, 0).waiting, HANDLES - 1);
    bed_io_cancel(&io[0]);
    bed_close(files[0]);
    assert_int_equal(bed_io_wait(&io[0], MAXULONG, NULL), STATUS_CANCELLED);
    bed_close(files[2]);
    assert_int_equal(bed_io_wait(&io[2], MAXULONG, NULL), STATUS_FILE_CLOSED);
    assert_int_equal(ask(other, SERVING_COUNT, NULL, 0, 0).cleanups, HANDLES);
    bed_close(other);
}

/* Each call that may fail does, and nothing is left. */
static void each_call_may_fail(void **state)
{
    UCHAR data[100] = {0};
    ULONG k = 1;

    (void)state;
    for (bool failed = true; failed; k++) {
        struct bed_file *file = open_adapter();

        ask(file, SERVING_COUNT, NULL, 0, 0);
        bed_fault_arm(BED_FAULT_SECTION | BED_FAULT_LOCK | BED_FAULT_MDL, k);
        failed = ask(file, SERVING_MAP, NULL, 0, 0).status != STATUS_SUCCESS;
        failed |= ask(file, SERVING_FILL, data, sizeof(data), 0).status != STATUS_SUCCESS;
        bed_fault_arm(0, 0);
        bed_close(file);
    }
    assert_int_equal(k, 10); /* 2 MDLs and 2 locks, section, 2 views, handle: 8 that fail */
}

/* ---- what is wrong ---- */

static const struct {
    enum serving_careless careless;
    const char *found;
} cases[] = {
    {SERVING_LEAVES_VIEW, "view-leak: a system view of 131072 bytes, made at map_here"},
    {SERVING_LEAVES_PAGES_LOCKED, "lock-leak: pages locked at map_here"},
    {SERVING_LEAVES_SECTION, "object-leak: a section with 1 references"},
    {SERVING_LEAVES_HANDLE, "handle-leak: a handle to a section was not closed"},
    {SERVING_LEAVES_FILE, "object-leak: a file with 1 references"},
    {SERVING_UNMAPS_TWICE, "where no system view begins"},
    {SERVING_UNLOCKS_TWICE, "which is not locked"},
    {SERVING_TOUCHES_LATE, "SEGV"},
};

static void each_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        int code = child_run(program, image, cases[i].careless, output, sizeof(output));

        if (code == 0 || strstr(output, cases[i].found) == NULL) {
            fail_msg("case %u ended with %d and not with '%s':\n%s", cases[i].careless, code, cases[i].found, output);
        }
    }
    assert_int_equal(child_run(program, image, SERVING_CAREFUL, output, sizeof(output)), 0);
}

static int play(unsigned number)
{
    struct bed_file *file;

    bed_registry_set(BED_PARAMETERS_KEY, "Careless", number);
    if (bed_machine_start(image) != STATUS_SUCCESS) {
        return 2;
    }
    file = open_adapter();
    ask(file, SERVING_MAP, NULL, 0, 0);
    bed_close(file);
    bed_machine_stop(BED_REMOVAL_ASKED);
    return port_violation_count() == 0 ? 0 : 3;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(section_is_seen_from_both_sides, start, stop),
        cmocka_unit_test_setup_teardown(memory_of_the_program_is_locked, start, stop),
        cmocka_unit_test_setup_teardown(memory_that_cannot_be_accessed_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(close_ends_what_waits, start, stop),
        cmocka_unit_test_setup_teardown(each_call_may_fail, start, stop),
        cmocka_unit_test(each_is_named),
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
