/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bed's performance counters: a provider that is right is asked, one that is wrong is named. */
#include "bed/host/print.h"
#include "bed/pcw/pcw.h"
#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 4

struct data {
    ULONG64 large;
    ULONG small;
};

enum wrong {
    WRONG_NOT,
    WRONG_DATA_TOO_SHORT,
    WRONG_SAME_ID,
    WRONG_SAME_NAME,
    WRONG_NO_NAME,
    WRONG_RESERVED_ID,
    WRONG_STAYS_AT_DISPATCH,
};

static const PCW_COUNTER_DESCRIPTOR descriptors[] = {
    {1, 0, FIELD_OFFSET(struct data, large), sizeof(ULONG64)},
    {2, 0, FIELD_OFFSET(struct data, small), sizeof(ULONG)},
};

static int queries; /* that have been told and not taken back */
static PCW_CALLBACK_TYPE asked;
static KIRQL asked_at;

static NTSTATUS add(PPCW_BUFFER buffer, const WCHAR *text, ULONG id, ULONG size)
{
    struct data data = {.large = 1ULL << 40 | id, .small = id + 7};
    PCW_DATA block = {.Data = &data, .Size = size};
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, text);
    return PcwAddInstance(buffer, &name, id, 1, &block);
}

static NTSTATUS provider(PCW_CALLBACK_TYPE type, PPCW_CALLBACK_INFORMATION information, PVOID context)
{
    enum wrong wrong = (enum wrong)(ULONG_PTR)context;
    PPCW_BUFFER buffer;

    if (type == PcwCallbackAddCounter || type == PcwCallbackRemoveCounter) {
        queries += type == PcwCallbackAddCounter ? 1 : -1;
        return STATUS_SUCCESS;
    }
    assert_int_equal(queries, 1);
    buffer = information->CollectData.Buffer;
    asked = type;
    asked_at = KeGetCurrentIrql();
    add(buffer, wrong == WRONG_NO_NAME ? L"" : L"one", wrong == WRONG_RESERVED_ID ? MAXULONG : 3, sizeof(struct data));
    add(buffer, wrong == WRONG_SAME_NAME ? L"one" : L"two", wrong == WRONG_SAME_ID ? 3 : 4,
        wrong == WRONG_DATA_TOO_SHORT ? sizeof(ULONG64) : sizeof(struct data));
    if (wrong == WRONG_STAYS_AT_DISPATCH) {
        KeRaiseIrqlToDpcLevel();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS enrol(PPCW_REGISTRATION *registration, PCW_COUNTER_DESCRIPTOR *counters, ULONG version,
                      enum wrong wrong)
{
    PCW_REGISTRATION_INFORMATION information = {.Version = version,
                                                .CounterCount = ARRAYSIZE(descriptors),
                                                .Counters = counters,
                                                .Callback = provider,
                                                .CallbackContext = (PVOID)(ULONG_PTR)wrong};
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, L"A Set");
    information.Name = &name;
    return PcwRegister(registration, &information);
}

static struct bed_instance instances[ROOM];

static ULONG collect(const WCHAR *set, bool with_values)
{
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, set);
    return bed_pcw_collect(&name, with_values, instances, ROOM);
}

