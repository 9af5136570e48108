/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name resolution: bed_resolve on a thread of its own for each question; it cannot be interrupted. */
#include "bed/wsk/wsk.h"
#include "bed/port/violation.h"

#define NAME_CHARACTERS 256

struct question {
    struct bed_mutex lock;
    bool cancelled; /* guarded by lock: the cancel routine has the IRP */
    LONG users;     /* the resolver, and the cancel routine when it runs; who is last frees it */
    struct wsk_client *client;
    IRP *irp; /* not to be looked at once `cancelled` */
    ADDRINFOEXW **result;
    ADDRINFOEXW hints;
    WCHAR node[NAME_CHARACTERS];
    WCHAR service[NAME_CHARACTERS];
    bool has_node;
    bool has_service;
};

static void question_leave(struct question *question)
{
    if (InterlockedDecrement(&question->users) == 0) {
        bed_free(question);
    }
}

static VOID NTAPI question_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct question *question = irp->Tail.Overlay.DriverContext[0];

    (void)device;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    bed_mutex_acquire(&question->lock);
    question->cancelled = true;
    bed_mutex_release(&question->lock);
    question_leave(question);
    wsk_irp_end(irp, STATUS_CANCELLED, 0);
}

/* Whether the IRP is the resolver's to complete; else the cancel routine has been there or is about to. */
static bool claim(struct question *question)
{
    bool ours;

    bed_mutex_acquire(&question->lock);
    ours = !question->cancelled && IoSetCancelRoutine(question->irp, NULL) != NULL;
    bed_mutex_release(&question->lock);
    return ours;
}

static void resolver(void *argument)
{
    struct question *question = argument;
    ADDRINFOEXW *answer = NULL;
    NTSTATUS status = bed_resolve(question->has_node ? question->node : NULL,
                                  question->has_service ? question->service : NULL, &question->hints, &answer);

    if (!claim(question)) {
        bed_free(answer); /* the place for it is gone */
        question_leave(question);
        return;
    }
    if (answer != NULL) {
        *question->result = answer;
        InterlockedIncrement(&question->client->names);
    }
    wsk_irp_end(question->irp, status, 0);
    bed_free(question); /* there is no cancel routine any more */
}

static bool copy_name(const UNICODE_STRING *name, WCHAR text[NAME_CHARACTERS])
{
    size_t count = name != NULL ? name->Length / sizeof(WCHAR) : 0;

    if (count == 0 || count >= NAME_CHARACTERS) {
        return false;
    }
    memcpy(text, name->Buffer, count * sizeof(WCHAR));
    return true;
}

static struct question *question_create(struct wsk_client *client, const UNICODE_STRING *node,
                                        const UNICODE_STRING *service, const ADDRINFOEXW *hints)
{
    struct question *question = bed_allocate(sizeof(*question));

    if (question == NULL) {
        return NULL;
    }
    question->client = client;
    question->has_node = copy_name(node, question->node);
    question->has_service = copy_name(service, question->service);
    if (hints != NULL) {
        question->hints = *hints;
    }
    return question;
}

NTSTATUS WSKAPI wsk_get_address_info(PWSK_CLIENT client, PUNICODE_STRING node, PUNICODE_STRING service,
                                     ULONG name_space, GUID *provider, PADDRINFOEXW hints, PADDRINFOEXW *result,
                                     PEPROCESS process, PETHREAD thread, PIRP irp)
{
    struct question *question;
    struct wsk_op *op;
    NTSTATUS status;

    (void)name_space;
    (void)provider;
    (void)process;
    (void)thread;
    bed_irql_at_most(PASSIVE_LEVEL, "WskGetAddressInfo");
    op = wsk_op_begin(NULL, irp, WSK_OP_SIMPLE, NULL, "WskGetAddressInfo", &status);
    if (op == NULL) {
        return status;
    }
    question = question_create(client, node, service, hints);
    if (question == NULL || !(question->has_node || question->has_service)) {
        bed_free(question);
        wsk_op_end(op, question == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER, 0);
        return STATUS_INVALID_PARAMETER;
    }
    bed_free(op); /* it was for the checks */
    question->users = 2;
    question->irp = irp;
    question->result = result;
    irp->Tail.Overlay.DriverContext[0] = question;
    IoSetCancelRoutine(irp, question_cancel);
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
        bed_free(question);
        return wsk_irp_end(irp, STATUS_CANCELLED, 0);
    }
    if (!bed_thread_start(resolver, question)) {
        if (claim(question)) {
            bed_free(question);
            wsk_irp_end(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        } else {
            question_leave(question);
        }
    }
    return STATUS_PENDING;
}

VOID WSKAPI wsk_free_address_info(PWSK_CLIENT client, PADDRINFOEXW info)
{
    struct wsk_client *owner = client;

    bed_irql_at_most(PASSIVE_LEVEL, "WskFreeAddressInfo");
    if (info != NULL) {
        InterlockedDecrement(&owner->names);
        bed_free(info);
    }
}

NTSTATUS WSKAPI wsk_get_name_info(PWSK_CLIENT client, PSOCKADDR address, ULONG length, PUNICODE_STRING node,
                                  PUNICODE_STRING service, ULONG flags, PEPROCESS process, PETHREAD thread, PIRP irp)
{
    struct wsk_op *op;
    NTSTATUS status;

    (void)client;
    (void)address;
    (void)length;
    (void)node;
    (void)service;
    (void)flags;
    (void)process;
    (void)thread;
    op = wsk_op_begin(NULL, irp, WSK_OP_SIMPLE, NULL, "WskGetNameInfo", &status);
    if (op != NULL) {
        status = STATUS_NOT_SUPPORTED;
        wsk_op_end(op, status, 0);
    }
    return status;
}
