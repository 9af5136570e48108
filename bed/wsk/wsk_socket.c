/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a socket: made, bound, connected, closed. */
#include "bed/wsk/wsk.h"
#include "bed/port/violation.h"

#define SOCKET_MARK        0x74656b636f736b77ULL
#define SOCKET_CLOSED_MARK 0x6465736f6c636b77ULL

static void sockets_count(struct wsk_socket *socket, LONG by)
{
    InterlockedExchangeAdd(&socket->client->sockets, by);
    bed_count_socket(socket->client->owner, by);
}

static void resources_free(struct wsk_socket *socket)
{
    net_close(socket->fd);
    if (socket->receive_bell >= 0) {
        net_close(socket->receive_bell);
    }
    if (socket->send_bell >= 0) {
        net_close(socket->send_bell);
    }
    bed_free(socket->staging);
}

/* Onto the client's list of all, closed ones too. */
static void remember(struct wsk_socket *socket)
{
    struct wsk_client *client = socket->client;
    void *first;

    do {
        first = client->all;
        socket->next = first;
    } while (InterlockedCompareExchangePointer(&client->all, socket, first) != first);
}

struct wsk_socket *wsk_socket_create(struct wsk_client *client, ADDRESS_FAMILY family, NTSTATUS *status)
{
    struct wsk_socket *socket = bed_allocate(sizeof(*socket));

    *status = STATUS_INSUFFICIENT_RESOURCES;
    if (socket == NULL) {
        return NULL;
    }
    *status = net_open(family, &socket->fd);
    if (!NT_SUCCESS(*status)) {
        bed_free(socket);
        return NULL;
    }
    socket->receive_bell = net_bell();
    socket->send_bell = net_bell();
    socket->staging = bed_allocate(WSK_STAGING_BYTES);
    if (socket->receive_bell < 0 || socket->send_bell < 0 || socket->staging == NULL) {
        *status = STATUS_INSUFFICIENT_RESOURCES;
        resources_free(socket);
        bed_free(socket);
        return NULL;
    }
    socket->face.Dispatch = &wsk_connection_dispatch;
    socket->mark = SOCKET_MARK;
    socket->client = client;
    socket->family = family;
    list_init(&socket->connects);
    list_init(&socket->receives);
    list_init(&socket->sends);
    list_init(&socket->accepted);
    sockets_count(socket, 1);
    remember(socket);
    return socket;
}

struct wsk_socket *wsk_enter(WSK_SOCKET *face, IRP *irp, const char *routine)
{
    struct wsk_socket *socket = (struct wsk_socket *)face;

    bed_irql_at_most(DISPATCH_LEVEL, routine);
    if (socket != NULL && socket->mark == SOCKET_MARK && !socket->closing) {
        InterlockedIncrement(&socket->calls);
        return socket;
    }
    port_violation("wsk: %s on %p, which is %s", routine, (void *)face,
                   socket != NULL && (socket->mark == SOCKET_CLOSED_MARK || socket->closing) ? "closed" : "no socket");
    if (irp != NULL && irp->CurrentLocation > 1) {
        IoSetNextIrpStackLocation(irp);
        wsk_irp_end(irp, STATUS_INVALID_HANDLE, 0);
    }
    return NULL;
}

void wsk_leave(struct wsk_socket *socket)
{
    InterlockedDecrement(&socket->calls);
}

void wsk_wake_receiver(struct wsk_socket *socket)
{
    InterlockedIncrement(&socket->receive_work);
    bed_wake_word(&socket->receive_work);
    net_ring(socket->receive_bell);
}

void wsk_wake_sender(struct wsk_socket *socket)
{
    InterlockedIncrement(&socket->send_work);
    bed_wake_word(&socket->send_work);
    net_ring(socket->send_bell);
}

void wsk_break_locked(struct wsk_socket *socket, NTSTATUS status)
{
    if (socket->broken == STATUS_SUCCESS) {
        socket->broken = status;
        wsk_wake_receiver(socket);
        wsk_wake_sender(socket);
    }
}

/* Closing a connection that was not disconnected resets it. The structure stays, so that late use of it is found. */
static void finish_close(struct wsk_socket *socket)
{
    struct wsk_op *op = socket->close;

    if (socket->connected && !socket->disconnected) {
        net_abort(socket->fd);
    }
    socket->mark = SOCKET_CLOSED_MARK;
    resources_free(socket);
    sockets_count(socket, -1);
    wsk_op_end(op, STATUS_SUCCESS, 0);
}

void wsk_thread_leaves(struct wsk_socket *socket)
{
    bed_wsk_hand_over(socket);
    if (InterlockedDecrement(&socket->threads) == 0) {
        bed_wsk_take_over(socket);
        finish_close(socket);
    }
}

static NTSTATUS WSKAPI wsk_close(PWSK_SOCKET face, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskCloseSocket");
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;
    LONG calls;

    if (socket == NULL) {
        return status;
    }
    op = wsk_op_begin(socket, irp, WSK_OP_CLOSE, NULL, "WskCloseSocket", &status);
    if (op == NULL) {
        wsk_leave(socket);
        return status;
    }
    /* This call itself counts as a thread until it has rung the others' bells. */
    InterlockedIncrement(&socket->threads);
    bed_mutex_acquire(&socket->lock);
    socket->close = op;
    socket->closing = true;
    calls = socket->calls;
    wsk_wake_receiver(socket);
    wsk_wake_sender(socket);
    bed_mutex_release(&socket->lock);
    if (calls > 1) {
        port_violation("wsk: WskCloseSocket of %p while %d other calls on it are running", (void *)socket,
                       (int)calls - 1);
    }
    wsk_leave(socket);
    wsk_thread_leaves(socket);
    return STATUS_PENDING;
}