static void provider_is_asked_for_its_instances(void **state)
{
    PCW_COUNTER_DESCRIPTOR counters[ARRAYSIZE(descriptors)];
    PPCW_REGISTRATION registration;
    ULONG before = port_violation_count();

    (void)state;
    memcpy(counters, descriptors, sizeof(counters));
    assert_int_equal(enrol(&registration, counters, PCW_VERSION_1, WRONG_NOT), STATUS_SUCCESS);
    memset(counters, 0xff, sizeof(counters)); /* the provider's own again */
    assert_int_equal(collect(L"a set", true), 2);
    assert_int_equal(asked, PcwCallbackCollectData);
    assert_int_equal(asked_at, APC_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(instances[1].id, 4);
    assert_int_equal(instances[1].value_count, 2);
    assert_int_equal(instances[1].values[0].value, 1ULL << 40 | 4);
    assert_int_equal(instances[1].values[1].value, 11);
    assert_int_equal(instances[1].values[1].size, 4);
    assert_int_equal(collect(L"A Set", false), 2);
    assert_int_equal(asked, PcwCallbackEnumerateInstances);
    assert_int_equal(instances[0].value_count, 0);
    assert_int_equal(collect(L"Another Set", true), 0);
    assert_int_equal(queries, 0);
    assert_int_equal(bed_pcw_count(), 1);
    PcwUnregister(registration);
    assert_int_equal(bed_pcw_count(), 0);
    assert_int_equal(collect(L"A Set", true), 0);
    assert_int_equal(port_violation_count(), before);
}

static void version_that_is_newer_than_the_windows_is_refused(void **state)
{
    PCW_COUNTER_DESCRIPTOR counters[ARRAYSIZE(descriptors)];
    PPCW_REGISTRATION registration;

    (void)state;
    memcpy(counters, descriptors, sizeof(counters));
    assert_int_equal(enrol(&registration, counters, 0x200, WRONG_NOT), STATUS_INVALID_PARAMETER_2);
    assert_int_equal(bed_pcw_count(), 0);
}

/* Whether that is what the bed has said last. */
static bool said(ULONG before, const char *words)
{
    char text[PORT_VIOLATION_TEXT_LENGTH];

    return port_violation_count() == before + 1 && port_violation_text(before, text) && strstr(text, words) != NULL;
}

static void counters_that_cannot_be_are_refused(void **state)
{
    PCW_COUNTER_DESCRIPTOR counters[ARRAYSIZE(descriptors)];
    PPCW_REGISTRATION registration;
    ULONG before = port_violation_count();

    (void)state;
    memcpy(counters, descriptors, sizeof(counters));
    counters[1].Id = 1;
    assert_int_equal(enrol(&registration, counters, PCW_VERSION_1, WRONG_NOT), STATUS_INVALID_PARAMETER_2);
    assert_true(said(before++, "a counter with the id 1 "));
    counters[1].Id = 2;
    counters[1].Size = 3;
    assert_int_equal(enrol(&registration, counters, PCW_VERSION_1, WRONG_NOT), STATUS_INVALID_PARAMETER_2);
    assert_true(said(before, "and 3 bytes"));
}

static void wrong_providers_are_named(void **state)
{
    static const struct {
        enum wrong wrong;
        ULONG instances;
        const char *words;
    } cases[] = {
        {WRONG_DATA_TOO_SHORT, 1, "counter 2 is outside of the instance's data"},
        {WRONG_SAME_ID, 2, "the instance 3 is there already"},
        {WRONG_SAME_NAME, 2, "the instance 4 is there already"},
        {WRONG_NO_NAME, 2, "a name of 0 bytes"},
        {WRONG_RESERVED_ID, 2, "the id 0xffffffff"},
        {WRONG_STAYS_AT_DISPATCH, 2, "a callback was left at IRQL 2"},
    };
    PCW_COUNTER_DESCRIPTOR counters[ARRAYSIZE(descriptors)];
    PPCW_REGISTRATION registration;

    (void)state;
    memcpy(counters, descriptors, sizeof(counters));
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        ULONG before = port_violation_count();

        assert_int_equal(enrol(&registration, counters, PCW_VERSION_1, cases[i].wrong), STATUS_SUCCESS);
        assert_int_equal(collect(L"A Set", true), cases[i].instances);
        assert_true(said(before, cases[i].words));
        PcwUnregister(registration);
    }
}

static void calls_at_dispatch_level_are_named(void **state)
{
    PCW_COUNTER_DESCRIPTOR counters[ARRAYSIZE(descriptors)];
    PPCW_REGISTRATION registration;
    ULONG before = port_violation_count();
    KIRQL irql;

    (void)state;
    memcpy(counters, descriptors, sizeof(counters));
    irql = KeRaiseIrqlToDpcLevel();
    assert_int_equal(enrol(&registration, counters, PCW_VERSION_1, WRONG_NOT), STATUS_SUCCESS);
    KeLowerIrql(irql);
    assert_true(said(before, "PcwRegister was called at IRQL 2"));
    PcwUnregister(registration);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(provider_is_asked_for_its_instances),
        cmocka_unit_test(version_that_is_newer_than_the_windows_is_refused),
        cmocka_unit_test(counters_that_cannot_be_are_refused),
        cmocka_unit_test(wrong_providers_are_named),
        cmocka_unit_test(calls_at_dispatch_level_are_named),
    };

    bed_print_options(true, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
