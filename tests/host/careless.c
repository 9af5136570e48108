/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A driver that breaks one rule of the kernel, in its DriverEntry, and then asks to be unloaded. What concerns SRBs is
 * tests/bed/wrong.c.
 */
#include "tests/host/careless.h"

#include "driver/ddk.h"

#define TAG 0x6c726143

#define SIO_ADDRESS_LIST_SORT 0xC8000019

static void wait_a_little(void)
{
    LARGE_INTEGER limit = {.QuadPart = -10000};
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &limit);
}

static NTSTATUS NTAPI stop_here(DEVICE_OBJECT *device, IRP *irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* ---- locks ---- */

static void take_both(KSPIN_LOCK *outer, KSPIN_LOCK *inner)
{
    KIRQL irql;

    KeAcquireSpinLock(outer, &irql);
    KeAcquireSpinLockAtDpcLevel(inner);
    KeReleaseSpinLockFromDpcLevel(inner);
    KeReleaseSpinLock(outer, irql);
}

static void misuse_locks(enum careless careless)
{
    KSPIN_LOCK first;
    KSPIN_LOCK second;
    KIRQL irql;

    KeInitializeSpinLock(&first);
    KeInitializeSpinLock(&second);
    switch (careless) {
    case CARELESS_LOCK_TWICE:
        take_both(&first, &first);
        break;
    case CARELESS_LOCK_NOT_HELD:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        KeReleaseSpinLockFromDpcLevel(&first);
        break;
    case CARELESS_WAITS_WITH_LOCK:
        KeAcquireSpinLock(&first, &irql);
        wait_a_little();
        KeReleaseSpinLock(&first, irql);
        break;
    default:
        take_both(&first, &second);
        take_both(&second, &first);
        break;
    }
}

/* ---- sockets ---- */

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static WSK_CLIENT_NPI client = {NULL, &client_dispatch};
static WSK_REGISTRATION registration;
static WSK_PROVIDER_NPI provider;

static IRP *make_irp(KEVENT *event)
{
    IRP *irp = IoAllocateIrp(1, FALSE);

    KeInitializeEvent(event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, stop_here, event, TRUE, TRUE, TRUE);
    return irp;
}

static PVOID finish(IRP *irp, KEVENT *event)
{
    PVOID information;

    KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
    information = (PVOID)irp->IoStatus.Information;
    IoFreeIrp(irp);
    return information;
}

static void close_socket(WSK_SOCKET *socket)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *calls = socket->Dispatch;
    KEVENT event;
    IRP *irp = make_irp(&event);

    calls->WskCloseSocket(socket, irp);
    finish(irp, &event);
}

static void ask_for_addresses(KIRQL level)
{
    UNICODE_STRING node;
    ADDRINFOEXW *list = NULL;
    KEVENT event;
    IRP *irp = make_irp(&event);
    KIRQL irql;

    RtlInitUnicodeString(&node, L"127.0.0.1");
    KeRaiseIrql(level, &irql);
    provider.Dispatch->WskGetAddressInfo(provider.Client, &node, NULL, NS_ALL, NULL, NULL, &list, NULL, NULL, irp);
    KeLowerIrql(irql);
    finish(irp, &event);
    if (list != NULL) {
        provider.Dispatch->WskFreeAddressInfo(provider.Client, list);
    }
}

static void sort_addresses(WSK_SOCKET *socket)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *calls = socket->Dispatch;
    UCHAR list[64] = {0};
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    calls->WskControlSocket(socket, WskIoctl, SIO_ADDRESS_LIST_SORT, 0, sizeof(list), list, sizeof(list), list, NULL,
                            NULL);
    KeLowerIrql(irql);
}

static void misuse_sockets(enum careless careless)
{
    KEVENT event;
    IRP *irp = make_irp(&event);
    WSK_SOCKET *socket;

    WskRegister(&client, &registration);
    WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider);
    provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL,
                                 NULL, NULL, NULL, NULL, irp);
    socket = finish(irp, &event);
    if (careless == CARELESS_ADDRESS_INFO_AT_DISPATCH) {
        ask_for_addresses(DISPATCH_LEVEL);
    } else if (careless == CARELESS_ADDRESS_CONTROL_AT_DISPATCH) {
        sort_addresses(socket);
    }
    if (careless != CARELESS_LEAKS_SOCKET) {
        close_socket(socket);
    }
    if (careless == CARELESS_CLOSES_SOCKET_IN_USE) {
        sort_addresses(socket);
    }
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

