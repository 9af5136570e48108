/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The performance counters, as a consumer gets them: which disks there are, by which name, and that the values are
 * those that the driver has counted. */
#include "tests/host/hand.h"
#include "tests/host/pass.h"

#include "bed/host/fault.h"
#include "bed/port/control.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SET_NAME  L"WNBD Disk"
#define INSTANCES 128

/* As driver/performance_table.h has them: what a consumer relies on. */
enum {
    READS = 1,
    WRITES = 2,
    FLUSHES = 3,
    UNMAPS = 4,
    READ_BYTES = 5,
    WRITE_BYTES = 6,
    OUTSTANDING = 7,
    WAITING = 8,
    READ_TIME = 9,
    READ_BASE = 10,
    WRITE_TIME = 11,
    WRITE_BASE = 12,
    CONNECTED = 13,
    CONNECTIONS = 14,
    RECONNECTS = 15,
    UNFENCED = 16,
    FAILED = 17,
    ABORTED = 18,
    LATE = 19,
    COUNTERS = 19,
};

/* A consumer: its own handle, so that several threads can be one. */
static ULONG collect_by(struct bed_file *control, bool with_values, struct bed_instance *instances)
{
    struct bed_counter_set set = {.with_values = with_values, .name = SET_NAME};
    ULONG bytes = 0;

    assert_int_equal(
        bed_control(control, BED_CONTROL_COLLECT, &set, sizeof(set), instances, INSTANCES * sizeof(*instances), &bytes),
        STATUS_SUCCESS);
    return bytes / sizeof(*instances);
}

static struct bed_instance found[INSTANCES];

static ULONG collect(bool with_values)
{
    struct bed_file *control = NULL;
    ULONG count;

    assert_int_equal(bed_open("\\DosDevices\\BedControl", &control), STATUS_SUCCESS);
    count = collect_by(control, with_values, found);
    bed_close(control);
    return count;
}

static bool is_named(const struct bed_instance *instance, const WCHAR *name)
{
    size_t i = 0;

    while (instance->name[i] != 0 && instance->name[i] == name[i]) {
        i++;
    }
    return instance->name[i] == name[i];
}

/* The instance of that name, collected just now. */
static const struct bed_instance *instance(const WCHAR *name)
{
    ULONG count = collect(true);

    for (ULONG i = 0; i < count; i++) {
        if (is_named(&found[i], name)) {
            return &found[i];
        }
    }
    fail_msg("there is no such instance among %u", count);
    return NULL;
}

static ULONG64 value(const struct bed_instance *instance, ULONG id)
{
    assert_int_equal(instance->value_count, COUNTERS);
    for (ULONG i = 0; i < COUNTERS; i++) {
        if (instance->values[i].id == id) {
            return instance->values[i].value;
        }
    }
    fail_msg("there is no counter %u", id);
    return 0;
}

static WNBD_IOCTL_STATS_OUTPUT statistics(const char *name)
{
    WNBD_IOCTL_STATS_COMMAND command = {.IoControlCode = IOCTL_WNBD_STATS};
    WNBD_IOCTL_STATS_OUTPUT output = {0};

    strncpy(command.InstanceName, name, sizeof(command.InstanceName) - 1);
    assert_int_equal(bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), &output,
                                 sizeof(output), NULL),
                     STATUS_SUCCESS);
    return output;
}

/* ---- Which instances ---- */

static void without_disks_there_are_no_instances(void **state)
{
    (void)state;
    fixture_start_machine();
    assert_int_equal(collect(true), 0);
    assert_int_equal(collect(false), 0);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void every_disk_is_an_instance(void **state)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};
    struct program programs[3];
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    for (unsigned i = 0; i < 3; i++) {
        struct program_options options = {.name = names[i], .threads = 1};

        program_start(&programs[i], &options);
    }
    assert_int_equal(collect(true), 4);
    assert_int_equal(value(instance(L"vol1"), CONNECTIONS), 1);
    assert_int_equal(value(instance(L"alpha"), CONNECTED), 1);
    assert_int_equal(value(instance(L"gamma"), CONNECTIONS), 0);
    program_stop(&programs[1]);
    assert_int_equal(collect(false), 3);
    assert_int_equal(found[0].value_count, 0);
    program_stop(&programs[0]);
    program_stop(&programs[2]);
    fixture_unmap(disk);
    assert_int_equal(collect(true), 0);
    fixture_stop();
}

