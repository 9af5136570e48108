/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Driver options: the commands, what is stored, and what the options do. */
#include "tests/host/fixture.h"

#include "bed/host/fault.h"
#include "bed/host/registry.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OPTIONS 12

static void name_option(WCHAR name[WNBD_MAX_NAME_LENGTH], const char *text)
{
    for (size_t i = 0; i <= strlen(text); i++) {
        name[i] = (UCHAR)text[i];
    }
}

static NTSTATUS control(const void *input, ULONG input_length, void *output, ULONG output_length, ULONG *used)
{
    return bed_control(adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, input, input_length, output, output_length, used);
}

static NTSTATUS get(const char *name, bool persistent, WNBD_OPTION_VALUE *value)
{
    WNBD_IOCTL_GET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_GET_DRV_OPT, .Persistent = persistent};

    name_option(command.Name, name);
    return control(&command, sizeof(command), value, sizeof(*value), NULL);
}

static void set_command(WNBD_IOCTL_SET_DRV_OPT_COMMAND *command, const char *name, bool persistent)
{
    memset(command, 0, sizeof(*command));
    command->IoControlCode = IOCTL_WNBD_SET_DRV_OPT;
    command->Persistent = persistent;
    name_option(command->Name, name);
}

static NTSTATUS set_number(const char *name, INT64 value, bool persistent)
{
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command;

    set_command(&command, name, persistent);
    command.Value.Type = WnbdOptInt64;
    command.Value.Data.AsInt64 = value;
    return control(&command, sizeof(command), NULL, 0, NULL);
}

static NTSTATUS set_boolean(const char *name, BOOLEAN value, bool persistent)
{
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command;

    set_command(&command, name, persistent);
    command.Value.Type = WnbdOptBool;
    command.Value.Data.AsBool = value;
    return control(&command, sizeof(command), NULL, 0, NULL);
}

static NTSTATUS set_text(const char *name, const char *value, bool persistent)
{
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command;

    set_command(&command, name, persistent);
    command.Value.Type = WnbdOptWstr;
    name_option(command.Value.Data.AsWstr, value);
    return control(&command, sizeof(command), NULL, 0, NULL);
}

static NTSTATUS reset(const char *name, bool persistent)
{
    WNBD_IOCTL_RESET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_RESET_DRV_OPT, .Persistent = persistent};

    name_option(command.Name, name);
    return control(&command, sizeof(command), NULL, 0, NULL);
}

static NTSTATUS reload(void)
{
    WNBD_IOCTL_RELOAD_CONFIG_COMMAND command = {.IoControlCode = IOCTL_WNBD_RELOAD_CONFIG};

    return control(&command, sizeof(command), NULL, 0, NULL);
}

/* Room for all options and one more. */
static union {
    WNBD_OPTION_LIST list;
    UCHAR bytes[sizeof(WNBD_OPTION_LIST) + OPTIONS * sizeof(WNBD_OPTION)];
} listed;

static WNBD_OPTION_LIST *list(bool persistent)
{
    WNBD_IOCTL_LIST_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST_DRV_OPT, .Persistent = persistent};
    ULONG used = 0;

    assert_int_equal(control(&command, sizeof(command), &listed, sizeof(listed), &used), STATUS_SUCCESS);
    assert_int_equal(listed.list.ElementSize, sizeof(WNBD_OPTION));
    assert_int_equal(used, FIELD_OFFSET(WNBD_OPTION_LIST, Options) + listed.list.Count * sizeof(WNBD_OPTION));
    return &listed.list;
}

/* The element of a list; NULL: there is none. */
static const WNBD_OPTION *element(const WNBD_OPTION_LIST *options, const char *name)
{
    WCHAR wide[WNBD_MAX_NAME_LENGTH] = {0};

    name_option(wide, name);
    for (UINT32 i = 0; i < options->Count; i++) {
        if (memcmp(options->Options[i].Name, wide, sizeof(options->Options[i].Name)) == 0) {
            return &options->Options[i];
        }
    }
    return NULL;
}