/* ---- pool, MDLs, IRPs ---- */

static void misuse_pool(enum careless careless)
{
    volatile UCHAR *block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
    KIRQL irql;

    switch (careless) {
    case CARELESS_LEAKS_POOL:
        return;
    case CARELESS_OVERRUNS_POOL:
        block[100] = 1;
        break;
    case CARELESS_FREES_WITH_WRONG_TAG:
        ExFreePoolWithTag((PVOID)(ULONG_PTR)block, TAG + 1);
        return;
    case CARELESS_PAGED_POOL_AT_DISPATCH:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        ExFreePoolWithTag(ExAllocatePoolWithTag(PagedPool, 10, TAG), TAG);
        KeLowerIrql(irql);
        break;
    default:
        break;
    }
    ExFreePoolWithTag((PVOID)(ULONG_PTR)block, TAG);
    if (careless == CARELESS_FREES_TWICE) {
        ExFreePoolWithTag((PVOID)(ULONG_PTR)block, TAG);
    } else if (careless == CARELESS_USES_FREED_POOL) {
        block[1] = 1;
    }
}

static void misuse_mdl(enum careless careless)
{
    UCHAR here[64];
    PMDL mdl = IoAllocateMdl(here, sizeof(here), FALSE, FALSE, NULL);

    if (careless == CARELESS_BUILDS_MDL_OF_STACK) {
        MmBuildMdlForNonPagedPool(mdl);
        IoFreeMdl(mdl);
    }
}

static void misuse_irp(enum careless careless)
{
    KEVENT event;
    IRP *irp = make_irp(&event);

    if (careless == CARELESS_LEAKS_IRP) {
        return;
    }
    IoSetNextIrpStackLocation(irp);
    if (careless == CARELESS_COMPLETES_IRP_TWICE) {
        IoCompleteRequest(irp, IO_NO_INCREMENT);
        IoCompleteRequest(irp, IO_NO_INCREMENT);
    }
    IoFreeIrp(irp);
}

/* ---- threads ---- */

static ULONG shared;
static KEVENT ready;

static VOID NTAPI count_up(PVOID wait)
{
    if (wait != NULL) {
        KeWaitForSingleObject(&ready, Executive, KernelMode, FALSE, NULL);
    }
    shared++;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void misuse_threads(enum careless careless)
{
    LARGE_INTEGER pause = {.QuadPart = -100 * 10000};
    HANDLE handle;
    PVOID thread;

    KeInitializeEvent(&ready, NotificationEvent, FALSE);
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, count_up,
                         careless == CARELESS_RACES_NOT ? &ready : NULL);
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &thread, NULL);
    shared++;
    KeSetEvent(&ready, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
    if (careless != CARELESS_LEAKS_HANDLE) {
        ZwClose(handle);
    }
    if (careless != CARELESS_LEAKS_THREAD) {
        ObDereferenceObject(thread);
    }
    if (careless == CARELESS_DEREFERENCES_TOO_OFTEN) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause); /* the thread lets go of itself */
        ObDereferenceObject(thread);
    }
}

/* ---- the rest ---- */

static void misuse_rundown(enum careless careless)
{
    EX_RUNDOWN_REF rundown;

    ExInitializeRundownProtection(&rundown);
    if (careless == CARELESS_RUNDOWN_RELEASED_TOO_OFTEN) {
        ExReleaseRundownProtection(&rundown);
        return;
    }
    ExWaitForRundownProtectionRelease(&rundown);
    ExWaitForRundownProtectionRelease(&rundown);
}

static void open_key_at_dispatch(void)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE key;
    KIRQL irql;

    RtlInitUnicodeString(&name, L"\\Registry\\Machine\\Nothing");
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ZwOpenKey(&key, KEY_READ, &attributes);
    KeLowerIrql(irql);
}