static void disk_that_is_still_connecting_is_no_instance(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .silent = true};
    WNBD_IOCTL_CREATE_COMMAND command;
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_io io;

    (void)state;
    fixture_start(&options);
    wnbd_describe(&command, "vol1", server_port(server));
    wnbd_map_begin(&io, adapter, &command, &output);
    while (server_connections(server) == 0) {
        usleep(1000);
    }
    assert_int_equal(collect(true), 0);
    bed_io_cancel(&io);
    bed_io_wait(&io, MAXULONG, NULL);
    assert_int_equal(collect(true), 0);
    fixture_stop();
}

static void ids_stay_and_are_not_used_again(void **state)
{
    struct program_options options = {.threads = 1};
    struct program program;
    ULONG first;

    (void)state;
    fixture_start_machine();
    program_start(&program, &options);
    first = instance(L"vol1")->id;
    assert_int_equal(instance(L"vol1")->id, first);
    program_stop(&program);
    program_start(&program, &options);
    assert_int_not_equal(instance(L"vol1")->id, first);
    program_stop(&program);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Names ---- */

static void names_are_utf_16_without_what_paths_of_counters_are_made_of(void **state)
{
    static const struct {
        const char *name;
        const WCHAR *shown;
    } cases[] = {
        {"vol1", L"vol1"},
        {"\xd0\xb4\xd0\xb8\xd1\x81\xd0\xba \xce\xa9", L"\x0434\x0438\x0441\x043a \x03a9"},
        {"\xf0\x9d\x84\x9e", L"\xd834\xdd1e"},
        {"rbd/ns/image", L"rbd_ns_image"},
        {"a(b)#c\\d*", L"a[b]_c_d_"},
        {"\xff\xfe not", L"?? not"},
    };

    (void)state;
    fixture_start_machine();
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        struct program_options options = {.name = cases[i].name, .threads = 1};
        struct program program;

        program_start(&program, &options);
        assert_int_equal(value(instance(cases[i].shown), CONNECTED), 1);
        program_stop(&program);
    }
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static void longest_name_fits(void **state)
{
    char name[WNBD_MAX_NAME_LENGTH];
    WCHAR shown[WNBD_MAX_NAME_LENGTH];
    struct program_options options = {.name = name, .threads = 1};
    struct program program;

    (void)state;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < sizeof(name); i++) {
        shown[i] = (WCHAR)name[i];
    }
    fixture_start_machine();
    program_start(&program, &options);
    assert_int_equal(value(instance(shown), CONNECTED), 1);
    program_stop(&program);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

/* ---- Values ---- */

static void values_are_what_the_driver_has_counted(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_ALL};
    static UCHAR data[256 << 10];
    const struct bed_instance *shown;
    WNBD_IOCTL_STATS_OUTPUT counted;
    struct bed_file *disk;
    struct pass pass;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(bed_write(disk, i * sizeof(data), data, 64 << 10), STATUS_SUCCESS);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bed_read(disk, i * 4096, data, 4096), STATUS_SUCCESS);
    }
    assert_int_equal(bed_flush(disk), STATUS_SUCCESS);
    pass_write_same_16(disk, &pass, PASS_NDOB, 8, 64, 0);
    shown = instance(L"vol1");
    counted = statistics("vol1");
    assert_int_equal(value(shown, READS), counted.Read.Answered);
    assert_int_equal(value(shown, WRITES), counted.Write.Answered);
    assert_int_equal(value(shown, FLUSHES), counted.Flush.Answered);
    assert_int_equal(value(shown, UNMAPS), counted.Unmap.Answered);
    assert_int_equal(value(shown, READ_BYTES), counted.Read.Bytes);
    assert_int_equal(value(shown, WRITE_BYTES), counted.Write.Bytes);
    assert_int_equal(value(shown, READ_BASE), counted.Read.Answered);
    assert_int_equal(value(shown, WRITE_BASE), counted.Write.Answered);
    assert_true(value(shown, READS) >= 3 && value(shown, WRITE_BYTES) >= 5 * (64 << 10));
    assert_int_equal(value(shown, FLUSHES), 1);
    assert_int_equal(value(shown, UNMAPS), 1);
    assert_int_equal(value(shown, OUTSTANDING), 0);
    assert_int_equal(value(shown, WAITING), 0);
    assert_int_equal(value(shown, FAILED), 0);
    assert_int_equal(value(shown, ABORTED), 0);
    assert_int_equal(value(shown, LATE), 0);
    assert_int_equal(value(shown, UNFENCED), 0);
    fixture_unmap(disk);
    fixture_stop();
}

