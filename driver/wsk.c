/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/wsk.h"

#include "driver/clock.h"
#include "driver/log.h"
#include "driver/text.h"

#define KEEPALIVE_IDLE_S     30
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_COUNT      3
#define CAPTURE_SLICE_MS     200u

static const WSK_PROVIDER_CONNECTION_DISPATCH *calls_of(PWSK_SOCKET socket)
{
    return socket->Dispatch;
}

/* ---- The client ---- */

NTSTATUS wsk_register(struct wsk_client *client)
{
    WSK_CLIENT_NPI npi = {.ClientContext = NULL, .Dispatch = &client->dispatch};

    client->dispatch.Version = MAKE_WSK_VERSION(1, 0);
    return WskRegister(&npi, &client->registration);
}

void wsk_unregister(struct wsk_client *client)
{
    WskDeregister(&client->registration);
}

static bool is_interrupted(const struct wsk_limit *limit)
{
    LARGE_INTEGER now = {.QuadPart = 0};

    return limit->interrupt != NULL &&
           KeWaitForSingleObject(limit->interrupt, Executive, KernelMode, FALSE, &now) == STATUS_SUCCESS;
}

NTSTATUS wsk_capture(struct wsk_client *client, const struct wsk_limit *limit, WSK_PROVIDER_NPI *npi)
{
    NTSTATUS status;
    ULONG left_ms;

    do { /* in slices, because nothing else interrupts it */
        left_ms = wsk_limit_left_ms(limit);
        status = WskCaptureProviderNPI(&client->registration, min(left_ms, CAPTURE_SLICE_MS), npi);
        if (NT_SUCCESS(status)) {
            return STATUS_SUCCESS;
        }
        if (is_interrupted(limit)) {
            return STATUS_CANCELLED;
        }
    } while (left_ms > CAPTURE_SLICE_MS);
    return STATUS_DEVICE_NOT_READY;
}

void wsk_release(struct wsk_client *client)
{
    WskReleaseProviderNPI(&client->registration);
}

/* ---- Limits ---- */

struct wsk_limit wsk_limit_in(ULONG milliseconds, PKEVENT interrupt)
{
    struct wsk_limit limit = {
        .deadline = clock_now() + milliseconds * CLOCK_TICKS_PER_MS,
        .interrupt = interrupt,
    };

    return limit;
}

static ULONGLONG left_ticks(const struct wsk_limit *limit)
{
    ULONGLONG now = clock_now();

    return now < limit->deadline ? limit->deadline - now : 0;
}

ULONG wsk_limit_left_ms(const struct wsk_limit *limit)
{
    return (ULONG)(left_ticks(limit) / CLOCK_TICKS_PER_MS);
}

/* ---- Calls ---- */

