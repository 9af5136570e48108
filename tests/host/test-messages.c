/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver says each of its messages when it should: to trace sessions, and errors and warnings to the event log. */
#include "tests/host/hand.h"

#include "bed/host/fault.h"
#include "bed/host/registry.h"
#include "bed/port/control.h"
#include "bed/port/events.h"
#include "bed/port/violation.h"
#include "driver/messages.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CALLS_MAX    60 /* of those that are made to fail one after the other */
#define PATIENCE_MS  20000
#define LOOK_EACH_MS 5
#define LENGTH       65536
#define SLOW_US      1000000 /* of the test's time */

static const struct server_options usual = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_USUAL};
static UCHAR data[LENGTH];
static WNBD_IOCTL_CREATE_OUTPUT output;
static const char *image;

static ULONG said(enum message_id id)
{
    return port_events_traced((USHORT)id);
}

static void assert_words(enum message_id id, const char *words)
{
    char found[PORT_EVENT_WORDS_LENGTH];

    port_event_words((USHORT)id, found);
    if (strstr(found, words) == NULL) {
        fail_msg("message %d has the inserts %s and not %s", id, found, words);
    }
}

/* Waits until the message has been said more than `before` times, with inserts like `words`. */
static void await_said(enum message_id id, ULONG before, const char *words)
{
    for (unsigned waited_ms = 0; said(id) <= before; waited_ms += LOOK_EACH_MS) {
        if (waited_ms >= PATIENCE_MS) {
            fail_msg("message %d is not said", id);
        }
        usleep(LOOK_EACH_MS * 1000);
    }
    assert_words(id, words);
}

/* All levels are said. */
static void begin(const struct server_options *options)
{
    bed_registry_clear();
    bed_registry_set(BED_PARAMETERS_KEY, "LogLevel", 3);
    server = server_start(options);
    fixture_start_machine();
}

static void end(void)
{
    fixture_stop();
    bed_registry_clear();
}

/* ---- Disks come and go ---- */

static void nbd_disk_comes_and_goes(void **state)
{
    ULONG started = said(MESSAGE_ADAPTER_STARTED);
    ULONG ended = said(MESSAGE_ADAPTER_ENDED);
    ULONG mapped = said(MESSAGE_NBD_DISK_MAPPED);
    ULONG removed = said(MESSAGE_DISK_REMOVED);

    (void)state;
    begin(&usual);
    await_said(MESSAGE_ADAPTER_STARTED, started, "'0.");
    fixture_unmap(fixture_map());
    await_said(MESSAGE_NBD_DISK_MAPPED, mapped, "'vol1' '0' '");
    await_said(MESSAGE_DISK_REMOVED, removed, "'vol1'");
    end();
    await_said(MESSAGE_ADAPTER_ENDED, ended, "");
}

static void program_disk_comes(void **state)
{
    struct program_options options = {.threads = 1};
    ULONG mapped = said(MESSAGE_PROGRAM_DISK_MAPPED);
    struct program program;
    struct bed_file *disk;

    (void)state;
    bed_registry_set(BED_PARAMETERS_KEY, "LogLevel", 3);
    disk = hand_start(&program, &options);
    await_said(MESSAGE_PROGRAM_DISK_MAPPED, mapped, "'vol1' '0' '");
    hand_stop(&program, disk);
    bed_registry_clear();
}

static void disk_is_not_mapped(void **state)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    ULONG names = said(MESSAGE_NAME_NOT_FOUND);
    ULONG refused = said(MESSAGE_NOT_MAPPED);

    (void)state;
    begin(&usual);
    wnbd_describe(&command, "vol1", server_port(server));
    strcpy(command.Properties.NbdProperties.Hostname, "nowhere.invalid");
    assert_false(NT_SUCCESS(wnbd_map(adapter, &command, &output)));
    await_said(MESSAGE_NAME_NOT_FOUND, names, "'vol1' 'nowhere.invalid'");
    await_said(MESSAGE_NOT_MAPPED, refused, "'vol1' 'there is no host named");
    end();
}