/* In ticks of the performance counter: the histogram's, to a third. */
static void average_times_are_the_histograms(void **state)
{
    static UCHAR data[4096];
    const struct bed_instance *shown;
    LARGE_INTEGER frequency;
    struct bed_file *disk;
    double before, seconds;

    (void)state;
    KeQueryPerformanceCounter(&frequency);
    fixture_start_usual();
    disk = fixture_map();
    server_set_delay(server, 20000);
    shown = instance(L"vol1");
    before = (double)value(shown, READ_TIME);
    assert_int_equal(value(shown, WRITE_TIME), 0);
    assert_int_equal(bed_write(disk, 0, data, sizeof(data)), STATUS_SUCCESS);
    shown = instance(L"vol1");
    assert_true(value(shown, READ_TIME) == (ULONG64)before);
    seconds = (double)value(shown, WRITE_TIME) / (double)frequency.QuadPart / (double)value(shown, WRITE_BASE);
    assert_true(seconds > 0.02 * 2 / 3); /* the clock of the test may be faster than the delay's */
    assert_true(seconds < 20);
    fixture_unmap(disk);
    fixture_stop();
}

static void requests_that_are_out_are_shown(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .stall_at = 1};
    static UCHAR data[4096];
    struct bed_file *disk;
    struct bed_io io;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    server_offer(server, &options);
    server_drop(server);
    fixture_await_reconnects("vol1", 1);
    bed_transfer_begin(&io, disk, true, 0, data, sizeof(data));
    while (value(instance(L"vol1"), OUTSTANDING) != 1) {
        usleep(1000);
    }
    assert_int_equal(value(instance(L"vol1"), RECONNECTS), 1);
    options.stall_at = 0;
    server_offer(server, &options);
    server_drop(server);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    assert_true(value(instance(L"vol1"), RECONNECTS) >= 2);
    assert_int_equal(value(instance(L"vol1"), OUTSTANDING), 0);
    fixture_unmap(disk);
    fixture_stop();
}

static void lost_server_is_not_connected(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .silent = true};
    struct bed_file *disk;

    (void)state;
    fixture_start_usual();
    disk = fixture_map();
    assert_int_equal(value(instance(L"vol1"), CONNECTED), 1);
    server_offer(server, &options);
    server_drop(server);
    while (value(instance(L"vol1"), CONNECTED) != 0) {
        usleep(1000);
    }
    assert_int_equal(value(instance(L"vol1"), CONNECTIONS), 0);
    options.silent = false;
    server_offer(server, &options);
    server_drop(server);
    fixture_await_reconnects("vol1", 1);
    assert_int_equal(value(instance(L"vol1"), CONNECTED), 1);
    fixture_unmap(disk);
    fixture_stop();
}

static void failures_are_counted(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL, .bad_at = 1 << 20};
    UCHAR data[4096];
    struct bed_file *disk;

    (void)state;
    fixture_start(&options);
    disk = fixture_map();
    assert_false(NT_SUCCESS(bed_read(disk, 1 << 20, data, sizeof(data))));
    assert_true(value(instance(L"vol1"), FAILED) >= 1);
    fixture_unmap(disk);
    fixture_stop();
}

/* ---- While disks come and go ---- */

static volatile bool stopping;

static void *collect_on(void *unused)
{
    struct bed_instance *instances = calloc(INSTANCES, sizeof(*instances));
    struct bed_file *control = NULL;

    (void)unused;
    assert_int_equal(bed_open("\\DosDevices\\BedControl", &control), STATUS_SUCCESS);
    for (unsigned round = 0; !stopping; round++) {
        ULONG count = collect_by(control, round % 4 != 0, instances);

        for (ULONG i = 0; i < count; i++) {
            assert_true(is_named(&instances[i], L"vol1") || is_named(&instances[i], L"one") ||
                        is_named(&instances[i], L"two"));
        }
    }
    bed_close(control);
    free(instances);
    return NULL;
}

