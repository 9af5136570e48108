/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests: an IRP, the memory it lends, and the one way it ends. */
#include "bed/wsk/wsk.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#define INVOKE_ALWAYS (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL)
#define MDL_USABLE    (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PAGES_LOCKED | MDL_PARTIAL)

static bool irp_usable(const IRP *irp, const char *routine)
{
    const IO_STACK_LOCATION *next;

    if (irp == NULL || irp->CurrentLocation <= 1) {
        port_violation("wsk: %s with %s", routine, irp == NULL ? "no IRP" : "an IRP that has no stack location left");
        return false;
    }
    next = IoGetNextIrpStackLocation((IRP *)(uintptr_t)irp);
    if (next->CompletionRoutine == NULL || (next->Control & INVOKE_ALWAYS) != INVOKE_ALWAYS) {
        port_violation("wsk: %s with an IRP whose completion routine is not called in each case", routine);
    }
    return true;
}

/* How many MDLs the buffer needs; what is wrong with it is reported. */
static size_t count_parts(const WSK_BUF *buffer, const char *routine)
{
    size_t left = buffer->Length;
    size_t offset = buffer->Offset;
    size_t count = 0;

    for (const MDL *mdl = buffer->Mdl; mdl != NULL && left != 0; mdl = mdl->Next) {
        size_t bytes = offset < mdl->ByteCount ? mdl->ByteCount - offset : 0;

        if (offset > mdl->ByteCount || !(mdl->MdlFlags & MDL_USABLE)) {
            port_violation("wsk: %s with MDL %p, flags 0x%x, offset %zu of %u bytes", routine, (const void *)mdl,
                           mdl->MdlFlags, offset, (unsigned)mdl->ByteCount);
        }
        left -= bytes < left ? bytes : left;
        offset = 0;
        count++;
    }
    if (left != 0) {
        port_violation("wsk: %s with a buffer of %zu bytes whose MDLs lack %zu", routine, buffer->Length, left);
    }
    return count;
}

static void fill_parts(struct wsk_op *op, const WSK_BUF *buffer)
{
    size_t left = buffer->Length;
    size_t offset = buffer->Offset;

    for (const MDL *mdl = buffer->Mdl; mdl != NULL && left != 0; mdl = mdl->Next) {
        size_t bytes = offset < mdl->ByteCount ? mdl->ByteCount - offset : 0;
        struct net_part *part = &op->parts[op->part_count++];

        part->address = (UCHAR *)mdl->MappedSystemVa + offset;
        part->length = bytes < left ? bytes : left;
        port_range_lent(part->address, part->length);
        left -= part->length;
        offset = 0;
    }
    op->length = buffer->Length - left;
}

NTSTATUS wsk_irp_end(IRP *irp, NTSTATUS status, ULONG_PTR information)
{
    KIRQL irql;
    void *stack;

    if (irp == NULL) {
        return status;
    }
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    irql = bed_irql_raise(DISPATCH_LEVEL);
    stack = bed_stack_begin();
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    bed_stack_end(stack);
    bed_irql_lower(irql);
    return status;
}

struct wsk_op *wsk_op_begin(struct wsk_socket *socket, IRP *irp, enum wsk_kind kind, const WSK_BUF *buffer,
                            const char *routine, NTSTATUS *status)
{
    size_t count;
    struct wsk_op *op;

    *status = STATUS_INVALID_PARAMETER;
    if (!irp_usable(irp, routine)) {
        return NULL;
    }
    count = buffer != NULL ? count_parts(buffer, routine) : 0;
    IoSetNextIrpStackLocation(irp);
    IoGetCurrentIrpStackLocation(irp)->DeviceObject = NULL;
    op = kind != WSK_OP_CLOSE && bed_wsk_fault() ? NULL : bed_allocate(sizeof(*op) + count * sizeof(op->parts[0]));
    if (op == NULL) {
        *status = wsk_irp_end(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        return NULL;
    }
    list_init(&op->link);
    op->socket = socket;
    op->irp = irp;
    irp->Tail.Overlay.DriverContext[0] = NULL;
    op->kind = kind;
    if (buffer != NULL) {
        fill_parts(op, buffer);
    }
    IoMarkIrpPending(irp);
    *status = STATUS_PENDING;
    return op;
}

static void op_complete(struct wsk_op *op)
{
    IRP *irp = op->irp;
    NTSTATUS status = op->status;
    size_t done = op->done;

    for (size_t i = 0; i < op->part_count; i++) {
        port_range_returned(op->parts[i].address, op->parts[i].length);
    }
    bed_wsk_take_over(irp);
    bed_free(op);
    wsk_irp_end(irp, status, done);
}

/* IoCancelIrp. Between taking this routine out of the IRP and calling it the request may have ended. */
static VOID NTAPI op_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct wsk_op *op = irp->Tail.Overlay.DriverContext[0];
    struct wsk_socket *socket = op->socket;
    bool ended;

    (void)device;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    bed_mutex_acquire(&socket->lock);
    op->cancelled = true;
    op->cancel_seen = true;
    ended = op->ended;
    if (!ended) {
        /* While the lock is held the socket stays: the request keeps its thread alive. */
        wsk_wake_receiver(socket);
        wsk_wake_sender(socket);
    }
    bed_mutex_release(&socket->lock);
    if (ended) {
        op_complete(op);
    }
}