static void a_message_is_one_line(void **state)
{
    WNBD_IOCTL_CREATE_COMMAND command;
    ULONG names = said(MESSAGE_NAME_NOT_FOUND);

    (void)state;
    begin(&usual);
    wnbd_describe(&command, "vol1", server_port(server));
    strcpy(command.Properties.NbdProperties.Hostname, "no\nwhere\x7F.invalid");
    assert_false(NT_SUCCESS(wnbd_map(adapter, &command, &output)));
    await_said(MESSAGE_NAME_NOT_FOUND, names, "'vol1' 'no?where?.invalid'");
    end();
}

/* ---- A server goes and comes back ---- */

static void connection_is_lost_and_made_again(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .claimed = FIXTURE_BYTES / 2, .flags = SERVER_FLAGS_USUAL};
    ULONG lost = said(MESSAGE_CONNECTION_LOST);
    ULONG again = said(MESSAGE_CONNECTED_AGAIN);
    ULONG grown = said(MESSAGE_EXPORT_GREW);
    struct bed_file *disk;

    (void)state;
    begin(&options);
    disk = fixture_map();
    server_claim(server, FIXTURE_BYTES);
    server_drop(server);
    await_said(MESSAGE_CONNECTION_LOST, lost, "'vol1' '");
    await_said(MESSAGE_CONNECTED_AGAIN, again, "'vol1' '1'");
    await_said(MESSAGE_EXPORT_GREW, grown, "'67108864' '33554432'");
    fixture_unmap(disk);
    end();
}

static void server_does_not_come_back(void **state)
{
    ULONG given_up = said(MESSAGE_GIVEN_UP);
    ULONG not_paused = said(MESSAGE_NOT_PAUSED);
    struct bed_file *disk;

    (void)state;
    begin(&usual);
    fixture_set_option(u"ReconnectTimeoutMs", WnbdOptInt64, 1000);
    disk = fixture_map();
    fixture_fail(BED_INJECT_FAIL_UNIT, 1);
    server_stop(server);
    await_said(MESSAGE_NOT_PAUSED, not_paused, "'vol1'");
    await_said(MESSAGE_GIVEN_UP, given_up, "'vol1' '1000' '");
    bed_close(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);
    bed_registry_clear();
}

static void server_takes_fewer_connections(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_SEVERAL, .taken = 2};
    ULONG missing = said(MESSAGE_CONNECTIONS_MISSING);

    (void)state;
    begin(&options);
    assert_int_equal(wnbd_map_several(adapter, "vol1", server_port(server), 4), STATUS_SUCCESS);
    await_said(MESSAGE_CONNECTIONS_MISSING, missing, "'vol1' '4' '");
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    end();
}

static void await_request(unsigned before)
{
    for (unsigned waited_ms = 0; server_requests(server) <= before; waited_ms += LOOK_EACH_MS) {
        assert_true(waited_ms < PATIENCE_MS);
        usleep(LOOK_EACH_MS * 1000);
    }
}

/* A server that is busy with a write when the disk is reset. */
static void server_does_not_close(void **state)
{
    ULONG kept = said(MESSAGE_SERVER_DID_NOT_CLOSE);
    struct bed_file *disk;
    unsigned requests;
    struct bed_io io;

    (void)state;
    begin(&usual);
    disk = fixture_map();
    requests = server_requests(server);
    server_set_delay(server, SLOW_US);
    bed_transfer_begin(&io, disk, true, 0, data, LENGTH);
    await_request(requests);
    fixture_inject_disk(BED_INJECT_RESET_LUN);
    await_said(MESSAGE_SERVER_DID_NOT_CLOSE, kept, "'vol1' '2000'");
    server_set_delay(server, 0);
    assert_int_equal(bed_io_wait(&io, MAXULONG, NULL), STATUS_SUCCESS);
    fixture_unmap(disk);
    end();
}

