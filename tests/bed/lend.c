/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bed/lend.h"

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static WSK_CLIENT_NPI client = {NULL, &client_dispatch};
static WSK_REGISTRATION registration;
static WSK_PROVIDER_NPI provider;
static WSK_SOCKET *wsk_socket;
static IRP *lent_irp;

static NTSTATUS NTAPI done(DEVICE_OBJECT *device, IRP *irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* An IRP whose completion sets the event. */
static IRP *make_irp(KEVENT *event)
{
    IRP *irp = IoAllocateIrp(1, FALSE);

    KeInitializeEvent(event, NotificationEvent, FALSE);
    if (irp != NULL) {
        IoSetCompletionRoutine(irp, done, event, TRUE, TRUE, TRUE);
    }
    return irp;
}

static NTSTATUS finish(IRP *irp, KEVENT *event, PVOID *information)
{
    NTSTATUS status;

    KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
    status = irp->IoStatus.Status;
    if (information != NULL) {
        *information = (PVOID)irp->IoStatus.Information;
    }
    IoFreeIrp(irp);
    return status;
}

static const WSK_PROVIDER_CONNECTION_DISPATCH *calls(void)
{
    return wsk_socket->Dispatch;
}

static BOOLEAN open_socket(void)
{
    PVOID opened = NULL;
    KEVENT event;
    IRP *irp = make_irp(&event);

    provider.Dispatch->WskSocket(provider.Client, AF_INET, 1 /* SOCK_STREAM */, 6 /* TCP */, WSK_FLAG_CONNECTION_SOCKET,
                                 NULL, NULL, NULL, NULL, NULL, irp);
    if (!NT_SUCCESS(finish(irp, &event, &opened))) {
        return FALSE;
    }
    wsk_socket = opened;
    return TRUE;
}

static BOOLEAN connect_socket(USHORT port)
{
    SOCKADDR_IN here = {0};
    SOCKADDR_IN there = {0};
    KEVENT event;
    IRP *irp = make_irp(&event);

    here.sin_family = there.sin_family = AF_INET;
    calls()->WskBind(wsk_socket, (SOCKADDR *)&here, 0, irp);
    if (!NT_SUCCESS(finish(irp, &event, NULL))) {
        return FALSE;
    }
    there.sin_port = (USHORT)(port >> 8 | port << 8);
    there.sin_addr.S_un.S_addr = 0x0100007F;
    irp = make_irp(&event);
    calls()->WskConnect(wsk_socket, (SOCKADDR *)&there, 0, irp);
    return NT_SUCCESS(finish(irp, &event, NULL));
}

BOOLEAN lend_start(USHORT port)
{
    if (!NT_SUCCESS(WskRegister(&client, &registration)) ||
        !NT_SUCCESS(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider))) {
        return FALSE;
    }
    return open_socket() && connect_socket(port);
}

static KEVENT lent_event;

void lend(MDL *mdl, ULONG offset, ULONG length)
{
    WSK_BUF buffer = {mdl, offset, length};

    if (lent_irp == NULL) {
        lent_irp = make_irp(&lent_event);
        calls()->WskReceive(wsk_socket, &buffer, 0, lent_irp);
    }
}

void lend_stop(void)
{
    KEVENT event;
    IRP *irp;

    if (wsk_socket == NULL) {
        return;
    }
    irp = make_irp(&event);
    calls()->WskCloseSocket(wsk_socket, irp);
    finish(irp, &event, NULL);
    if (lent_irp != NULL) {
        finish(lent_irp, &lent_event, NULL);
    }
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}
