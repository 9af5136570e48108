/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The receiver. It takes as much as one system call gives: into the parts of the first request and, what is more, into
 * the staging buffer, from where the next requests are served without a call.
 */
#include "bed/wsk/wsk.h"
#include "bed/port/violation.h"

#define PARTS_MAX 32

/* The stack a completion needs at least; with less left a request is not completed inside the call that makes it. */
#define STACK_NEEDED 3000

static size_t take_staged(struct wsk_socket *socket, struct wsk_op *op)
{
    struct net_part parts[PARTS_MAX];
    size_t count = wsk_op_rest(op, parts, PARTS_MAX);
    size_t taken = 0;

    for (size_t i = 0; i < count && socket->staged_from < socket->staged_to; i++) {
        size_t staged = socket->staged_to - socket->staged_from;
        size_t bytes = staged < parts[i].length ? staged : parts[i].length;

        memcpy(parts[i].address, socket->staging + socket->staged_from, bytes);
        socket->staged_from += bytes;
        taken += bytes;
    }
    op->done += taken;
    return taken;
}

static bool satisfied(const struct wsk_op *op)
{
    return op->done == op->length || (op->done != 0 && !(op->flags & WSK_FLAG_WAITALL));
}

/* One system call. STATUS_SUCCESS with nothing new in the request: the peer has sent its last. */
static NTSTATUS receive_once(struct wsk_socket *socket, struct wsk_op *op, bool *last)
{
    struct net_part parts[PARTS_MAX + 1];
    size_t count = wsk_op_rest(op, parts, PARTS_MAX);
    size_t wanted = 0;
    size_t got;
    NTSTATUS status;

    for (size_t i = 0; i < count; i++) {
        wanted += parts[i].length;
    }
    if (wanted == op->length - op->done) {
        parts[count++] = (struct net_part){socket->staging, WSK_STAGING_BYTES};
    }
    status = net_receive(socket->fd, parts, count, &got);
    *last = NT_SUCCESS(status) && got == 0;
    if (got > wanted) {
        socket->staged_from = 0;
        socket->staged_to = got - wanted;
        got = wanted;
    }
    op->done += got;
    return status;
}

static struct wsk_op *first_of(struct wsk_socket *socket, const struct list_link *list)
{
    struct wsk_op *op;

    bed_mutex_acquire(&socket->lock);
    op = list_is_empty(list) ? NULL : list_member(list->next, struct wsk_op, link);
    bed_mutex_release(&socket->lock);
    if (op != NULL) {
        bed_wsk_take_over(op->irp);
    }
    return op;
}

static void end_first(struct wsk_socket *socket, struct wsk_op *op, NTSTATUS status)
{
    size_t done = op->done;

    bed_mutex_acquire(&socket->lock);
    list_remove(&op->link);
    bed_mutex_release(&socket->lock);
    wsk_op_end(op, status, done);
    if (done != 0) {
        InterlockedIncrement(&socket->deliveries);
        /* The sender may hold sends back until now. */
        InterlockedIncrement(&socket->send_work);
        bed_wake_word(&socket->send_work);
    }
}

/* Works on the first receive request; false: nothing can be done now without sleeping. */
static bool serve(struct wsk_socket *socket, struct wsk_op *op)
{
    bool last = false;
    NTSTATUS status = STATUS_SUCCESS;

    if (take_staged(socket, op) == 0 || !satisfied(op)) {
        status = socket->broken != STATUS_SUCCESS ? socket->broken : receive_once(socket, op, &last);
    }
    if (status == NET_AGAIN) {
        return false;
    }
    if (!NT_SUCCESS(status)) {
        bed_mutex_acquire(&socket->lock);
        wsk_break_locked(socket, status);
        bed_mutex_release(&socket->lock);
        op->done = 0;
        end_first(socket, op, status);
    } else if (last || satisfied(op)) {
        end_first(socket, op, STATUS_SUCCESS);
    }
    return true;
}