/* ---- Programs ---- */

static void program_goes_and_nobody_comes(void **state)
{
    struct program_options options = {.threads = 1};
    ULONG gone = said(MESSAGE_PROGRAM_GONE);
    ULONG nobody = said(MESSAGE_PROGRAM_NOT_BACK);
    struct program program;
    struct bed_file *disk;

    (void)state;
    options.flags.KeepDisk = 1;
    disk = hand_start(&program, &options);
    fixture_set_option(u"ReconnectTimeoutMs", WnbdOptInt64, 500);
    program_die(&program);
    await_said(MESSAGE_PROGRAM_GONE, gone, "'vol1'");
    await_said(MESSAGE_PROGRAM_NOT_BACK, nobody, "'vol1' '500'");
    bed_close(disk);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    program_free(&program);
    fixture_stop_machine(BED_REMOVAL_ASKED);
}

static bool never_answers_writes(struct program *program, const WNBD_ARENA_REQUEST *request, UCHAR *place,
                                 WNBD_ANSWER *answer)
{
    (void)program;
    (void)place;
    if (request->Request.RequestType == WnbdReqTypeWrite) {
        answer->RequestHandle = 0;
        return true;
    }
    return false;
}

static void program_is_silent(void **state)
{
    struct program_options options = {.threads = 1, .does = never_answers_writes};
    ULONG silent = said(MESSAGE_PROGRAM_SILENT);
    struct program program;
    struct bed_file *disk = hand_start(&program, &options);

    (void)state;
    fixture_set_option(u"StaleReqTimeoutMs", WnbdOptInt64, 1000);
    fixture_set_option(u"StaleConnTimeoutMs", WnbdOptInt64, 2000);
    assert_int_equal(bed_read(disk, 0, data, 512), STATUS_SUCCESS);
    assert_int_not_equal(bed_write(disk, 0, data, 512), STATUS_SUCCESS);
    hand_await_gone("vol1");
    await_said(MESSAGE_PROGRAM_SILENT, silent, "'vol1' '2000'");
    program_wait(&program);
    hand_stop_without(&program, disk);
}

/* ---- Storport says no ---- */

static void storport_takes_no_queue_depth(void **state)
{
    ULONG refused = said(MESSAGE_QUEUE_DEPTH_REFUSED);

    (void)state;
    begin(&usual);
    fixture_fail(BED_INJECT_FAIL_UNIT, 1);
    fixture_unmap(fixture_map());
    await_said(MESSAGE_QUEUE_DEPTH_REFUSED, refused, "'vol1'");
    end();
}

static void request_comes_without_data(void **state)
{
    ULONG without = said(MESSAGE_NO_DATA);
    struct bed_file *disk;

    (void)state;
    begin(&usual);
    disk = fixture_map();
    fixture_fail(BED_INJECT_FAIL_MDL, 1);
    bed_write(disk, 0, data, LENGTH);
    await_said(MESSAGE_NO_DATA, without, "'vol1' '65536'");
    fixture_unmap(disk);
    end();
}

/* ---- Calls fail: the k-th in turn, until the message was said ---- */

static void let_fail(unsigned kinds, enum message_id id, void (*scenario)(unsigned kinds, unsigned k))
{
    ULONG before = said(id);

    for (unsigned k = 1; k < CALLS_MAX && said(id) == before; k++) {
        scenario(kinds, k);
        bed_fault_arm(0, 0);
        bed_fault_happened_once();
    }
    await_said(id, before, "");
}

static void start_with_fault(unsigned kinds, unsigned k)
{
    bed_fault_arm(kinds, k);
    if (NT_SUCCESS(bed_machine_start(image))) {
        bed_fault_arm(0, 0);
        assert_int_equal(bed_machine_stop(BED_REMOVAL_ASKED), STATUS_SUCCESS);
    }
}