static void misuse(enum careless careless, PDRIVER_OBJECT driver)
{
    UCHAR nothing[sizeof(KEVENT)] __attribute__((aligned(8)));
    KIRQL irql;

    switch (careless) {
    case CARELESS_NOT:
        break;
    case CARELESS_WAITS_AT_DISPATCH:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        wait_a_little();
        KeLowerIrql(irql);
        break;
    case CARELESS_REGISTRY_AT_DISPATCH:
        open_key_at_dispatch();
        break;
    case CARELESS_LOCK_TWICE:
    case CARELESS_LOCK_NOT_HELD:
    case CARELESS_LOCK_ORDER:
    case CARELESS_WAITS_WITH_LOCK:
        misuse_locks(careless);
        break;
    case CARELESS_LEAVES_DISPATCH_LEVEL:
        KeRaiseIrql(DISPATCH_LEVEL, &irql);
        break;
    case CARELESS_PAGED_POOL_AT_DISPATCH:
    case CARELESS_LEAKS_POOL:
    case CARELESS_FREES_WITH_WRONG_TAG:
    case CARELESS_FREES_TWICE:
    case CARELESS_USES_FREED_POOL:
    case CARELESS_OVERRUNS_POOL:
        misuse_pool(careless);
        break;
    case CARELESS_LEAKS_MDL:
    case CARELESS_BUILDS_MDL_OF_STACK:
        misuse_mdl(careless);
        break;
    case CARELESS_LEAKS_IRP:
    case CARELESS_COMPLETES_IRP_TWICE:
    case CARELESS_FREES_IRP_THAT_IS_OUT:
        misuse_irp(careless);
        break;
    case CARELESS_LEAKS_THREAD:
    case CARELESS_LEAKS_HANDLE:
    case CARELESS_DEREFERENCES_TOO_OFTEN:
    case CARELESS_RACES:
    case CARELESS_RACES_NOT:
        misuse_threads(careless);
        break;
    case CARELESS_ADDRESS_INFO_AT_DISPATCH:
    case CARELESS_ADDRESS_CONTROL_AT_DISPATCH:
    case CARELESS_LEAKS_SOCKET:
    case CARELESS_CLOSES_SOCKET_IN_USE:
        misuse_sockets(careless);
        break;
    case CARELESS_RUNDOWN_TWICE:
    case CARELESS_RUNDOWN_RELEASED_TOO_OFTEN:
        misuse_rundown(careless);
        break;
    case CARELESS_LEAKS_TRACE:
    case CARELESS_TRACES_LATE:
    case CARELESS_TRACES_WITHOUT_NUL:
    case CARELESS_REGISTERS_AT_DISPATCH:
    case CARELESS_LOGS_TOO_MUCH:
    case CARELESS_LOGS_WITHOUT_NUL:
    case CARELESS_LEAKS_ENTRY:
        misuse_events(careless, driver);
        break;
    case CARELESS_EVENT_NOT_INITIALISED:
        RtlFillMemory(nothing, sizeof(nothing), 0x55);
        KeSetEvent((PKEVENT)nothing, IO_NO_INCREMENT, FALSE);
        break;
    }
}

static ULONG parameter(const UNICODE_STRING *service)
{
    WCHAR buffer[200];
    UNICODE_STRING path = {0, sizeof(buffer), buffer};
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    UCHAR value[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)] __attribute__((aligned(8)));
    ULONG length;
    ULONG number = 0;
    HANDLE key;

    RtlAppendUnicodeStringToString(&path, service);
    RtlAppendUnicodeToString(&path, L"\\Parameters");
    InitializeObjectAttributes(&attributes, &path, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
        RtlInitUnicodeString(&name, L"Careless");
        if (NT_SUCCESS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, value, sizeof(value), &length))) {
            RtlCopyMemory(&number, ((PKEY_VALUE_PARTIAL_INFORMATION)value)->Data, sizeof(number));
        }
        ZwClose(key);
    }
    return number;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    misuse((enum careless)parameter(path), driver);
    return STATUS_UNSUCCESSFUL;
}
