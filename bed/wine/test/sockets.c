/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The WSK provider against a server that echoes what it gets (ports 4 and 6 for IPv4 and IPv6), closes when its client
 * does, and resets when it gets "RST!" as the first bytes.
 */
#include "bed/wine/test/check.h"

#define TAG        'tseT'
#define WAIT_MS    5000
#define BULK_BYTES (1024 * 1024)
#define SENDS      40

WSK_REGISTRATION registration;
WSK_PROVIDER_NPI npi;

static const WSK_CLIENT_DISPATCH client_dispatch = {.Version = MAKE_WSK_VERSION(1, 0)};

static USHORT swapped(ULONG port)
{
    return (USHORT)(port << 8 | port >> 8);
}

static NTSTATUS NTAPI completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct call *call = context;

    (void)device;
    (void)irp;
    KeSetEvent(&call->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

IRP *begin(struct call *call)
{
    call->irp = IoAllocateIrp(1, FALSE);
    KeInitializeEvent(&call->done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(call->irp, completed, call, TRUE, TRUE, TRUE);
    return call->irp;
}

NTSTATUS finish(struct call *call, ULONG_PTR *information)
{
    LARGE_INTEGER timeout = {.QuadPart = -10000LL * WAIT_MS};
    NTSTATUS status = KeWaitForSingleObject(&call->done, Executive, KernelMode, FALSE, &timeout);

    CHECK(status == STATUS_SUCCESS);
    if (status != STATUS_SUCCESS) {
        return STATUS_TIMEOUT;
    }
    status = call->irp->IoStatus.Status;
    if (information != NULL) {
        *information = call->irp->IoStatus.Information;
    }
    IoFreeIrp(call->irp);
    return status;
}

WSK_SOCKET *open_bound(ADDRESS_FAMILY family)
{
    SOCKADDR_IN6 any = {.sin6_family = family};
    struct call call;
    ULONG_PTR socket = 0;

    npi.Dispatch->WskSocket(npi.Client, family, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, NULL,
                            NULL, NULL, begin(&call));
    CHECK(finish(&call, &socket) == STATUS_SUCCESS);
    dispatch((WSK_SOCKET *)socket)->WskBind((WSK_SOCKET *)socket, (SOCKADDR *)&any, 0, begin(&call));
    CHECK(finish(&call, NULL) == STATUS_SUCCESS);
    return (WSK_SOCKET *)socket;
}

void close_socket(WSK_SOCKET *socket)
{
    struct call call;

    dispatch(socket)->WskCloseSocket(socket, begin(&call));
    CHECK(finish(&call, NULL) == STATUS_SUCCESS);
}

NTSTATUS connect4(WSK_SOCKET *socket, ULONG port)
{
    SOCKADDR_IN address = {.sin_family = AF_INET, .sin_port = swapped(port)};
    struct call call;

    address.sin_addr.S_un.S_addr = 0x0100007f;
    dispatch(socket)->WskConnect(socket, (SOCKADDR *)&address, 0, begin(&call));
    return finish(&call, NULL);
}

static NTSTATUS connect6(WSK_SOCKET *socket, ULONG port)
{
    SOCKADDR_IN6 address = {.sin6_family = AF_INET6, .sin6_port = swapped(port)};
    struct call call;

    address.sin6_addr.u.Byte[15] = 1;
    dispatch(socket)->WskConnect(socket, (SOCKADDR *)&address, 0, begin(&call));
    return finish(&call, NULL);
}

/* Memory with an MDL chain over it: three pieces of unlike lengths, the first begins `skip` bytes early. */
struct chain {
    UCHAR *data;
    MDL *mdls[3];
    WSK_BUF buffer;
};

static void chain_make(struct chain *chain, ULONG length, ULONG skip)
{
    ULONG cuts[4] = {0, length / 5, length / 5 * 2 + 1, length};

    chain->data = ExAllocatePoolWithTag(NonPagedPoolNx, length + skip, TAG);
    for (unsigned i = 0; i < 3; i++) {
        ULONG from = i == 0 ? 0 : cuts[i] + skip;

        chain->mdls[i] = IoAllocateMdl(chain->data + from, cuts[i + 1] + skip - from, FALSE, FALSE, NULL);
        MmBuildMdlForNonPagedPool(chain->mdls[i]);
    }
    chain->mdls[0]->Next = chain->mdls[1];
    chain->mdls[1]->Next = chain->mdls[2];
    chain->buffer = (WSK_BUF){chain->mdls[0], skip, length};
}

static void chain_free(struct chain *chain)
{
    for (unsigned i = 0; i < 3; i++) {
        IoFreeMdl(chain->mdls[i]);
    }
    ExFreePoolWithTag(chain->data, TAG);
}

static UCHAR pattern(ULONG at)
{
    return (UCHAR)(at * 2654435761u >> 24);
}

/* A megabyte out and back again while the receive is under way. */
static void bulk_is_echoed(WSK_SOCKET *socket)
{
    struct chain out;
    struct chain in;
    struct call send;
    struct call receive;
    ULONG_PTR sent = 0;
    ULONG_PTR received = 0;
    ULONG wrong = 0;

    chain_make(&out, BULK_BYTES, 100);
    chain_make(&in, BULK_BYTES, 7);
    for (ULONG i = 0; i < BULK_BYTES; i++) {
        out.data[100 + i] = pattern(i);
    }
    dispatch(socket)->WskReceive(socket, &in.buffer, WSK_FLAG_WAITALL, begin(&receive));
    dispatch(socket)->WskSend(socket, &out.buffer, 0, begin(&send));
    CHECK(finish(&send, &sent) == STATUS_SUCCESS && sent == BULK_BYTES);
    CHECK(finish(&receive, &received) == STATUS_SUCCESS && received == BULK_BYTES);
    for (ULONG i = 0; i < BULK_BYTES; i++) {
        wrong += in.data[7 + i] != pattern(i);
    }
    CHECK(wrong == 0);
    chain_free(&out);
    chain_free(&in);
}

/* Many sends at once arrive in order; receives shorter than what is there take their share. */
static void many_sends_keep_their_order(WSK_SOCKET *socket)
{
    static struct chain out[SENDS];
    static struct call sends[SENDS];
    struct chain in;
    struct call receive;
    ULONG_PTR received = 0;
    ULONG total = 0;
    ULONG wrong = 0;

    for (ULONG i = 0; i < SENDS; i++) {
        chain_make(&out[i], 1000 + i, i);
        memset(out[i].data, (int)i, 1000 + 2 * i);
        dispatch(socket)->WskSend(socket, &out[i].buffer, 0, begin(&sends[i]));
    }
    chain_make(&in, 333, 0);
    for (ULONG message = 0, left = 1000; message < SENDS;) {
        dispatch(socket)->WskReceive(socket, &in.buffer, 0, begin(&receive));
        CHECK(finish(&receive, &received) == STATUS_SUCCESS && received > 0 && received <= 333);
        if (received == 0) {
            break;
        }
        for (ULONG i = 0; i < received && message < SENDS; i++) {
            wrong += in.data[i] != (UCHAR)message;
            if (--left == 0) {
                message++;
                left = 1000 + message;
            }
        }
        total += (ULONG)received;
    }
    CHECK(wrong == 0 && total == SENDS * 1000 + SENDS * (SENDS - 1) / 2);
    for (ULONG i = 0; i < SENDS; i++) {
        CHECK(finish(&sends[i], NULL) == STATUS_SUCCESS);
        chain_free(&out[i]);
    }
    chain_free(&in);
}

static void pending_receive_is_cancelled(WSK_SOCKET *socket)
{
    struct chain in;
    struct call receive;
    LARGE_INTEGER moment = {.QuadPart = -200000};

    chain_make(&in, 512, 0);
    dispatch(socket)->WskReceive(socket, &in.buffer, 0, begin(&receive));
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    CHECK(IoCancelIrp(receive.irp));
    CHECK(finish(&receive, NULL) == STATUS_CANCELLED);
    /* Cancelled before it is started. */
    dispatch(socket)->WskReceive(socket, &in.buffer, 0, (begin(&receive), receive.irp->Cancel = TRUE, receive.irp));
    CHECK(finish(&receive, NULL) == STATUS_CANCELLED);
    chain_free(&in);
}

static void pending_receive_ends_at_close(ULONG port)
{
    WSK_SOCKET *socket = open_bound(AF_INET);
    struct chain in;
    struct call receive;

    CHECK(connect4(socket, port) == STATUS_SUCCESS);
    chain_make(&in, 512, 0);
    dispatch(socket)->WskReceive(socket, &in.buffer, 0, begin(&receive));
    close_socket(socket);
    CHECK(finish(&receive, NULL) == STATUS_CANCELLED);
    chain_free(&in);
}

/* After our last word the peer still answers, then says its own good-bye: a receive of nothing. */
static void graceful_disconnect_lets_the_rest_in(WSK_SOCKET *socket)
{
    struct chain out;
    struct chain in;
    struct call send;
    struct call disconnect;
    struct call receive;
    ULONG_PTR received = 1;

    chain_make(&out, 2000, 0);
    chain_make(&in, 2000, 0);
    memset(out.data, 0x11, 2000);
    dispatch(socket)->WskSend(socket, &out.buffer, 0, begin(&send));
    dispatch(socket)->WskDisconnect(socket, NULL, 0, begin(&disconnect));
    CHECK(finish(&send, NULL) == STATUS_SUCCESS && finish(&disconnect, NULL) == STATUS_SUCCESS);
    dispatch(socket)->WskReceive(socket, &in.buffer, WSK_FLAG_WAITALL, begin(&receive));
    CHECK(finish(&receive, &received) == STATUS_SUCCESS && received == 2000 && in.data[1999] == 0x11);
    dispatch(socket)->WskReceive(socket, &in.buffer, WSK_FLAG_WAITALL, begin(&receive));
    CHECK(finish(&receive, &received) == STATUS_SUCCESS && received == 0);
    dispatch(socket)->WskSend(socket, &out.buffer, 0, begin(&send));
    CHECK(!NT_SUCCESS(finish(&send, NULL)));
    chain_free(&out);
    chain_free(&in);
}

static void abortive_disconnect_ends_everything(ULONG port)
{
    WSK_SOCKET *socket = open_bound(AF_INET);
    struct chain in;
    struct call receive;
    struct call disconnect;

    CHECK(connect4(socket, port) == STATUS_SUCCESS);
    chain_make(&in, 512, 0);
    dispatch(socket)->WskReceive(socket, &in.buffer, 0, begin(&receive));
    dispatch(socket)->WskDisconnect(socket, NULL, WSK_FLAG_ABORTIVE, begin(&disconnect));
    CHECK(finish(&disconnect, NULL) == STATUS_SUCCESS);
    CHECK(finish(&receive, NULL) == STATUS_CONNECTION_ABORTED);
    close_socket(socket);
    chain_free(&in);
}

static void reset_by_the_peer_is_seen(ULONG port)
{
    WSK_SOCKET *socket = open_bound(AF_INET);
    struct chain out;
    struct chain in;
    struct call send;
    struct call receive;

    CHECK(connect4(socket, port) == STATUS_SUCCESS);
    chain_make(&out, 16, 0);
    chain_make(&in, 512, 0);
    memcpy(out.data, "RST!RST!RST!RST!", 16);
    dispatch(socket)->WskReceive(socket, &in.buffer, 0, begin(&receive));
    dispatch(socket)->WskSend(socket, &out.buffer, 0, begin(&send));
    finish(&send, NULL);
    CHECK(finish(&receive, NULL) == STATUS_CONNECTION_RESET);
    close_socket(socket);
    chain_free(&out);
    chain_free(&in);
}

/* A server whose queue of connections is full does not answer: the attempt stays under way until it is given up. */
static void pending_connect_is_cancelled(ULONG port)
{
    SOCKADDR_IN address = {.sin_family = AF_INET, .sin_port = swapped(port)};
    LARGE_INTEGER moment = {.QuadPart = -500000};
    WSK_SOCKET *socket = open_bound(AF_INET);
    struct call connect;

    address.sin_addr.S_un.S_addr = 0x0100007f;
    dispatch(socket)->WskConnect(socket, (SOCKADDR *)&address, 0, begin(&connect));
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    CHECK(KeReadStateEvent(&connect.done) == 0);
    CHECK(IoCancelIrp(connect.irp));
    CHECK(finish(&connect, NULL) == STATUS_CANCELLED);
    close_socket(socket);
    socket = open_bound(AF_INET);
    dispatch(socket)->WskConnect(socket, (SOCKADDR *)&address, 0, begin(&connect));
    close_socket(socket);
    CHECK(finish(&connect, NULL) == STATUS_CANCELLED);
}

static void addresses_and_options(WSK_SOCKET *socket, ULONG port)
{
    SOCKADDR_IN6 address = {0};
    ULONG on = 1;
    struct call call;

    dispatch(socket)->WskGetRemoteAddress(socket, (SOCKADDR *)&address, begin(&call));
    CHECK(finish(&call, NULL) == STATUS_SUCCESS && address.sin6_port == swapped(port));
    dispatch(socket)->WskControlSocket(socket, WskSetOption, TCP_NODELAY, IPPROTO_TCP, sizeof(on), &on, 0, NULL, NULL,
                                       begin(&call));
    CHECK(finish(&call, NULL) == STATUS_SUCCESS);
    dispatch(socket)->WskControlSocket(socket, WskSetOption, SO_KEEPALIVE, SOL_SOCKET, sizeof(on), &on, 0, NULL, NULL,
                                       begin(&call));
    CHECK(finish(&call, NULL) == STATUS_SUCCESS);
}

static NTSTATUS resolve(const WCHAR *name, ADDRINFOEXW **result)
{
    ADDRINFOEXW hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    UNICODE_STRING node;
    UNICODE_STRING service = STRING(L"10809");
    struct call call;

    RtlInitUnicodeString(&node, name);
    npi.Dispatch->WskGetAddressInfo(npi.Client, &node, &service, NS_ALL, NULL, &hints, result, NULL, NULL,
                                    begin(&call));
    return finish(&call, NULL);
}

static void names_are_resolved(void)
{
    ADDRINFOEXW *result = NULL;

    CHECK(resolve(L"localhost", &result) == STATUS_SUCCESS && result != NULL);
    if (result != NULL) {
        CHECK(result->ai_addr->sa_family == AF_INET || result->ai_addr->sa_family == AF_INET6);
        CHECK(((SOCKADDR_IN *)result->ai_addr)->sin_port == swapped(10809));
        npi.Dispatch->WskFreeAddressInfo(npi.Client, result);
    }
    CHECK(!NT_SUCCESS(resolve(L"no.such.host.invalid", &result)));
}

static void refused(void)
{
    WSK_SOCKET *socket = open_bound(AF_INET);

    CHECK(connect4(socket, 1) == (NTSTATUS)0xC0000236);
    close_socket(socket);
}

void network_begin(void)
{
    WSK_CLIENT_NPI client = {NULL, &client_dispatch};

    CHECK(WskRegister(&client, &registration) == STATUS_SUCCESS);
    CHECK(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &npi) == STATUS_SUCCESS);
}

void test_sockets(ULONG port4, ULONG port6, ULONG port_full)
{
    WSK_SOCKET *socket;

    network_begin();
    names_are_resolved();
    refused();
    pending_connect_is_cancelled(port_full);
    pending_receive_ends_at_close(port4);
    abortive_disconnect_ends_everything(port4);
    reset_by_the_peer_is_seen(port4);
    socket = open_bound(AF_INET);
    CHECK(connect4(socket, port4) == STATUS_SUCCESS);
    addresses_and_options(socket, port4);
    bulk_is_echoed(socket);
    many_sends_keep_their_order(socket);
    pending_receive_is_cancelled(socket);
    graceful_disconnect_lets_the_rest_in(socket);
    close_socket(socket);
    if (port6 != 0) {
        socket = open_bound(AF_INET6);
        CHECK(connect6(socket, port6) == STATUS_SUCCESS);
        bulk_is_echoed(socket);
        close_socket(socket);
    }
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}