static void adapter_does_not_start(void **state)
{
    (void)state;
    bed_registry_clear();
    let_fail(BED_FAULT_THREAD, MESSAGE_ADAPTER_FAILED, start_with_fault);
    let_fail(BED_FAULT_REGISTRY, MESSAGE_OPTIONS_UNREADABLE, start_with_fault);
    let_fail(BED_FAULT_COUNTERS, MESSAGE_COUNTERS_REFUSED, start_with_fault);
    assert_int_equal(port_violation_count(), 0);
}

static void map_with_fault(unsigned kinds, unsigned k)
{
    bed_fault_arm(kinds, k);
    if (NT_SUCCESS(wnbd_map_several(adapter, "vol1", server_port(server), 4))) {
        bed_fault_arm(0, 0);
        assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    }
}

static void connections_fail_on_the_way(void **state)
{
    struct server_options options = {.size = FIXTURE_BYTES, .flags = SERVER_FLAGS_SEVERAL};

    (void)state;
    begin(&options);
    let_fail(BED_FAULT_WSK, MESSAGE_KEEP_ALIVE, map_with_fault);
    let_fail(BED_FAULT_POOL, MESSAGE_CONNECTION_MEMORY, map_with_fault);
    assert_words(MESSAGE_CONNECTION_MEMORY, "'vol1' '");
    end();
}

static void map_twice_with_fault(unsigned kinds, unsigned k)
{
    bed_fault_arm(kinds, k);
    assert_false(NT_SUCCESS(wnbd_map_port(adapter, "vol2", server_port(server))));
}

/* The second disk of the same export is refused after the handshake. */
static void server_is_not_told(void **state)
{
    struct bed_file *disk;

    (void)state;
    begin(&usual);
    disk = fixture_map();
    let_fail(BED_FAULT_WSK, MESSAGE_SERVER_NOT_TOLD, map_twice_with_fault);
    fixture_unmap(disk);
    end();
}

/* What cannot be told is lost, and nothing else happens. */
static void nothing_fails_when_nothing_can_be_told(void **state)
{
    (void)state;
    bed_registry_clear();
    for (unsigned k = 1; k < 8; k++) {
        bed_fault_arm(BED_FAULT_EVENT, k);
        server = server_start(&usual);
        fixture_start_machine();
        assert_int_equal(wnbd_map_port(adapter, "vol1", 1), STATUS_CONNECTION_REFUSED);
        fixture_unmap(fixture_map());
        bed_fault_arm(0, 0);
        fixture_stop();
    }
    bed_fault_happened_once();
}

/* ---- Options ---- */

static void bad_options_are_named(void **state)
{
    static const LONG64 too_large = 5000;
    ULONG types = said(MESSAGE_OPTION_TYPE);
    ULONG ranges = said(MESSAGE_OPTION_RANGE);

    (void)state;
    bed_registry_clear();
    bed_registry_set_value(BED_STATE_KEY, "MaxIOReqPerLun", REG_QWORD, &too_large, sizeof(too_large));
    bed_registry_set_value(BED_STATE_KEY, "ConnectTimeoutMs", REG_QWORD, &too_large, 4);
    fixture_start_machine();
    await_said(MESSAGE_OPTION_TYPE, types, "'ConnectTimeoutMs'");
    await_said(MESSAGE_OPTION_RANGE, ranges, "'MaxIOReqPerLun' '5000' '1' '1024'");
    fixture_stop_machine(BED_REMOVAL_ASKED);
    bed_registry_clear();
}

static void map_in_vain(void)
{
    assert_false(NT_SUCCESS(wnbd_map_port(adapter, "vol1", 1)));
}

