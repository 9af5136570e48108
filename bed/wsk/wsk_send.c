/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sending. WskSend hands over to the network at once when nobody is before it; what does not fit is left to the sender,
 * which gathers what has queued up into one system call. All completions are the sender's.
 */
#include "bed/wsk/wsk.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#define PARTS_MAX  64
#define HELD_EVERY 4  /* each n-th send is completed late */
#define HELD_MS    10 /* at most */

/* The queued requests' parts, from the first on, until one that is no send. Called with the lock held. */
static size_t gather(const struct list_link *sends, struct net_part *parts)
{
    size_t count = 0;

    for (const struct list_link *at = sends->next; at != sends && count < PARTS_MAX; at = at->next) {
        const struct wsk_op *op = list_member(at, struct wsk_op, link);

        if (op->kind != WSK_OP_SEND) {
            break;
        }
        bed_wsk_take_over(op->irp);
        count += wsk_op_rest(op, parts + count, PARTS_MAX - count);
    }
    return count;
}

static void accept_first(struct wsk_socket *socket, struct wsk_op *op)
{
    bed_wsk_hand_over(op->irp);
    list_remove(&op->link);
    op->deliveries = socket->deliveries;
    op->held = op->kind == WSK_OP_SEND && ++socket->send_counter % HELD_EVERY == 0;
    op->due = op->kind == WSK_OP_SEND && port_ack_ms != 0 ? bed_now_ms() + port_ack_ms : 0;
    list_append(&socket->accepted, &op->link);
}

/* Credits `done` bytes to the queued requests, in order. Called with the lock held. */
static void account(struct wsk_socket *socket, size_t done)
{
    while (!list_is_empty(&socket->sends)) {
        struct wsk_op *op = list_member(socket->sends.next, struct wsk_op, link);
        size_t rest = op->length - op->done;

        if (op->kind != WSK_OP_SEND || rest > done) {
            op->done += op->kind == WSK_OP_SEND ? done : 0;
            return;
        }
        done -= rest;
        op->done = op->length;
        accept_first(socket, op);
    }
}

/* One system call for what is queued, made without the lock, by one thread at a time. Called and left with the lock
 * held. */
static NTSTATUS send_some(struct wsk_socket *socket)
{
    struct net_part parts[PARTS_MAX];
    size_t count = gather(&socket->sends, parts);
    size_t done = 0;
    NTSTATUS status = STATUS_SUCCESS;

    if (count != 0) {
        socket->sending = true;
        bed_mutex_release(&socket->lock);
        status = net_send(socket->fd, parts, count, &done);
        bed_mutex_acquire(&socket->lock);
        socket->sending = false;
    }
    account(socket, done);
    if (!NT_SUCCESS(status) && status != NET_AGAIN) {
        wsk_break_locked(socket, status);
    }
    return status;
}

/* The queue's head is a graceful disconnect: all before it has been handed over. Called with the lock held. */
static void say_good_bye(struct wsk_socket *socket)
{
    struct wsk_op *op = list_member(socket->sends.next, struct wsk_op, link);

    if (op->kind == WSK_OP_DISCONNECT) {
        op->status = net_shutdown_send(socket->fd);
        socket->disconnected = true;
        accept_first(socket, op);
    }
}

/* How long the request still has to wait for the other side's word that it has it. */
static ULONG unacknowledged_ms(const struct wsk_op *op)
{
    LONGLONG left = op->due != 0 ? op->due - bed_now_ms() : 0;

    return left > 0 ? (ULONG)left : 0;
}

/* The first request to complete, unless it is held back; *ms says how long to sleep then. Called with the lock held. */
static struct wsk_op *take_accepted(struct wsk_socket *socket, ULONG *ms)
{
    struct wsk_op *op;

    *ms = WAIT_INFINITE;
    if (list_is_empty(&socket->accepted)) {
        return NULL;
    }
    op = list_member(socket->accepted.next, struct wsk_op, link);
    if (socket->broken == STATUS_SUCCESS && !socket->closing && !op->cancelled) {
        ULONG wait_ms = unacknowledged_ms(op);

        if (op->held && op->deliveries == socket->deliveries) {
            op->held = false; /* once */
            wait_ms = max(wait_ms, HELD_MS);
        }
        if (wait_ms != 0) {
            *ms = wait_ms;
            return NULL;
        }
    }
    list_remove(&op->link);
    bed_wsk_take_over(op->irp);
    return op;
}

enum step { STEP_DONE, STEP_SLEEP, STEP_WAIT_ROOM };

/* One round of the sender's work. Called and left with the lock held; lets go of it in between. */
static enum step sender_step(struct wsk_socket *socket, ULONG *ms)
{
    struct wsk_op *op = take_accepted(socket, ms);
    enum step step = STEP_SLEEP;

    if (op != NULL) {
        bed_mutex_release(&socket->lock);
        wsk_op_end(op, op->status, op->done);
        bed_mutex_acquire(&socket->lock);
        return STEP_DONE;
    }
    if (!list_is_empty(&socket->sends) && !socket->sending) {
        step = send_some(socket) == NET_AGAIN ? STEP_WAIT_ROOM : STEP_DONE;
        if (!list_is_empty(&socket->sends)) {
            say_good_bye(socket);
        }
    }
    return step;
}

static void end_broken(struct wsk_socket *socket)
{
    NTSTATUS broken = socket->broken;

    if (broken != STATUS_SUCCESS) {
        wsk_end_all(socket, &socket->accepted, broken);
        wsk_end_all(socket, &socket->sends, broken);
    }
}