static void expect_number(const char *name, INT64 number, bool persistent)
{
    WNBD_OPTION_VALUE value;

    memset(&value, 0xEE, sizeof(value));
    assert_int_equal(get(name, persistent, &value), STATUS_SUCCESS);
    assert_int_equal(value.Type, WnbdOptInt64);
    assert_true(value.Data.AsInt64 == number);
    for (size_t i = 0; i < sizeof(value.Reserved); i++) {
        assert_int_equal(value.Reserved[i], 0);
    }
}

static void expect_boolean(const char *name, BOOLEAN wanted, bool persistent)
{
    WNBD_OPTION_VALUE value;

    assert_int_equal(get(name, persistent, &value), STATUS_SUCCESS);
    assert_int_equal(value.Type, WnbdOptBool);
    assert_int_equal(value.Data.AsBool, wanted);
}

static void expect_none_stored(const char *name)
{
    WNBD_OPTION_VALUE value;

    assert_int_equal(get(name, true, &value), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void start(void)
{
    bed_registry_clear();
    fixture_start_machine();
}

static void stop(void)
{
    fixture_stop_machine(BED_REMOVAL_ASKED);
    bed_registry_clear();
}

/* ---- Get, set, reset ---- */

/* The first published case (interface document, 11.2). */
static void current_and_stored(void **state)
{
    (void)state;
    start();
    assert_int_equal(reset("LogLevel", true), STATUS_OBJECT_NAME_NOT_FOUND);
    expect_none_stored("LogLevel");
    expect_number("LogLevel", 1, false);
    assert_int_equal(set_number("LogLevel", 2, false), STATUS_SUCCESS);
    expect_number("LogLevel", 2, false);
    expect_none_stored("LogLevel");
    assert_int_equal(set_number("LogLevel", 3, true), STATUS_SUCCESS);
    expect_number("LogLevel", 3, false);
    expect_number("LogLevel", 3, true);
    assert_int_equal(set_number("LogLevel", 4, false), STATUS_SUCCESS);
    expect_number("LogLevel", 4, false);
    expect_number("LogLevel", 3, true);
    assert_int_equal(reset("LogLevel", false), STATUS_SUCCESS);
    expect_number("LogLevel", 1, false);
    expect_number("LogLevel", 3, true);
    assert_int_equal(reset("LogLevel", true), STATUS_SUCCESS);
    expect_none_stored("LogLevel");
    expect_number("LogLevel", 1, false);
    stop();
}

/* Without a stored value a persistent reset changes nothing. */
static void reset_of_nothing_stored(void **state)
{
    (void)state;
    start();
    assert_int_equal(set_number("LogLevel", 4, false), STATUS_SUCCESS);
    assert_int_equal(reset("LogLevel", true), STATUS_OBJECT_NAME_NOT_FOUND);
    expect_number("LogLevel", 4, false);
    stop();
}

static void names_without_regard_to_case(void **state)
{
    WNBD_OPTION_VALUE value;

    (void)state;
    start();
    assert_int_equal(set_number("sTALErEQTIMEOUTmS", 7, true), STATUS_SUCCESS);
    expect_number("StaleReqTimeoutMs", 7, true);
    assert_int_equal(reset("STALEREQTIMEOUTMS", true), STATUS_SUCCESS);
    assert_int_equal(get("StaleReqTimeout", false, &value), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(get("", false, &value), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(set_number("NoSuchOption", 1, true), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(reset("NoSuchOption", false), STATUS_OBJECT_NAME_NOT_FOUND);
    stop();
}

/* A name that fills its array has no NUL to end at. */
static void name_without_nul(void **state)
{
    WNBD_IOCTL_GET_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_GET_DRV_OPT};
    WNBD_OPTION_VALUE value;

    (void)state;
    start();
    for (size_t i = 0; i < WNBD_MAX_NAME_LENGTH; i++) {
        command.Name[i] = 'x';
    }
    assert_int_equal(control(&command, sizeof(command), &value, sizeof(value), NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    stop();
}

static void texts_are_converted(void **state)
{
    (void)state;
    start();
    assert_int_equal(set_text("DbgPrintEnabled", "No", false), STATUS_SUCCESS);
    expect_boolean("DbgPrintEnabled", FALSE, false);
    assert_int_equal(set_text("DbgPrintEnabled", "t", false), STATUS_SUCCESS);
    expect_boolean("DbgPrintEnabled", TRUE, false);
    assert_int_equal(set_text("StaleConnTimeoutMs", "0x10", false), STATUS_SUCCESS);
    expect_number("StaleConnTimeoutMs", 16, false);
    assert_int_equal(set_text("StaleConnTimeoutMs", "12 ", false), STATUS_INVALID_PARAMETER);
    assert_int_equal(set_text("DbgPrintEnabled", "maybe", false), STATUS_INVALID_PARAMETER);
    assert_int_equal(set_text("LogLevel", "", false), STATUS_INVALID_PARAMETER);
    expect_number("StaleConnTimeoutMs", 16, false);
    stop();
}

static void types_that_do_not_match(void **state)
{
    static const ULONG types[] = {WnbdOptUnknown, 4, MAXULONG};
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command;

    (void)state;
    start();
    assert_int_equal(set_boolean("LogLevel", TRUE, true), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(set_number("DbgPrintEnabled", 0, true), STATUS_OBJECT_TYPE_MISMATCH);
    for (size_t i = 0; i < ARRAYSIZE(types); i++) {
        set_command(&command, "LogLevel", false);
        memcpy(&command.Value.Type, &types[i], sizeof(types[i]));
        assert_int_equal(control(&command, sizeof(command), NULL, 0, NULL), STATUS_OBJECT_TYPE_MISMATCH);
    }
    expect_number("LogLevel", 1, false);
    expect_none_stored("LogLevel");
    stop();
}

static void values_out_of_range(void **state)
{
    (void)state;
    start();
    assert_int_equal(set_number("MaxIOReqPerLun", 0, true), STATUS_INVALID_PARAMETER);
    assert_int_equal(set_number("MaxIOReqPerLun", WNBD_ABS_MAX_IO_REQ_PER_LUN + 1, true), STATUS_INVALID_PARAMETER);
    assert_int_equal(set_number("MaxIOReqPerAdapter", WNBD_ABS_MAX_IO_REQ_PER_ADAPTER, false), STATUS_SUCCESS);
    assert_int_equal(set_number("MaxIOReqPerAdapter", WNBD_ABS_MAX_IO_REQ_PER_ADAPTER + 1, false),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(set_number("ConnectTimeoutMs", 0, false), STATUS_INVALID_PARAMETER);
    assert_int_equal(set_number("LogLevel", -5, false), STATUS_SUCCESS);
    assert_int_equal(set_number("StaleReqTimeoutMs", 0, false), STATUS_SUCCESS);
    expect_number("StaleReqTimeoutMs", WNBD_DEFAULT_STALE_REQ_TIMEOUT_MS, false);
    expect_none_stored("MaxIOReqPerLun");
    expect_number("MaxIOReqPerLun", WNBD_DEFAULT_MAX_IO_REQ_PER_LUN, false);
    expect_number("MaxIOReqPerAdapter", WNBD_ABS_MAX_IO_REQ_PER_ADAPTER, false);
    stop();
}

/* ---- List ---- */

/* The second published case. */
static void lists(void **state)
{
    const WNBD_OPTION *option;

    (void)state;
    start();
    assert_int_equal(list(false)->Count, OPTIONS);
    assert_int_equal(list(true)->Count, 0);
    set_number("LogLevel", 3, true);
    set_number("LogLevel", 2, false);
    set_boolean("DbgPrintEnabled", FALSE, false);
    set_boolean("EtwLoggingEnabled", TRUE, true);

    option = element(list(false), "LogLevel");
    assert_int_equal(option->Type, WnbdOptInt64);
    assert_true(option->Default.Data.AsInt64 == 1 && option->Value.Data.AsInt64 == 2);
    option = element(list(false), "DbgPrintEnabled");
    assert_int_equal(option->Type, WnbdOptBool);
    assert_true(option->Default.Data.AsBool && !option->Value.Data.AsBool);

    assert_int_equal(list(true)->Count, 2);
    option = element(list(true), "LogLevel");
    assert_true(option->Default.Data.AsInt64 == 1 && option->Value.Data.AsInt64 == 3);
    option = element(list(true), "EtwLoggingEnabled");
    assert_true(option->Default.Data.AsBool && option->Value.Data.AsBool);
    assert_null(element(list(true), "DbgPrintEnabled"));
    stop();
}

static void lists_of_each_length(void **state)
{
    WNBD_IOCTL_LIST_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST_DRV_OPT};
    ULONG header = FIELD_OFFSET(WNBD_OPTION_LIST, Options);

    (void)state;
    start();
    assert_int_equal(control(&command, sizeof(command), &listed, header - 1, NULL), STATUS_BUFFER_OVERFLOW);
    for (ULONG length = header; length <= sizeof(listed); length += 100) {
        ULONG used = 0;
        ULONG fit = (length - header) / (ULONG)sizeof(WNBD_OPTION);

        assert_int_equal(control(&command, sizeof(command), &listed, length, &used), STATUS_SUCCESS);
        assert_int_equal(listed.list.Count, fit < OPTIONS ? fit : OPTIONS);
        assert_int_equal(used, header + listed.list.Count * sizeof(WNBD_OPTION));
    }
    stop();
}

/* Each command a byte too short, and outputs a byte too small. */
static void lengths_are_checked(void **state)
{
    static const struct {
        ULONG code;
        ULONG input;
        ULONG output;
    } commands[] = {
        {IOCTL_WNBD_GET_DRV_OPT, sizeof(WNBD_IOCTL_GET_DRV_OPT_COMMAND), sizeof(WNBD_OPTION_VALUE)},
        {IOCTL_WNBD_SET_DRV_OPT, sizeof(WNBD_IOCTL_SET_DRV_OPT_COMMAND), 0},
        {IOCTL_WNBD_RESET_DRV_OPT, sizeof(WNBD_IOCTL_RESET_DRV_OPT_COMMAND), 0},
        {IOCTL_WNBD_LIST_DRV_OPT, sizeof(WNBD_IOCTL_LIST_DRV_OPT_COMMAND), FIELD_OFFSET(WNBD_OPTION_LIST, Options)},
        {IOCTL_WNBD_RELOAD_CONFIG, sizeof(WNBD_IOCTL_RELOAD_CONFIG_COMMAND), 0},
    };
    static UCHAR input[2048] __attribute__((aligned(8)));

    (void)state;
    start();
    for (size_t i = 0; i < ARRAYSIZE(commands); i++) {
        memset(input, 0, sizeof(input));
        memcpy(input, &commands[i].code, sizeof(ULONG));
        assert_int_equal(control(input, commands[i].input - 1, &listed, sizeof(listed), NULL),
                         STATUS_INVALID_PARAMETER);
        if (commands[i].output != 0) {
            assert_int_equal(control(input, commands[i].input, &listed, commands[i].output - 1, NULL),
                             STATUS_BUFFER_OVERFLOW);
        }
    }
    stop();
}

/* ---- What is stored ---- */

static void stored_values_outlive_the_driver(void **state)
{
    UCHAR data[BED_VALUE_LENGTH_MAX];
    ULONG type;
    ULONG length;
    INT64 number;

    (void)state;
    start();
    assert_int_equal(set_number("StaleReqTimeoutMs", 4321, true), STATUS_SUCCESS);
    assert_int_equal(set_boolean("RemoveStaleConnections", FALSE, true), STATUS_SUCCESS);
    assert_int_equal(set_number("StaleConnTimeoutMs", 99, false), STATUS_SUCCESS);
    fixture_stop_machine(BED_REMOVAL_ASKED);

    assert_true(bed_registry_get_value(BED_STATE_KEY, "StaleReqTimeoutMs", &type, data, &length));
    memcpy(&number, data, sizeof(number));
    assert_true(type == REG_QWORD && length == sizeof(number) && number == 4321);

    fixture_start_machine();
    expect_number("StaleReqTimeoutMs", 4321, false);
    expect_boolean("RemoveStaleConnections", FALSE, false);
    expect_number("StaleConnTimeoutMs", WNBD_DEFAULT_STALE_CONN_TIMEOUT_MS, false);
    stop();
}

/* An installation's value holds until another is stored; it is neither stored nor the built-in default. */
static void parameters_are_a_default_of_the_machine(void **state)
{
    (void)state;
    bed_registry_clear();
    bed_registry_set(BED_PARAMETERS_KEY, "StaleReqTimeoutMs", 1111);
    fixture_start_machine();
    expect_number("StaleReqTimeoutMs", 1111, false);
    expect_none_stored("StaleReqTimeoutMs");
    assert_int_equal(set_number("StaleReqTimeoutMs", 2222, true), STATUS_SUCCESS);
    fixture_stop_machine(BED_REMOVAL_ASKED);
    fixture_start_machine();
    expect_number("StaleReqTimeoutMs", 2222, false);
    assert_int_equal(reset("StaleReqTimeoutMs", true), STATUS_SUCCESS);
    expect_number("StaleReqTimeoutMs", WNBD_DEFAULT_STALE_REQ_TIMEOUT_MS, false);
    stop();
}

static void bad_stored_values_are_ignored(void **state)
{
    static const INT64 too_large = WNBD_ABS_MAX_IO_REQ_PER_LUN + 1;
    static const UCHAR bytes[20] = {1};
    static const WCHAR text[] = {'7', 0};

    (void)state;
    bed_registry_clear();
    bed_registry_set_value(BED_STATE_KEY, "MaxIOReqPerLun", REG_QWORD, &too_large, sizeof(too_large));
    bed_registry_set_value(BED_STATE_KEY, "LogLevel", REG_SZ, text, sizeof(text));
    bed_registry_set_value(BED_STATE_KEY, "StaleReqTimeoutMs", REG_QWORD, bytes, 4);
    bed_registry_set_value(BED_STATE_KEY, "StaleConnTimeoutMs", REG_QWORD, bytes, 20);
    bed_registry_set_value(BED_STATE_KEY, "ConnectTimeoutMs", REG_QWORD, bytes, 0);
    fixture_start_machine();
    for (unsigned i = 0; i < 2; i++) {
        expect_number("MaxIOReqPerLun", WNBD_DEFAULT_MAX_IO_REQ_PER_LUN, false);
        expect_number("LogLevel", 1, false);
        expect_number("StaleReqTimeoutMs", WNBD_DEFAULT_STALE_REQ_TIMEOUT_MS, false);
        expect_number("StaleConnTimeoutMs", WNBD_DEFAULT_STALE_CONN_TIMEOUT_MS, false);
        assert_int_equal(list(true)->Count, 0);
        assert_int_equal(reload(), STATUS_SUCCESS);
    }
    assert_int_equal(reset("LogLevel", true), STATUS_SUCCESS); /* what is ignored can be deleted */
    stop();
}

static void reload_leaves_what_is_not_stored(void **state)
{
    static const INT64 stored = 77;

    (void)state;
    start();
    assert_int_equal(set_number("StaleReqTimeoutMs", 5, false), STATUS_SUCCESS);
    assert_int_equal(set_number("StaleConnTimeoutMs", 6, false), STATUS_SUCCESS);
    bed_registry_set_value(BED_STATE_KEY, "StaleConnTimeoutMs", REG_QWORD, &stored, sizeof(stored));
    assert_int_equal(reload(), STATUS_SUCCESS);
    expect_number("StaleReqTimeoutMs", 5, false);
    expect_number("StaleConnTimeoutMs", stored, false);
    stop();
}

/* The registry fails at each call in turn: nothing has changed then, and the next try works. */
static void registry_fails(void **state)
{
    NTSTATUS status = STATUS_UNSUCCESSFUL;

    (void)state;
    start();
    for (unsigned k = 1; !NT_SUCCESS(status); k++) {
        bed_fault_arm(BED_FAULT_REGISTRY, k);
        status = set_number("StaleReqTimeoutMs", 5, true);
        bed_fault_arm(0, 0);
        if (!NT_SUCCESS(status)) {
            assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
            expect_number("StaleReqTimeoutMs", WNBD_DEFAULT_STALE_REQ_TIMEOUT_MS, false);
            expect_none_stored("StaleReqTimeoutMs");
        }
        assert_true(k < 10);
    }
    bed_fault_happened_once();
    bed_fault_arm(BED_FAULT_REGISTRY, 2);
    assert_int_equal(reset("StaleReqTimeoutMs", true), STATUS_INSUFFICIENT_RESOURCES);
    bed_fault_arm(0, 0);
    expect_number("StaleReqTimeoutMs", 5, false);
    expect_number("StaleReqTimeoutMs", 5, true);
    for (unsigned k = 1; k <= 3; k++) {
        WNBD_IOCTL_LIST_DRV_OPT_COMMAND command = {.IoControlCode = IOCTL_WNBD_LIST_DRV_OPT, .Persistent = TRUE};

        bed_fault_arm(BED_FAULT_REGISTRY, k);
        assert_int_equal(control(&command, sizeof(command), &listed, sizeof(listed), NULL),
                         STATUS_INSUFFICIENT_RESOURCES);
        bed_fault_arm(0, 0);
    }
    bed_fault_happened_once();
    stop();
}

/* ---- What options do ---- */

static void new_mappings_are_refused(void **state)
{
    struct bed_file *disk;

    (void)state;
    bed_registry_clear();
    fixture_start_usual();
    disk = fixture_map();
    assert_int_equal(set_boolean("NewMappingsAllowed", FALSE, false), STATUS_SUCCESS);
    assert_int_equal(wnbd_map_port(adapter, "vol2", server_port(server)), STATUS_SHUTDOWN_IN_PROGRESS);
    fixture_write_and_read_back(disk, 0, 4096); /* those that are there stay */
    assert_int_equal(reset("NewMappingsAllowed", false), STATUS_SUCCESS);
    fixture_unmap(disk);
    fixture_unmap(fixture_map());
    fixture_stop();
}

struct forbidding {
    WNBD_IOCTL_CREATE_OUTPUT output;
    struct bed_io creating;
    struct bed_io setting;
};

/* A server that says nothing keeps a creation under way, and mappings are forbidden meanwhile. */
static void begin_forbidding(struct forbidding *both)
{
    struct server_options options = {.size = FIXTURE_BYTES, .silent = true};
    WNBD_IOCTL_CREATE_COMMAND create;
    WNBD_IOCTL_SET_DRV_OPT_COMMAND command;

    bed_registry_clear();
    bed_registry_set(BED_PARAMETERS_KEY, "ConnectTimeoutMs", 3600000);
    fixture_start(&options);
    wnbd_describe(&create, "vol1", server_port(server));
    wnbd_map_begin(&both->creating, adapter, &create, &both->output);
    set_command(&command, "NewMappingsAllowed", false);
    command.Value.Type = WnbdOptBool;
    bed_control_begin(&both->setting, adapter, IOCTL_MINIPORT_PROCESS_SERVICE_IRP, &command, sizeof(command), NULL, 0);
}

/* Setting false comes back when the creation is over. */
static void forbidding_waits_for_creations(void **state)
{
    struct forbidding both;

    (void)state;
    begin_forbidding(&both);
    assert_int_equal(bed_io_wait(&both.setting, 500, NULL), STATUS_TIMEOUT);
    assert_int_equal(wnbd_map_port(adapter, "vol2", server_port(server)), STATUS_SHUTDOWN_IN_PROGRESS);
    assert_int_equal(bed_io_wait(&both.setting, 100, NULL), STATUS_TIMEOUT); /* a refusal is not the end of the other */
    assert_int_equal(set_number("LogLevel", 1, false), STATUS_SUCCESS);      /* does not wait, nor does */
    assert_int_equal(set_boolean("NewMappingsAllowed", TRUE, false), STATUS_SUCCESS);
    assert_int_equal(wnbd_unmap(adapter, "vol1"), STATUS_SUCCESS);
    assert_int_equal(bed_io_wait(&both.setting, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(bed_io_wait(&both.creating, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(both.output.Status, STATUS_CANCELLED);
    fixture_stop();
}

/* Who waits so when the adapter goes is let go with it. */
static void forbidding_ends_with_the_adapter(void **state)
{
    struct forbidding both;

    (void)state;
    begin_forbidding(&both);
    fixture_control_adapter(BED_CONTROL_DISABLE);
    assert_int_equal(bed_io_wait(&both.setting, MAXULONG, NULL), STATUS_SUCCESS);
    assert_int_equal(bed_io_wait(&both.creating, MAXULONG, NULL), STATUS_SUCCESS);
    bed_close(adapter);
    fixture_control_adapter(BED_CONTROL_ENABLE);
    adapter = wnbd_open();
    assert_non_null(adapter);
    expect_boolean("NewMappingsAllowed", TRUE, false); /* it was not stored */
    fixture_stop();
}

/* What Windows is told of the disk, StorageDeviceIoCapabilityProperty. */
static void expect_limits(struct bed_file *disk, ULONG lun, ULONG whole)
{
    const ULONG query[3] = {48, 0};
    ULONG answer[4] = {0};

    assert_int_equal(
        bed_control(disk, IOCTL_STORAGE_QUERY_PROPERTY, query, sizeof(query), answer, sizeof(answer), NULL),
        STATUS_SUCCESS);
    assert_int_equal(answer[2], lun);
    assert_int_equal(answer[3], whole);
}

/* The third published case, and a disk that holds as many requests as are asked for. */
static void queue_limits_at_the_next_start(void **state)
{
    enum { COUNT = 600, LENGTH = 512 };
    static UCHAR data[COUNT * LENGTH];
    static struct bed_io io[COUNT];
    struct bed_file *disk;

    (void)state;
    bed_registry_clear();
    fixture_start_usual();
    assert_int_equal(set_number("MaxIOReqPerAdapter", 8192, true), STATUS_SUCCESS);
    assert_int_equal(set_number("MaxIOReqPerLun", 512, true), STATUS_SUCCESS);
    disk = fixture_map();
    expect_limits(disk, WNBD_DEFAULT_MAX_IO_REQ_PER_LUN, WNBD_DEFAULT_MAX_IO_REQ_PER_ADAPTER);
    fixture_unmap(disk);
    fixture_stop_machine(BED_REMOVAL_ASKED);

    fixture_start_machine();
    disk = fixture_map();
    expect_limits(disk, 512, 8192);
    for (ULONG i = 0; i < COUNT; i++) {
        bed_transfer_begin(&io[i], disk, true, i * LENGTH, data + i * LENGTH, LENGTH);
    }
    for (ULONG i = 0; i < COUNT; i++) {
        assert_int_equal(bed_io_wait(&io[i], MAXULONG, NULL), STATUS_SUCCESS);
    }
    fixture_unmap(disk);
    assert_int_equal(reset("MaxIOReqPerAdapter", true), STATUS_SUCCESS);
    assert_int_equal(reset("MaxIOReqPerLun", true), STATUS_SUCCESS);
    fixture_stop_machine(BED_REMOVAL_ASKED);

    fixture_start_machine();
    disk = fixture_map();
    expect_limits(disk, WNBD_DEFAULT_MAX_IO_REQ_PER_LUN, WNBD_DEFAULT_MAX_IO_REQ_PER_ADAPTER);
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

/* A disk has no more than all of them, whatever was asked for. */
static void small_adapter(void **state)
{
    struct bed_file *disk;

    (void)state;
    bed_registry_clear();
    bed_registry_set(BED_PARAMETERS_KEY, "MaxIOReqPerAdapter", 3);
    fixture_start_usual();
    disk = fixture_map();
    expect_limits(disk, 3, 3);
    fixture_write_and_read_back(disk, 0, 256 << 10);
    fixture_unmap(disk);
    fixture_stop();
    bed_registry_clear();
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(current_and_stored),
        cmocka_unit_test(reset_of_nothing_stored),
        cmocka_unit_test(names_without_regard_to_case),
        cmocka_unit_test(name_without_nul),
        cmocka_unit_test(texts_are_converted),
        cmocka_unit_test(types_that_do_not_match),
        cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(lists),
        cmocka_unit_test(lists_of_each_length),
        cmocka_unit_test(lengths_are_checked),
        cmocka_unit_test(stored_values_outlive_the_driver),
        cmocka_unit_test(parameters_are_a_default_of_the_machine),
        cmocka_unit_test(bad_stored_values_are_ignored),
        cmocka_unit_test(reload_leaves_what_is_not_stored),
        cmocka_unit_test(registry_fails),
        cmocka_unit_test(new_mappings_are_refused),
        cmocka_unit_test(forbidding_waits_for_creations),
        cmocka_unit_test(forbidding_ends_with_the_adapter),
        cmocka_unit_test(queue_limits_at_the_next_start),
        cmocka_unit_test(small_adapter),
    };

    if (!fixture_init(count, arguments)) {
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