static NTSTATUS bind_now(struct wsk_socket *socket, const SOCKADDR *address)
{
    NTSTATUS status;

    if (address->sa_family != socket->family) {
        return STATUS_INVALID_PARAMETER;
    }
    if (socket->bound) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    status = net_bind(socket->fd, address);
    socket->bound = NT_SUCCESS(status);
    return status;
}

/* Ends a call that needs no waiting: its IRP is completed before the call returns. */
static NTSTATUS end_now(struct wsk_socket *socket, struct wsk_op *op, NTSTATUS status)
{
    wsk_op_end(op, status, 0);
    wsk_leave(socket);
    return status;
}

static NTSTATUS WSKAPI wsk_bind(PWSK_SOCKET face, PSOCKADDR address, ULONG flags, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskBind");
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    (void)flags;
    if (socket == NULL) {
        return status;
    }
    op = wsk_op_begin(socket, irp, WSK_OP_SIMPLE, NULL, "WskBind", &status);
    if (op == NULL) {
        wsk_leave(socket);
        return status;
    }
    return end_now(socket, op, bind_now(socket, address));
}

static bool threads_start(struct wsk_socket *socket)
{
    if (socket->threads_started) {
        return true;
    }
    InterlockedExchangeAdd(&socket->threads, 1);
    if (!bed_thread_start(wsk_receiver, socket)) {
        InterlockedExchangeAdd(&socket->threads, -1);
        return false;
    }
    socket->threads_started = true;
    InterlockedExchangeAdd(&socket->threads, 1);
    if (!bed_thread_start(wsk_sender, socket)) {
        InterlockedExchangeAdd(&socket->threads, -1);
        return false;
    }
    return true;
}

static NTSTATUS connect_check(const struct wsk_socket *socket, const SOCKADDR *address)
{
    if (!socket->bound || socket->connected || !list_is_empty(&socket->connects)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    return address->sa_family == socket->family ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS WSKAPI wsk_connect(PWSK_SOCKET face, PSOCKADDR address, ULONG flags, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskConnect");
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    (void)flags;
    if (socket == NULL) {
        return status;
    }
    op = wsk_op_begin(socket, irp, WSK_OP_CONNECT, NULL, "WskConnect", &status);
    if (op == NULL) {
        wsk_leave(socket);
        return status;
    }
    status = connect_check(socket, address);
    if (NT_SUCCESS(status) && !threads_start(socket)) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(status)) {
        return end_now(socket, op, status);
    }
    memcpy(&op->address, address, address->sa_family == AF_INET6 ? sizeof(SOCKADDR_IN6) : sizeof(SOCKADDR_IN));
    bed_mutex_acquire(&socket->lock);
    wsk_op_queue(op, &socket->connects);
    wsk_wake_receiver(socket);
    bed_mutex_release(&socket->lock);
    wsk_leave(socket);
    return STATUS_PENDING;
}

static NTSTATUS get_address(PWSK_SOCKET face, bool remote, PSOCKADDR address, PIRP irp)
{
    const char *routine = remote ? "WskGetRemoteAddress" : "WskGetLocalAddress";
    struct wsk_socket *socket = wsk_enter(face, irp, routine);
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    if (socket == NULL) {
        return status;
    }
    op = wsk_op_begin(socket, irp, WSK_OP_SIMPLE, NULL, routine, &status);
    if (op == NULL) {
        wsk_leave(socket);
        return status;
    }
    status = socket->bound ? net_address(socket->fd, remote, address) : STATUS_INVALID_DEVICE_STATE;
    return end_now(socket, op, status);
}

static NTSTATUS WSKAPI wsk_get_local_address(PWSK_SOCKET face, PSOCKADDR address, PIRP irp)
{
    return get_address(face, false, address, irp);
}

static NTSTATUS WSKAPI wsk_get_remote_address(PWSK_SOCKET face, PSOCKADDR address, PIRP irp)
{
    return get_address(face, true, address, irp);
}

/* No receive event is ever indicated here, so there is nothing to release. */
static NTSTATUS WSKAPI wsk_release(PWSK_SOCKET face, PWSK_DATA_INDICATION indication)
{
    port_violation("wsk: WskRelease of %p on %p, nothing was indicated", (void *)indication, (void *)face);
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS WSKAPI wsk_connect_ex(PWSK_SOCKET face, PSOCKADDR address, PWSK_BUF buffer, ULONG flags, PIRP irp)
{
    if (buffer != NULL) {
        port_violation("wsk: WskConnectEx with data is not supported by the bed");
    }
    return wsk_connect(face, address, flags, irp);
}

const WSK_PROVIDER_CONNECTION_DISPATCH wsk_connection_dispatch = {
    .WskControlSocket = wsk_control_socket,
    .WskCloseSocket = wsk_close,
    .WskBind = wsk_bind,
    .WskConnect = wsk_connect,
    .WskGetLocalAddress = wsk_get_local_address,
    .WskGetRemoteAddress = wsk_get_remote_address,
    .WskSend = wsk_send,
    .WskReceive = wsk_receive,
    .WskDisconnect = wsk_disconnect,
    .WskRelease = wsk_release,
    .WskConnectEx = wsk_connect_ex,
};
