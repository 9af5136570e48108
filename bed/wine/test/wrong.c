/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Broken rules. test_wine.py wants one report for each, in this order. */
#include "bed/wine/test/check.h"

#define TAG 'gnrW'

static void raise_and_wait(void)
{
    LARGE_INTEGER moment = {.QuadPart = -10000};
    KSPIN_LOCK lock;
    KIRQL irql;

    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    ExFreePoolWithTag(ExAllocatePoolWithTag(PagedPool, 16, TAG), TAG);
    KeReleaseSpinLock(&lock, irql);
    KeReleaseSpinLock(&lock, irql);
}

static void misuse_pool(void)
{
    UCHAR *block = ExAllocatePoolWithTag(NonPagedPoolNx, 20, TAG);

    block[20] = 1;
    ExFreePoolWithTag(block, TAG);
    ExFreePoolWithTag(block, TAG);
    block = ExAllocatePoolWithTag(NonPagedPoolNx, 24, TAG);
    ExFreePoolWithTag(block, 'rehO');
    block[3] = 1;
    for (unsigned i = 0; i < 600; i++) {
        ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 8, TAG), TAG);
    }
}

static void misuse_mdls(void)
{
    UCHAR *data = ExAllocatePoolWithTag(NonPagedPoolNx, 8192, TAG);
    PMDL source = IoAllocateMdl(data, 8192, FALSE, FALSE, NULL);
    PMDL small = IoAllocateMdl(data, 100, FALSE, FALSE, NULL);

    IoBuildPartialMdl(source, small, data, 100);
    MmBuildMdlForNonPagedPool(source);
    IoBuildPartialMdl(source, small, data + 8000, 300);
    IoBuildPartialMdl(source, small, data, 8192);
    MmUnlockPages(source);
    IoFreeMdl(small);
    IoFreeMdl(source);
    ExFreePoolWithTag(data, TAG);
}

static void misuse_rundown(void)
{
    EX_RUNDOWN_REF rundown;

    ExInitializeRundownProtection(&rundown);
    ExReleaseRundownProtection(&rundown);
}

void wrong_shims(void)
{
    raise_and_wait();
    misuse_pool();
    misuse_mdls();
    misuse_rundown();
}

static void send_without_completion_routine(WSK_SOCKET *socket, WSK_BUF *buffer)
{
    IRP *irp = IoAllocateIrp(1, FALSE);
    LARGE_INTEGER moment = {.QuadPart = -500000};

    dispatch(socket)->WskSend(socket, buffer, 0, irp);
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    irp->CurrentLocation = 1;
    dispatch(socket)->WskSend(socket, buffer, 0, irp);
}

static void receive_more_than_there_is_room(WSK_SOCKET *socket, PMDL mdl)
{
    WSK_BUF buffer = {mdl, 50, 100};
    struct call call;

    dispatch(socket)->WskReceive(socket, &buffer, WSK_FLAG_WAITALL, begin(&call));
    IoCancelIrp(call.irp);
    finish(&call, NULL);
}

static void resolve_at_dispatch_level(void)
{
    UNICODE_STRING name = STRING(L"localhost");
    ADDRINFOEXW *result = NULL;
    struct call call;
    KSPIN_LOCK lock;
    KIRQL irql;

    KeInitializeSpinLock(&lock);
    begin(&call);
    KeAcquireSpinLock(&lock, &irql);
    npi.Dispatch->WskGetAddressInfo(npi.Client, &name, NULL, NS_ALL, NULL, NULL, &result, NULL, NULL, call.irp);
    KeReleaseSpinLock(&lock, irql);
    finish(&call, NULL);
}

static void use_after_close(WSK_SOCKET *socket, WSK_BUF *buffer)
{
    struct call call;

    close_socket(socket);
    dispatch(socket)->WskReceive(socket, buffer, 0, begin(&call));
    finish(&call, NULL);
}

void wrong_sockets(ULONG port4)
{
    static UCHAR data[100];
    PMDL mdl = IoAllocateMdl(data, sizeof(data), FALSE, FALSE, NULL);
    WSK_BUF buffer = {mdl, 0, sizeof(data)};
    WSK_SOCKET *socket;

    MmBuildMdlForNonPagedPool(mdl);
    network_begin();
    socket = open_bound(AF_INET);
    CHECK(connect4(socket, port4) == STATUS_SUCCESS);
    send_without_completion_routine(socket, &buffer);
    receive_more_than_there_is_room(socket, mdl);
    resolve_at_dispatch_level();
    use_after_close(socket, &buffer);
    WskDeregister(&registration);
}