static void connect_ended(struct wsk_socket *socket, struct wsk_op *op, NTSTATUS status)
{
    bed_mutex_acquire(&socket->lock);
    list_remove(&op->link);
    socket->connected = NT_SUCCESS(status);
    bed_mutex_release(&socket->lock);
    wsk_op_end(op, status, 0);
}

static void connect_now(struct wsk_socket *socket, struct wsk_op *op)
{
    NTSTATUS status = net_connect(socket->fd, (const SOCKADDR *)&op->address);

    while (status == NET_AGAIN && !op->cancelled && !socket->closing) {
        net_wait(socket->fd, true, socket->receive_bell);
        status = net_connected(socket->fd);
        if (NT_SUCCESS(status)) {
            status = net_connect(socket->fd, (const SOCKADDR *)&op->address);
        }
    }
    if (status == NET_AGAIN) {
        net_abort(socket->fd);
    }
    connect_ended(socket, op, status == NET_AGAIN ? STATUS_CANCELLED : status);
}

/* One round of the receiver's work. */
static void receiver_step(struct wsk_socket *socket)
{
    LONG seen = socket->receive_work;
    struct wsk_op *op;

    /* Looked at after the word: whoever closes sets this first. */
    if (socket->closing || wsk_end_cancelled(socket, &socket->receives) ||
        wsk_end_cancelled(socket, &socket->connects)) {
        return;
    }
    if ((op = first_of(socket, &socket->connects)) != NULL) {
        connect_now(socket, op);
    } else if ((op = first_of(socket, &socket->receives)) == NULL) {
        bed_wait_word(&socket->receive_work, seen, WAIT_INFINITE);
    } else if (!serve(socket, op) && socket->receive_work == seen) {
        net_wait(socket->fd, false, socket->receive_bell);
    }
}

void wsk_receiver(void *argument)
{
    struct wsk_socket *socket = argument;

    socket->receiver = bed_thread_id();
    while (!socket->closing) {
        receiver_step(socket);
    }
    wsk_end_all(socket, &socket->connects, STATUS_CANCELLED);
    wsk_end_all(socket, &socket->receives, STATUS_CANCELLED);
    wsk_thread_leaves(socket);
}

/*
 * A call from a completion routine of the receiver itself, with data at hand: it is completed before the call returns,
 * as on Windows. A client that calls again and again from there must watch its stack.
 */
static bool serve_inside(struct wsk_socket *socket, struct wsk_op *op)
{
    if (socket->receiver != bed_thread_id() || socket->staged_from == socket->staged_to || op->cancelled ||
        bed_stack_left(__builtin_frame_address(0)) < STACK_NEEDED) {
        return false;
    }
    if (first_of(socket, &socket->receives) != NULL) {
        return false;
    }
    take_staged(socket, op);
    return satisfied(op);
}

static NTSTATUS queue_receive(struct wsk_socket *socket, struct wsk_op *op)
{
    NTSTATUS status = STATUS_PENDING;
    bool idle = false;

    bed_mutex_acquire(&socket->lock);
    if (!socket->connected || socket->closing) {
        status = STATUS_INVALID_DEVICE_STATE;
    } else {
        idle = list_is_empty(&socket->receives);
        wsk_op_queue(op, &socket->receives);
    }
    if (idle) {
        InterlockedIncrement(&socket->receive_work);
        bed_wake_word(&socket->receive_work);
    }
    bed_mutex_release(&socket->lock);
    return status;
}

NTSTATUS WSKAPI wsk_receive(PWSK_SOCKET face, PWSK_BUF buffer, ULONG flags, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskReceive");
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    if (socket == NULL) {
        return status;
    }
    op = wsk_op_begin(socket, irp, WSK_OP_RECEIVE, buffer, "WskReceive", &status);
    if (op == NULL) {
        wsk_leave(socket);
        return status;
    }
    op->flags = flags;
    if (serve_inside(socket, op)) {
        status = STATUS_SUCCESS;
        wsk_op_end(op, status, op->done);
        InterlockedIncrement(&socket->deliveries);
    } else {
        status = queue_receive(socket, op);
        if (status != STATUS_PENDING) {
            wsk_op_end(op, status, 0);
        }
    }
    wsk_leave(socket);
    return status;
}
