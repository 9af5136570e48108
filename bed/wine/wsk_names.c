/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name resolution: winsock's GetAddrInfoW on a thread of its own for each question; it cannot be interrupted. */
#include "bed/wine/wsk.h"
#include "bed/wine/irql.h"
#include "bed/port/violation.h"

#define WINSOCK_VERSION 0x202
#define WSANO_RECOVERY  11003
#define NAME_CHARACTERS 256
#define WSADATA_BYTES   1024
#define STATUS_NO_SUCH  ((NTSTATUS)0xC0000225) /* STATUS_NOT_FOUND */

struct addrinfo_w {
    int flags;
    int family;
    int type;
    int protocol;
    size_t address_length;
    wchar_t *canonical_name;
    SOCKADDR *address;
    struct addrinfo_w *next;
};

__declspec(dllimport) int __stdcall WSAStartup(unsigned short version, void *data);
__declspec(dllimport) int __stdcall GetAddrInfoW(const wchar_t *node, const wchar_t *service,
                                                 const struct addrinfo_w *hints, struct addrinfo_w **result);
__declspec(dllimport) void __stdcall FreeAddrInfoW(struct addrinfo_w *list);

struct question {
    struct wsk_client *client;
    IRP *irp;
    ADDRINFOEXW **result;
    struct addrinfo_w hints;
    wchar_t node[NAME_CHARACTERS];
    wchar_t service[NAME_CHARACTERS];
    bool has_node;
    bool has_service;
};

struct entry {
    ADDRINFOEXW info;
    SOCKADDR_IN6 address;
};

static ADDRINFOEXW *copy_list(const struct addrinfo_w *list)
{
    struct entry *entries;
    size_t count = 0;

    for (const struct addrinfo_w *at = list; at != NULL; at = at->next) {
        count++;
    }
    entries = bed_allocate(count * sizeof(*entries));
    if (entries == NULL || count == 0) {
        bed_free(entries);
        return NULL;
    }
    for (struct entry *to = entries; list != NULL; list = list->next, to++) {
        size_t length = list->address_length < sizeof(to->address) ? list->address_length : sizeof(to->address);

        memcpy(&to->address, list->address, length);
        to->info.ai_family = list->family;
        to->info.ai_socktype = list->type;
        to->info.ai_protocol = list->protocol;
        to->info.ai_addrlen = length;
        to->info.ai_addr = (SOCKADDR *)&to->address;
        to->info.ai_next = list->next != NULL ? &to[1].info : NULL;
    }
    return &entries->info;
}

static NTSTATUS resolve(const struct question *question, ADDRINFOEXW **answer)
{
    struct addrinfo_w *list = NULL;
    UCHAR data[WSADATA_BYTES];
    int error = WSAStartup(WINSOCK_VERSION, data);

    if (error == 0) {
        error = GetAddrInfoW(question->has_node ? question->node : NULL,
                             question->has_service ? question->service : NULL, &question->hints, &list);
    }
    if (error != 0) {
        return error == WSANO_RECOVERY ? STATUS_UNSUCCESSFUL : STATUS_NO_SUCH;
    }
    *answer = copy_list(list);
    FreeAddrInfoW(list);
    return *answer != NULL ? STATUS_SUCCESS : STATUS_NO_SUCH;
}

static VOID NTAPI question_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    (void)device;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    wsk_irp_end(irp, STATUS_CANCELLED, 0);
}

static unsigned long __stdcall resolver(void *argument)
{
    struct question *question = argument;
    ADDRINFOEXW *answer = NULL;
    NTSTATUS status = resolve(question, &answer);

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
    return 0;
}

static bool copy_name(const UNICODE_STRING *name, wchar_t text[NAME_CHARACTERS])
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
        question->hints.flags = hints->ai_flags;
        question->hints.family = hints->ai_family;
        question->hints.type = hints->ai_socktype;
        question->hints.protocol = hints->ai_protocol;
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
