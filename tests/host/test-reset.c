/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bed itself: what was sent to a unit while it was being reset is started when the reset is over. */
#include "bed/host/machine.h"
#include "bed/host/print.h"
#include "bed/host/user.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define READERS    3
#define RESETS     20
#define WINDOW_US  2000
#define AT_ONCE_MS 500 /* the port driver's timer of a second looks for what waits, too: not before that */

static const char *image;

/* ---- The moment in which it can go wrong, made long (--wrap=unit_reference) ---- */

struct unit;

void __real_unit_reference(struct unit *unit);
void __wrap_unit_reference(struct unit *unit);

static _Thread_local bool is_reader;

/* Called without a lock when a reset is over, and its unit is still held; what the readers send meanwhile is looked at
 * in vain. */
void __wrap_unit_reference(struct unit *unit)
{
    __real_unit_reference(unit);
    if (!is_reader) {
        usleep(WINDOW_US);
    }
}

/* ---- Who reads ---- */

struct reader {
    pthread_t thread;
    struct bed_file *disk;
    bool stopping; /* atomic */
    ULONG reads;   /* atomic */
    bool failed;   /* the thread's */
};

static void *read_on(void *context)
{
    struct reader *reader = context;
    UCHAR block[512];

    is_reader = true;
    while (!__atomic_load_n(&reader->stopping, __ATOMIC_SEQ_CST)) {
        reader->failed |= bed_read(reader->disk, 0, block, sizeof(block)) != STATUS_SUCCESS;
        __atomic_add_fetch(&reader->reads, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void begin_reading(struct reader readers[READERS], struct bed_file *disk)
{
    for (ULONG i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.disk = disk};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
}

static void end_reading(struct reader readers[READERS])
{
    for (ULONG i = 0; i < READERS; i++) {
        __atomic_store_n(&readers[i].stopping, true, __ATOMIC_SEQ_CST);
        pthread_join(readers[i].thread, NULL);
        assert_false(readers[i].failed);
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* How long it takes until each reader has done a read that began after this. */
static uint64_t read_again_ms(const struct reader readers[READERS])
{
    uint64_t begun = now_ms();

    for (ULONG i = 0; i < READERS; i++) {
        ULONG before = __atomic_load_n(&readers[i].reads, __ATOMIC_SEQ_CST);

        while (__atomic_load_n(&readers[i].reads, __ATOMIC_SEQ_CST) - before < 2) {
            usleep(100);
        }
    }
    return now_ms() - begun;
}

/* ---- Who resets ---- */

static void find_disk(struct bed_file *control, WCHAR instance[BED_INSTANCE_LENGTH])
{
    struct bed_device devices[8];
    ULONG bytes = 0;

    assert_int_equal(bed_control(control, BED_CONTROL_LIST, NULL, 0, devices, sizeof(devices), &bytes), STATUS_SUCCESS);
    for (ULONG i = 0; i < bytes / sizeof(devices[0]); i++) {
        if (!devices[i].is_adapter) {
            memcpy(instance, devices[i].instance, sizeof(devices[i].instance));
            return;
        }
    }
    fail_msg("there is no disk");
}

/* How many resets were followed by a pause. A busy machine makes one now and then. */
static ULONG reset_again_and_again(const struct reader readers[READERS])
{
    struct bed_injection injection = {.kind = BED_INJECT_RESET_LUN};
    struct bed_file *control;
    ULONG pauses = 0;

    assert_int_equal(bed_open("\\DosDevices\\BedControl", &control), STATUS_SUCCESS);
    find_disk(control, injection.instance);
    for (ULONG i = 0; i < RESETS; i++) {
        assert_int_equal(bed_control(control, BED_CONTROL_INJECT, &injection, sizeof(injection), NULL, 0, NULL),
                         STATUS_SUCCESS);
        pauses += read_again_ms(readers) > AT_ONCE_MS;
    }
    bed_close(control);
    return pauses;
}

static void requests_go_on_after_a_reset(void **state)
{
    struct reader readers[READERS];
    struct bed_file *disk;

    (void)state;
    assert_int_equal(bed_machine_start(image), STATUS_SUCCESS);
    assert_int_equal(bed_open_disk(0, 5000, &disk), STATUS_SUCCESS);
    begin_reading(readers, disk);
    assert_in_range(reset_again_and_again(readers), 0, RESETS / 4);
    end_reading(readers);
    bed_close(disk);
    assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
    assert_int_equal(port_violation_count(), 0);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_on_after_a_reset),
    };

    if (count != 2) {
        return 2;
    }
    image = arguments[1];
    bed_print_options(false, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