static void options_take_effect_at_once(void **state)
{
    ULONG errors, mapped;

    (void)state;
    bed_registry_clear();
    server = server_start(&usual);
    fixture_start_machine();
    errors = said(MESSAGE_NOT_MAPPED);
    mapped = said(MESSAGE_NBD_DISK_MAPPED);
    fixture_unmap(fixture_map());
    assert_int_equal(said(MESSAGE_NBD_DISK_MAPPED), mapped); /* LogLevel is 1 */
    fixture_set_option(u"EtwLoggingEnabled", WnbdOptBool, 0);
    map_in_vain();
    assert_int_equal(said(MESSAGE_NOT_MAPPED), errors);
    fixture_set_option(u"EtwLoggingEnabled", WnbdOptBool, 1);
    fixture_set_option(u"DbgPrintEnabled", WnbdOptBool, 0);
    fixture_set_option(u"LogLevel", WnbdOptInt64, 0);
    map_in_vain();
    assert_int_equal(said(MESSAGE_NOT_MAPPED), errors + 1);
    fixture_set_option(u"LogLevel", WnbdOptInt64, 3);
    fixture_unmap(fixture_map());
    assert_int_equal(said(MESSAGE_NBD_DISK_MAPPED), mapped + 1);
    fixture_stop();
}

/* An entry of the event log has room for 96 characters. */
static void long_names_are_cut_in_the_event_log(void **state)
{
    char name[200] = "";
    WNBD_IOCTL_CREATE_COMMAND command;
    char words[PORT_EVENT_WORDS_LENGTH];

    (void)state;
    begin(&usual);
    memset(name, 'n', sizeof(name) - 1);
    wnbd_describe(&command, name, 1);
    assert_false(NT_SUCCESS(wnbd_map(adapter, &command, &output)));
    port_event_words(MESSAGE_NOT_MAPPED, words); /* the entry comes after the event */
    assert_true(strspn(words + 1, "n") == 46);
    assert_non_null(strstr(words, "' 'the server 127.0.0.1 port 1 refused the"));
    end();
}

/* ---- All of them ---- */

static void assert_was_said(enum message_id id, const char *name)
{
    bool is_logged = MESSAGES_KIND(id) != MESSAGE_INFORMATION;

    if (port_events_traced((USHORT)id) == 0) {
        fail_msg("no test provokes the message %s", name);
    }
    if ((port_events_logged((USHORT)id) != 0) != is_logged) {
        fail_msg("the message %s is %sin the event log", name, is_logged ? "not " : "");
    }
}

/* COUNTERS is said by debug builds alone: tests/e2e/test_counters.py. */
static void every_message_was_said(void **state)
{
    static const struct {
        enum message_id id;
        const char *name;
    } all[] = {
#define MESSAGE(name, ...) {MESSAGE_##name, #name},
        DRIVER_MESSAGES(MESSAGE, MESSAGE)
#undef MESSAGE
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(all); i++) {
        if (all[i].id != MESSAGE_COUNTERS) {
            assert_was_said(all[i].id, all[i].name);
        }
    }
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nbd_disk_comes_and_goes),
        cmocka_unit_test(program_disk_comes),
        cmocka_unit_test(disk_is_not_mapped),
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(connection_is_lost_and_made_again),
        cmocka_unit_test(server_does_not_come_back),
        cmocka_unit_test(server_takes_fewer_connections),
        cmocka_unit_test(server_does_not_close),
        cmocka_unit_test(program_goes_and_nobody_comes),
        cmocka_unit_test(program_is_silent),
        cmocka_unit_test(storport_takes_no_queue_depth),
        cmocka_unit_test(request_comes_without_data),
        cmocka_unit_test(adapter_does_not_start),
        cmocka_unit_test(connections_fail_on_the_way),
        cmocka_unit_test(server_is_not_told),
        cmocka_unit_test(nothing_fails_when_nothing_can_be_told),
        cmocka_unit_test(bad_options_are_named),
        cmocka_unit_test(options_take_effect_at_once),
        cmocka_unit_test(long_names_are_cut_in_the_event_log),
        cmocka_unit_test(every_message_was_said),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    image = arguments[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
