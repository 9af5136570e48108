/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/wine/test/check.h"

#include <stdarg.h>
#include <stdio.h>

#define TAG 'tseT'

static void rundown_counts(void)
{
    EX_RUNDOWN_REF rundown;

    ExInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtection(&rundown));
    ExReleaseRundownProtection(&rundown);
    ExWaitForRundownProtectionRelease(&rundown);
    CHECK(!ExAcquireRundownProtection(&rundown));
    ExReInitializeRundownProtection(&rundown);
    CHECK(ExAcquireRundownProtection(&rundown));
    ExReleaseRundownProtection(&rundown);
}

static void pool_is_page_aligned_and_dirty(void)
{
    UCHAR *small = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
    UCHAR *large = ExAllocatePoolWithTag(NonPagedPoolNx, 5000, TAG);

    CHECK(small != NULL && large != NULL);
    CHECK(((ULONG_PTR)small & 15) == 0 && ((ULONG_PTR)large & 4095) == 0);
    CHECK(small[0] != 0 && large[4999] != 0);
    ExFreePoolWithTag(small, TAG);
    ExFreePoolWithTag(large, TAG);
}

static void partial_mdl_follows_its_source(void)
{
    UCHAR *data = ExAllocatePoolWithTag(NonPagedPoolNx, 3 * 4096, TAG);
    PMDL source = IoAllocateMdl(data, 3 * 4096, FALSE, FALSE, NULL);
    PMDL target = IoAllocateMdl(data, 3 * 4096, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(source);
    CHECK(MmGetSystemAddressForMdlSafe(source, NormalPagePriority) == data);
    IoBuildPartialMdl(source, target, data + 5000, 3000);
    CHECK(MmGetMdlByteCount(target) == 3000 && MmGetMdlVirtualAddress(target) == data + 5000);
    CHECK(MmGetSystemAddressForMdlSafe(target, NormalPagePriority) == data + 5000);
    MmPrepareMdlForReuse(target);
    IoBuildPartialMdl(source, target, data + 1, 0);
    CHECK(MmGetMdlByteCount(target) == 3 * 4096 - 1);
    IoFreeMdl(target);
    IoFreeMdl(source);
    ExFreePoolWithTag(data, TAG);
}

struct dpc_seen {
    KEVENT event;
    volatile LONG count;
    PVOID argument;
};

static VOID NTAPI dpc_routine(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct dpc_seen *seen = context;

    (void)dpc;
    (void)argument2;
    seen->argument = argument1;
    InterlockedIncrement(&seen->count);
    KeSetEvent(&seen->event, 0, FALSE);
}

static void queued_dpc_runs_once(void)
{
    struct dpc_seen seen = {.count = 0};
    LARGE_INTEGER second = {.QuadPart = -10000000};
    KDPC dpc;

    KeInitializeEvent(&seen.event, SynchronizationEvent, FALSE);
    KeInitializeDpc(&dpc, dpc_routine, &seen);
    CHECK(KeInsertQueueDpc(&dpc, &seen, NULL));
    CHECK(KeWaitForSingleObject(&seen.event, Executive, KernelMode, FALSE, &second) == STATUS_SUCCESS);
    CHECK(seen.count == 1 && seen.argument == &seen);
    KeFlushQueuedDpcs();
}

static void timer_dpc_runs(void)
{
    struct dpc_seen seen = {.count = 0};
    LARGE_INTEGER second = {.QuadPart = -10000000};
    LARGE_INTEGER soon = {.QuadPart = -100000};
    KTIMER timer;
    KDPC dpc;

    KeInitializeEvent(&seen.event, SynchronizationEvent, FALSE);
    KeInitializeDpc(&dpc, dpc_routine, &seen);
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, soon, &dpc);
    CHECK(KeWaitForSingleObject(&seen.event, Executive, KernelMode, FALSE, &second) == STATUS_SUCCESS);
}

static int format(char *text, size_t size, const char *pattern, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, pattern);
    length = _vsnprintf(text, size, pattern, arguments);
    va_end(arguments);
    return length;
}

static void unicode_string_is_formatted(void)
{
    UNICODE_STRING name = STRING(L"disk");
    char text[64] = {0};

    format(text, sizeof(text), "%wZ %u %s %*d|%5.1llu%%", &name, 7, "x", 4, -1, 9ULL);
    CHECK(strcmp(text, "disk 7 x   -1|    9%") == 0);
    DbgPrint("wsktest: formatted as '%s', a name as '%wZ'\n", text, &name);
}

static void absent_routine_is_not_found(void)
{
    UNICODE_STRING stub = STRING(L"IoGetDmaAdapter");
    UNICODE_STRING missing = STRING(L"ExAllocatePool2");
    UNICODE_STRING shim = STRING(L"KeQueryInterruptTimePrecise");

    CHECK(MmGetSystemRoutineAddress(&stub) == NULL);
    CHECK(MmGetSystemRoutineAddress(&missing) == NULL);
    CHECK(MmGetSystemRoutineAddress(&shim) != NULL);
}

void test_shims(void)
{
    rundown_counts();
    pool_is_page_aligned_and_dirty();
    partial_mdl_follows_its_source();
    queued_dpc_runs_once();
    timer_dpc_runs();
    unicode_string_is_formatted();
    absent_routine_is_not_found();
    CHECK(IoGetRemainingStackSize() > 1000);
}