void wsk_op_queue(struct wsk_op *op, struct list_link *list)
{
    bed_wsk_hand_over(op->irp);
    list_append(list, &op->link);
    op->irp->Tail.Overlay.DriverContext[0] = op;
    IoSetCancelRoutine(op->irp, op_cancel);
    if (op->irp->Cancel && IoSetCancelRoutine(op->irp, NULL) != NULL) {
        op->cancelled = true;
        op->cancel_seen = true;
    }
}

/* Whether the request is the caller's to complete: the cancel routine will not come, or has been here already. */
static bool claim(struct wsk_op *op)
{
    struct wsk_socket *socket = op->socket;
    bool ours = true;

    if (op->irp->Tail.Overlay.DriverContext[0] != op || IoSetCancelRoutine(op->irp, NULL) != NULL) {
        return true;
    }
    bed_mutex_acquire(&socket->lock);
    if (!op->cancel_seen) {
        op->ended = true;
        ours = false;
    }
    bed_mutex_release(&socket->lock);
    return ours;
}

void wsk_op_end(struct wsk_op *op, NTSTATUS status, size_t information)
{
    op->status = status;
    op->done = information;
    if (claim(op)) {
        op_complete(op);
    }
}

size_t wsk_op_rest(const struct wsk_op *op, struct net_part *parts, size_t room)
{
    size_t skip = op->done;
    size_t count = 0;

    for (size_t i = 0; i < op->part_count && count < room; i++) {
        if (skip >= op->parts[i].length) {
            skip -= op->parts[i].length;
            continue;
        }
        parts[count].address = (UCHAR *)op->parts[i].address + skip;
        parts[count++].length = op->parts[i].length - skip;
        skip = 0;
    }
    return count;
}

/* What is just being sent stays on its list. */
static bool in_use(const struct wsk_socket *socket, const struct list_link *list)
{
    return list == &socket->sends && socket->sending;
}

static struct wsk_op *take_cancelled(struct wsk_socket *socket, struct list_link *list)
{
    struct wsk_op *found = NULL;

    bed_mutex_acquire(&socket->lock);
    for (struct list_link *at = list->next; at != list && found == NULL && !in_use(socket, list); at = at->next) {
        struct wsk_op *op = list_member(at, struct wsk_op, link);

        found = op->cancelled ? op : NULL;
    }
    if (found != NULL) {
        list_remove(&found->link);
    }
    bed_mutex_release(&socket->lock);
    return found;
}

bool wsk_end_cancelled(struct wsk_socket *socket, struct list_link *list)
{
    struct wsk_op *op;
    bool any = false;

    while ((op = take_cancelled(socket, list)) != NULL) {
        /* Half a message has gone out: the stream cannot be continued. */
        if (op->kind == WSK_OP_SEND && op->done != 0) {
            net_abort(socket->fd);
        }
        wsk_op_end(op, STATUS_CANCELLED, 0);
        any = true;
    }
    return any;
}

void wsk_end_all(struct wsk_socket *socket, struct list_link *list, NTSTATUS status)
{
    for (;;) {
        struct list_link *link;

        bed_mutex_acquire(&socket->lock);
        link = in_use(socket, list) ? NULL : list_take_first(list);
        bed_mutex_release(&socket->lock);
        if (link == NULL) {
            return;
        }
        wsk_op_end(list_member(link, struct wsk_op, link), status, 0);
    }
}