NTSTATUS wsk_call_init(struct wsk_call *call)
{
    KeInitializeEvent(&call->done, NotificationEvent, FALSE);
    call->out = false;
    call->irp = IoAllocateIrp(1, FALSE);
    return call->irp != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

void wsk_call_free(struct wsk_call *call)
{
    if (call->irp != NULL) {
        IoFreeIrp(call->irp);
        call->irp = NULL;
    }
}

static NTSTATUS NTAPI call_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP prepare(struct wsk_call *call)
{
    NT_ASSERT(!call->out);
    KeClearEvent(&call->done);
    IoReuseIrp(call->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(call->irp, call_completed, &call->done, TRUE, TRUE, TRUE);
    call->out = true;
    return call->irp;
}

/* Waits for the call that was just made. What its function answered does not matter: WSK completes the IRP always. */
static NTSTATUS await(struct wsk_call *call, const struct wsk_limit *limit)
{
    PVOID events[2] = {&call->done, limit->interrupt};
    ULONG count = limit->interrupt != NULL ? 2 : 1;
    LARGE_INTEGER timeout = {.QuadPart = -(LONGLONG)left_ticks(limit)};
    NTSTATUS status = KeWaitForMultipleObjects(count, events, WaitAny, Executive, KernelMode, FALSE, &timeout, NULL);

    if (status == STATUS_WAIT_0) {
        call->out = false;
        return call->irp->IoStatus.Status;
    }
    return status == STATUS_WAIT_1 ? STATUS_CANCELLED : STATUS_IO_TIMEOUT;
}

void wsk_call_recall(struct wsk_call *call)
{
    if (call->out) {
        KeWaitForSingleObject(&call->done, Executive, KernelMode, FALSE, NULL);
        call->out = false;
    }
}

/* ---- Names ---- */

NTSTATUS wsk_resolve(const WSK_PROVIDER_NPI *npi, struct wsk_lookup *lookup, const char *host, size_t host_length,
                     USHORT port, const struct wsk_limit *limit)
{
    char digits[8];
    NTSTATUS status;

    text_format(digits, sizeof digits, "%u", port);
    if (!text_widen(host, host_length, lookup->node_text, ARRAYSIZE(lookup->node_text), &lookup->node) ||
        !text_widen(digits, text_length(digits, sizeof digits), lookup->service_text, ARRAYSIZE(lookup->service_text),
                    &lookup->service)) {
        return STATUS_BAD_NETWORK_PATH;
    }
    lookup->hints = (ADDRINFOEXW){.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    lookup->list = NULL;
    npi->Dispatch->WskGetAddressInfo(npi->Client, &lookup->node, &lookup->service, NS_ALL, NULL, &lookup->hints,
                                     &lookup->list, NULL, NULL, prepare(&lookup->call));
    status = await(&lookup->call, limit);
    if (lookup->call.out) {
        IoCancelIrp(lookup->call.irp);
    }
    return status;
}

void wsk_lookup_recall(const WSK_PROVIDER_NPI *npi, struct wsk_lookup *lookup)
{
    wsk_call_recall(&lookup->call);
    if (lookup->list != NULL) {
        npi->Dispatch->WskFreeAddressInfo(npi->Client, lookup->list);
        lookup->list = NULL;
    }
}

/* ---- Sockets ---- */

static NTSTATUS set_option(PWSK_SOCKET socket, struct wsk_call *call, ULONG option, ULONG level, ULONG value,
                           const struct wsk_limit *limit)
{
    call->option = value;
    calls_of(socket)->WskControlSocket(socket, WskSetOption, option, level, sizeof call->option, &call->option, 0, NULL,
                                       NULL, prepare(call));
    return await(call, limit);
}

static NTSTATUS bind_any(PWSK_SOCKET socket, struct wsk_call *call, ADDRESS_FAMILY family,
                         const struct wsk_limit *limit)
{
    RtlZeroMemory(&call->address, sizeof call->address); /* any address, any port */
    call->address.ss_family = family;
    calls_of(socket)->WskBind(socket, (PSOCKADDR)&call->address, 0, prepare(call));
    return await(call, limit);
}

/* Without keep-alive the disk still works; a dead peer is then noticed when Storport's time-outs come. */
static void keep_alive(PWSK_SOCKET socket, struct wsk_call *call, const struct wsk_limit *limit)
{
    static const struct {
        ULONG level, option, value;
    } settings[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
    };

    for (size_t i = 0; i < ARRAYSIZE(settings) && !call->out; i++) {
        NTSTATUS status = set_option(socket, call, settings[i].option, settings[i].level, settings[i].value, limit);

        if (!NT_SUCCESS(status)) {
            log_adapter(KEEP_ALIVE, settings[i].option, status);
        }
    }
}

static NTSTATUS prepare_socket(PWSK_SOCKET socket, struct wsk_call *call, ADDRESS_FAMILY family,
                               const struct wsk_limit *limit)
{
    NTSTATUS status = bind_any(socket, call, family, limit);

    if (NT_SUCCESS(status)) {
        status = set_option(socket, call, TCP_NODELAY, IPPROTO_TCP, 1, limit);
    }
    if (NT_SUCCESS(status)) {
        keep_alive(socket, call, limit);
        status = call->out ? STATUS_IO_TIMEOUT : STATUS_SUCCESS;
    }
    return status;
}

NTSTATUS wsk_open(const WSK_PROVIDER_NPI *npi, struct wsk_call *call, ADDRESS_FAMILY family,
                  const struct wsk_limit *limit, PWSK_SOCKET *socket)
{
    NTSTATUS status;

    /* Making a socket is local and WSK cannot be asked to give it up half-made: it is waited for without a limit. */
    npi->Dispatch->WskSocket(npi->Client, family, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL,
                             NULL, NULL, NULL, prepare(call));
    wsk_call_recall(call);
    status = call->irp->IoStatus.Status;
    if (!NT_SUCCESS(status)) {
        return status;
    }
    *socket = (PWSK_SOCKET)call->irp->IoStatus.Information;
    return prepare_socket(*socket, call, family, limit);
}

NTSTATUS wsk_connect(PWSK_SOCKET socket, struct wsk_call *call, const SOCKADDR_STORAGE *address,
                     const struct wsk_limit *limit)
{
    call->address = *address;
    calls_of(socket)->WskConnect(socket, (PSOCKADDR)&call->address, 0, prepare(call));
    return await(call, limit);
}

NTSTATUS wsk_send_all(PWSK_SOCKET socket, struct wsk_call *call, PMDL mdl, ULONG offset, SIZE_T length,
                      const struct wsk_limit *limit)
{
    WSK_BUF buffer = {.Mdl = mdl, .Offset = offset, .Length = length};

    calls_of(socket)->WskSend(socket, &buffer, WSK_FLAG_NODELAY, prepare(call));
    return await(call, limit);
}

NTSTATUS wsk_receive_all(PWSK_SOCKET socket, struct wsk_call *call, PMDL mdl, ULONG offset, SIZE_T length,
                         const struct wsk_limit *limit)
{
    while (length != 0) {
        WSK_BUF buffer = {.Mdl = mdl, .Offset = offset, .Length = length};
        NTSTATUS status;

        calls_of(socket)->WskReceive(socket, &buffer, 0, prepare(call));
        status = await(call, limit);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        if (call->irp->IoStatus.Information == 0) {
            return STATUS_CONNECTION_DISCONNECTED;
        }
        offset += (ULONG)call->irp->IoStatus.Information;
        length -= call->irp->IoStatus.Information;
    }
    return STATUS_SUCCESS;
}

NTSTATUS wsk_shut_down(PWSK_SOCKET socket, struct wsk_call *call, const struct wsk_limit *limit)
{
    calls_of(socket)->WskDisconnect(socket, NULL, 0, prepare(call));
    return await(call, limit);
}

void wsk_close(PWSK_SOCKET socket, struct wsk_call *call)
{
    calls_of(socket)->WskCloseSocket(socket, prepare(call));
    wsk_call_recall(call);
}
