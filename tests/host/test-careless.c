/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever breaks a rule of the kernel is found out: by the bed, which names the rule, or by a sanitizer. */
#include "tests/host/careless.h"
#include "tests/host/child.h"

#include "bed/host/machine.h"
#include "bed/host/print.h"
#include "bed/host/registry.h"
#include "bed/port/violation.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OUTPUT_BYTES (1 << 20)

#ifdef BED_TSAN
#define UNDER_TSAN 1
#else
#define UNDER_TSAN 0
#endif

static const char *program;
static const char *image;
static char output[OUTPUT_BYTES];

static const struct {
    enum careless careless;
    const char *found; /* in what is printed */
} cases[] = {
    {CARELESS_WAITS_AT_DISPATCH, "irql: KeWaitForSingleObject was called at IRQL 2"},
    {CARELESS_WAITS_WITH_LOCK, "lock: KeWaitForSingleObject was called with a spin lock held"},
    {CARELESS_PAGED_POOL_AT_DISPATCH, "irql: allocating paged pool was called at IRQL 2"},
    {CARELESS_ADDRESS_INFO_AT_DISPATCH, "irql: WskGetAddressInfo was called at IRQL 2"},
    {CARELESS_ADDRESS_CONTROL_AT_DISPATCH, "irql: SIO_ADDRESS_LIST_SORT was called at IRQL 2"},
    {CARELESS_REGISTRY_AT_DISPATCH, "irql: ZwOpenKey was called at IRQL 2"},
    {CARELESS_LOCK_TWICE, "is taken again by the thread that holds it"},
    {CARELESS_LOCK_NOT_HELD, "is released by a thread that does not hold it"},
    {CARELESS_LOCK_ORDER, "lock-order: the lock of misuse_locks"},
    {CARELESS_LEAVES_DISPATCH_LEVEL, "irql: DriverEntry was left at IRQL 2"},
    {CARELESS_LEAKS_POOL, "pool-leak: 100 bytes of tag 0x6c726143, made at misuse_pool"},
    {CARELESS_LEAKS_MDL, "mdl-leak: an MDL made at misuse_mdl"},
    {CARELESS_LEAKS_IRP, "irp-leak: an IRP made at make_irp"},
    {CARELESS_LEAKS_THREAD, "object-leak: a thread with 1 references, made at misuse_threads"},
    {CARELESS_LEAKS_HANDLE, "handle-leak: a handle to a thread was not closed"},
    {CARELESS_LEAKS_SOCKET, "WskDeregister would wait for ever: 0 captures, 1 sockets"},
    {CARELESS_FREES_WITH_WRONG_TAG, "pool: a block of tag 0x6c726143 is freed with tag 0x6c726144"},
    {CARELESS_COMPLETES_IRP_TWICE, "completed twice?"},
    {CARELESS_FREES_IRP_THAT_IS_OUT, "is freed while a driver has it"},
    {CARELESS_RUNDOWN_TWICE, "is run down a second time"},
    {CARELESS_RUNDOWN_RELEASED_TOO_OFTEN, "is released more often than acquired"},
    {CARELESS_EVENT_NOT_INITIALISED, "which is not initialised"},
    {CARELESS_BUILDS_MDL_OF_STACK, "which is not nonpaged pool"},
    {CARELESS_CLOSES_SOCKET_IN_USE, "which is closed"},
    {CARELESS_LEAKS_TRACE, "etw-leak: a registration was left"},
    {CARELESS_TRACES_LATE, "etw: EtwWrite of event 7 outside of EtwRegister and EtwUnregister"},
    {CARELESS_TRACES_WITHOUT_NUL, "event: text 0 of event 7 does not end with NUL"},
    {CARELESS_REGISTERS_AT_DISPATCH, "irql: EtwRegister was called at IRQL 2"},
    {CARELESS_LOGS_TOO_MUCH, "event-log: an entry of 242 bytes"},
    {CARELESS_LOGS_WITHOUT_NUL, "event-log: string 0 of an entry goes beyond its 50 bytes"},
    {CARELESS_LEAKS_ENTRY, "event-log: 1 entries were allocated and not written"},
};

#define RACE_TRIES 30

/* What a sanitizer finds. */
static const struct {
    enum careless careless;
    const char *address; /* AddressSanitizer */
    const char *thread;  /* ThreadSanitizer */
} sanitized[] = {
    {CARELESS_FREES_TWICE, "heap-use-after-free", "is no block of pool"},
    {CARELESS_USES_FREED_POOL, "heap-use-after-free", NULL},
    {CARELESS_OVERRUNS_POOL, "heap-buffer-overflow", NULL},
    {CARELESS_DEREFERENCES_TOO_OFTEN, "heap-use-after-free", NULL},
    {CARELESS_RACES, NULL, "data race"},
};

static int run(unsigned number, const char *found, bool *seen)
{
    int code = child_run(program, image, number, output, sizeof(output));

    *seen = code != 0 && strstr(output, found) != NULL;
    return code;
}

/* A race is none when one thread happens to be over, locks and all, before the other gets there. */
static void assert_found(unsigned number, const char *found)
{
    bool seen = false;
    int code = 0;

    for (int i = 0; i < (number == CARELESS_RACES ? RACE_TRIES : 1) && !seen; i++) {
        code = run(number, found, &seen);
    }
    if (!seen) {
        fail_msg("case %u ended with %d and not with '%s':\n%s", number, code, found, output);
    }
}

static void bed_names_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_found(cases[i].careless, cases[i].found);
    }
}

static void sanitizer_finds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(sanitized); i++) {
        const char *found = UNDER_TSAN ? sanitized[i].thread : sanitized[i].address;

        if (found != NULL) {
            assert_found(sanitized[i].careless, found);
        }
    }
}

/* Nothing is found where nothing is wrong. */
static void careful(void **state)
{
    (void)state;
    assert_int_equal(child_run(program, image, CARELESS_NOT, output, sizeof(output)), 0);
    assert_int_equal(child_run(program, image, CARELESS_RACES_NOT, output, sizeof(output)), 0);
}

static int play(unsigned number)
{
    bed_registry_set(BED_PARAMETERS_KEY, "Careless", number);
    bed_machine_start(image); /* which it refuses, after what it did */
    return port_violation_count() == 0 ? 0 : 3;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bed_names_the_rule),
        cmocka_unit_test(sanitizer_finds),
        cmocka_unit_test(careful),
    };

    if (count < 2) {
        return 2;
    }
    program = arguments[0];
    image = arguments[1];
    bed_print_options(true, false);
    return count == 3 ? play((unsigned)strtoul(arguments[2], NULL, 10)) : cmocka_run_group_tests(tests, NULL, NULL);
}
