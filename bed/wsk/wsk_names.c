/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name resolution: bed_resolve on a thread of its own for each question; it cannot be interrupted. */
#include "bed/wsk/wsk.h"
#include "bed/port/violation.h"

#define NAME_CHARACTERS 256

struct question {
    struct wsk_client *client;
    IRP *irp;
    ADDRINFOEXW **result;
    ADDRINFOEXW hints;
    WCHAR node[NAME_CHARACTERS];
    WCHAR service[NAME_CHARACTERS];
    bool has_node;
    bool has_service;
};

static VOID NTAPI question_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    (void)device;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    wsk_irp_end(irp, STATUS_CANCELLED, 0);
}

static void resolver(void *argument)
{
    struct question *question = argument;
    ADDRINFOEXW *answer = NULL;
    NTSTATUS status = bed_resolve(question->has_node ? question->node : NULL,
                                  question->has_service ? question->service : NULL, &question->hints, &answer);

    /* Cancelled meanwhile: the IRP and the place for the answer are gone. */
    if (IoSetCancelRoutine(question->irp, NULL) == NULL) {
        bed_free(answer);
    } else {
        if (answer != NULL) {
            *question->result = answer;
            InterlockedIncrement(&question->client->names);
        }
        wsk_irp_end(question->irp, status, 0);
    }
    bed_free(question);
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
    question->irp = irp;
    question->result = result;
    IoSetCancelRoutine(irp, question_cancel);
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
        bed_free(question);
        return wsk_irp_end(irp, STATUS_CANCELLED, 0);
    }
    if (!bed_thread_start(resolver, question)) {
        bed_free(question);
        if (IoSetCancelRoutine(irp, NULL) != NULL) {
            wsk_irp_end(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
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