static void sender_round(struct wsk_socket *socket)
{
    LONG seen = socket->send_work;
    ULONG ms = WAIT_INFINITE;
    enum step step;

    if (socket->closing || wsk_end_cancelled(socket, &socket->sends)) {
        return;
    }
    end_broken(socket);
    bed_mutex_acquire(&socket->lock);
    step = sender_step(socket, &ms);
    bed_mutex_release(&socket->lock);
    if (step == STEP_WAIT_ROOM && ms == WAIT_INFINITE && socket->send_work == seen) {
        net_wait(socket->fd, true, socket->send_bell);
    } else if (step != STEP_DONE) {
        bed_wait_word(&socket->send_work, seen, ms);
    }
}

/* WskSend may be in net_send on its own thread; closing waits for it. */
static void wait_until_idle(struct wsk_socket *socket)
{
    while (socket->sending || socket->calls != 0) {
        bed_sleep(1);
    }
}

void wsk_sender(void *argument)
{
    struct wsk_socket *socket = argument;

    while (!socket->closing) {
        sender_round(socket);
    }
    wait_until_idle(socket);
    for (;;) {
        ULONG ms;
        struct wsk_op *op;

        bed_mutex_acquire(&socket->lock);
        op = take_accepted(socket, &ms);
        bed_mutex_release(&socket->lock);
        if (op == NULL) {
            break;
        }
        wsk_op_end(op, op->status, op->done);
    }
    wsk_end_all(socket, &socket->sends, STATUS_CANCELLED);
    wsk_thread_leaves(socket);
}

/* Why nothing can be sent now. Called with the lock held. */
static NTSTATUS send_check(const struct wsk_socket *socket)
{
    if (!socket->connected || socket->disconnected || socket->closing) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    return socket->broken;
}

/* Queues it and, when it is the first, tries at once in the caller's context. */
static NTSTATUS queue_send(struct wsk_socket *socket, struct wsk_op *op)
{
    NTSTATUS status;

    bed_mutex_acquire(&socket->lock);
    status = send_check(socket);
    if (NT_SUCCESS(status)) {
        bool first = list_is_empty(&socket->sends) && !socket->sending;

        wsk_op_queue(op, &socket->sends);
        if (first) {
            send_some(socket);
        }
        status = STATUS_PENDING;
    }
    bed_mutex_release(&socket->lock);
    InterlockedIncrement(&socket->send_work);
    bed_wake_word(&socket->send_work);
    return status;
}

/* Completes inside the call what the network has taken, in order, unless the sender is about to. */
static void complete_inside(struct wsk_socket *socket)
{
    struct wsk_op *op = NULL;

    bed_mutex_acquire(&socket->lock);
    if (!list_is_empty(&socket->accepted) && !list_member(socket->accepted.next, struct wsk_op, link)->held) {
        op = list_member(list_take_first(&socket->accepted), struct wsk_op, link);
        bed_wsk_take_over(op->irp);
    }
    bed_mutex_release(&socket->lock);
    if (op != NULL) {
        wsk_op_end(op, op->status, op->done);
    }
}

NTSTATUS WSKAPI wsk_send(PWSK_SOCKET face, PWSK_BUF buffer, ULONG flags, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskSend");
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    (void)flags;
    if (socket == NULL) {
        return status;
    }
    op = wsk_op_begin(socket, irp, WSK_OP_SEND, buffer, "WskSend", &status);
    if (op != NULL) {
        op->status = STATUS_SUCCESS;
        status = queue_send(socket, op);
        if (status != STATUS_PENDING) {
            wsk_op_end(op, status, 0);
        } else if (bed_wsk_inline()) {
            complete_inside(socket);
        }
    }
    wsk_leave(socket);
    return status;
}

/* A reset happens now; the request is completed after what was queued before it. */
static NTSTATUS abort_now(struct wsk_socket *socket, struct wsk_op *op)
{
    bed_mutex_acquire(&socket->lock);
    socket->disconnected = true;
    if (socket->broken == STATUS_SUCCESS) {
        net_abort(socket->fd);
    }
    wsk_break_locked(socket, STATUS_CONNECTION_ABORTED);
    bed_mutex_release(&socket->lock);
    wsk_op_end(op, STATUS_SUCCESS, 0);
    return STATUS_SUCCESS;
}

NTSTATUS WSKAPI wsk_disconnect(PWSK_SOCKET face, PWSK_BUF buffer, ULONG flags, PIRP irp)
{
    struct wsk_socket *socket = wsk_enter(face, irp, "WskDisconnect");
    struct wsk_op *op;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    if (socket == NULL) {
        return status;
    }
    if (buffer != NULL) {
        port_violation("wsk: WskDisconnect with data is not supported by the bed");
    }
    op = wsk_op_begin(socket, irp, WSK_OP_DISCONNECT, NULL, "WskDisconnect", &status);
    if (op != NULL && flags & WSK_FLAG_ABORTIVE) {
        status = socket->connected ? abort_now(socket, op) : STATUS_INVALID_DEVICE_STATE;
        if (!NT_SUCCESS(status)) {
            wsk_op_end(op, status, 0);
        }
    } else if (op != NULL) {
        status = queue_send(socket, op);
        if (status != STATUS_PENDING) {
            wsk_op_end(op, status, 0);
        }
    }
    wsk_leave(socket);
    return status;
}