static void *come_and_go(void *name)
{
    while (!stopping) {
        struct program_options options = {.name = name, .threads = 1, .arena_size = WNBD_MIN_ARENA_SIZE};
        struct program program;

        program_start(&program, &options);
        program_stop(&program);
    }
    return NULL;
}

static void disks_go_while_they_are_collected(void **state)
{
    static UCHAR data[4096];
    static char one[] = "one";
    static char two[] = "two";
    pthread_t threads[4];
    struct bed_file *disk;

    (void)state;
    stopping = false;
    fixture_start_usual();
    disk = fixture_map();
    assert_int_equal(pthread_create(&threads[0], NULL, collect_on, NULL), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, collect_on, NULL), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, come_and_go, one), 0);
    assert_int_equal(pthread_create(&threads[3], NULL, come_and_go, two), 0);
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(bed_write(disk, i * 4096, data, sizeof(data)), STATUS_SUCCESS);
        if (i % 100 == 99) {
            fixture_unmap(disk);
            disk = fixture_map();
        }
    }
    hand_pause_ms(4000);
    stopping = true;
    for (size_t i = 0; i < ARRAYSIZE(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    fixture_unmap(disk);
    fixture_stop();
}

/* The adapter ends: whoever collects meanwhile is waited for, and finds nothing afterwards. */
static void adapter_goes_while_it_is_collected(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        pthread_t thread;

        stopping = false;
        fixture_start_machine();
        assert_int_equal(pthread_create(&thread, NULL, collect_on, NULL), 0);
        usleep(round * 100);
        fixture_control_adapter(BED_CONTROL_DISABLE);
        fixture_control_adapter(BED_CONTROL_ENABLE);
        stopping = true;
        pthread_join(thread, NULL);
        bed_close(adapter);
        adapter = wnbd_open();
        assert_int_equal(collect(true), 0);
        fixture_stop_machine(BED_REMOVAL_ASKED);
    }
}

/* ---- What Windows refuses ---- */

static void adapter_works_without_counters(void **state)
{
    struct bed_file *disk;

    (void)state;
    bed_fault_arm(BED_FAULT_COUNTERS, 1);
    fixture_start_usual();
    assert_true(bed_fault_happened_once());
    bed_fault_arm(0, 0);
    disk = fixture_map();
    assert_int_equal(collect(true), 0);
    fixture_write_and_read_back(disk, 0, 4096);
    fixture_unmap(disk);
    fixture_stop();
}

static void instance_that_is_not_taken_ends_the_collection(void **state)
{
    struct program_options options = {.name = "one", .threads = 1};
    struct program programs[2];

    (void)state;
    fixture_start_machine();
    program_start(&programs[0], &options);
    options.name = "two";
    program_start(&programs[1], &options);
    bed_fault_arm(BED_FAULT_COUNTERS, 2);
    assert_int_equal(collect(true), 1);
    bed_fault_arm(0, 0);
    assert_int_equal(collect(true), 2);
    program_stop(&programs[0]);
    program_stop(&programs[1]);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_disks_there_are_no_instances),
        cmocka_unit_test(every_disk_is_an_instance),
        cmocka_unit_test(disk_that_is_still_connecting_is_no_instance),
        cmocka_unit_test(ids_stay_and_are_not_used_again),
        cmocka_unit_test(names_are_utf_16_without_what_paths_of_counters_are_made_of),
        cmocka_unit_test(longest_name_fits),
        cmocka_unit_test(values_are_what_the_driver_has_counted),
        cmocka_unit_test(average_times_are_the_histograms),
        cmocka_unit_test(requests_that_are_out_are_shown),
        cmocka_unit_test(lost_server_is_not_connected),
        cmocka_unit_test(failures_are_counted),
        cmocka_unit_test(disks_go_while_they_are_collected),
        cmocka_unit_test(adapter_goes_while_it_is_collected),
        cmocka_unit_test(adapter_works_without_counters),
        cmocka_unit_test(instance_that_is_not_taken_ends_the_collection),
    };

    return fixture_init(count, arguments) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
