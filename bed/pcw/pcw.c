/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registrations, and a consumer's way through them. */
#include "bed/pcw/pcw.h"

#include "bed/pcw/buffer.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#define TAG         0x77635042 /* "BPcw" */
#define NAME_LENGTH 128

struct _PCW_REGISTRATION {
    struct list_link link; /* guarded by lock */
    EX_RUNDOWN_REF askers; /* those whose callback runs */
    /* fixed after init */
    PPCW_CALLBACK callback;
    PVOID context;
    struct pcw_counters counters;
    USHORT name_length; /* in bytes */
    WCHAR name[NAME_LENGTH];
};

static KSPIN_LOCK lock; /* a word of zero is free */
static struct list_link registrations = {&registrations, &registrations};

/* ---- A provider comes and goes ---- */

static NTSTATUS check_information(const PCW_REGISTRATION_INFORMATION *information)
{
    if (information->Version != PCW_VERSION_1 || information->Flags != PcwRegistrationNone) {
        return STATUS_INVALID_PARAMETER_2; /* as 10.0.17763 answers */
    }
    if (information->Name->Length == 0 || information->Name->Length % sizeof(WCHAR) != 0 ||
        information->Name->Length > sizeof(((PPCW_REGISTRATION)0)->name)) {
        return STATUS_INVALID_PARAMETER_2;
    }
    if (information->Callback == NULL) {
        port_violation("pcw: providers without a callback are not supported by the bed");
        return STATUS_INVALID_PARAMETER_2;
    }
    return pcw_counters_check(information->Counters, information->CounterCount) ? STATUS_SUCCESS
                                                                                : STATUS_INVALID_PARAMETER_2;
}

static void insert(PPCW_REGISTRATION registration)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    list_append(&registrations, &registration->link);
    KeReleaseSpinLock(&lock, irql);
}

NTSTATUS bed_pcw_register(PPCW_REGISTRATION *result, const PCW_REGISTRATION_INFORMATION *information)
{
    PPCW_REGISTRATION registration;
    NTSTATUS status;

    bed_irql_at_most(APC_LEVEL, "PcwRegister");
    status = check_information(information);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    registration = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*registration), TAG);
    if (registration == NULL) {
        return STATUS_NO_MEMORY;
    }
    RtlZeroMemory(registration, sizeof(*registration));
    ExInitializeRundownProtection(&registration->askers);
    registration->callback = information->Callback;
    registration->context = information->CallbackContext;
    pcw_counters_copy(&registration->counters, information->Counters, information->CounterCount);
    registration->name_length = information->Name->Length;
    RtlCopyMemory(registration->name, information->Name->Buffer, information->Name->Length);
    insert(registration);
    *result = registration;
    return STATUS_SUCCESS;
}

void bed_pcw_unregister(PPCW_REGISTRATION registration)
{
    KIRQL irql;

    bed_irql_at_most(APC_LEVEL, "PcwUnregister");
    KeAcquireSpinLock(&lock, &irql);
    list_remove(&registration->link);
    KeReleaseSpinLock(&lock, irql);
    ExWaitForRundownProtectionRelease(&registration->askers);
    ExFreePoolWithTag(registration, TAG);
}

ULONG bed_pcw_count(void)
{
    ULONG count = 0;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    for (struct list_link *at = registrations.next; at != &registrations; at = at->next) {
        count++;
    }
    KeReleaseSpinLock(&lock, irql);
    return count;
}

/* ---- A consumer asks ---- */

static bool provides(PPCW_REGISTRATION registration, PCUNICODE_STRING name)
{
    UNICODE_STRING own = {.Buffer = registration->name, .Length = registration->name_length};

    own.MaximumLength = own.Length;
    return RtlCompareUnicodeString(&own, name, TRUE) == 0;
}

/* The provider of the set that has `skip` others before it, for release; NULL. */
static PPCW_REGISTRATION acquire(PCUNICODE_STRING name, ULONG skip)
{
    PPCW_REGISTRATION found = NULL;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    for (struct list_link *at = registrations.next; at != &registrations && found == NULL; at = at->next) {
        PPCW_REGISTRATION registration = list_member(at, struct _PCW_REGISTRATION, link);

        if (provides(registration, name) && skip-- == 0 && ExAcquireRundownProtection(&registration->askers)) {
            found = registration;
        }
    }
    KeReleaseSpinLock(&lock, irql);
    return found;
}

/* At the highest level that is documented for it. */
static void call(PPCW_REGISTRATION registration, PCW_CALLBACK_TYPE type, PPCW_CALLBACK_INFORMATION information)
{
    unsigned char irql = bed_irql_raise(APC_LEVEL);

    registration->callback(type, information, registration->context);
    if (bed_irql() != APC_LEVEL) {
        port_violation("pcw: a callback was left at IRQL %u", bed_irql());
    }
    bed_irql_lower(irql);
}

/* A query of all counters of all instances: told, asked once, taken back. */
static void query(PPCW_REGISTRATION registration, bool with_values, PPCW_BUFFER buffer)
{
    UNICODE_STRING all = {.Buffer = (PWSTR)(ULONG_PTR)L"*", .Length = sizeof(WCHAR), .MaximumLength = sizeof(WCHAR)};
    PCW_CALLBACK_INFORMATION filter = {.AddCounter = {.CounterMask = ~0ULL, .InstanceMask = &all}};
    PCW_CALLBACK_INFORMATION question = {.CollectData = {.CounterMask = ~0ULL,
                                                         .InstanceMask = &all,
                                                         .InstanceId = PCW_ANY_INSTANCE_ID,
                                                         .CollectMultiple = TRUE,
                                                         .Buffer = buffer}};

    call(registration, PcwCallbackAddCounter, &filter);
    call(registration, with_values ? PcwCallbackCollectData : PcwCallbackEnumerateInstances, &question);
    call(registration, PcwCallbackRemoveCounter, &filter);
}

ULONG bed_pcw_collect(PCUNICODE_STRING name, bool with_values, struct bed_instance *instances, ULONG room)
{
    PPCW_BUFFER buffer = pcw_buffer_open(instances, room);
    PPCW_REGISTRATION registration;
    ULONG asked = 0;

    if (buffer == NULL) {
        return 0;
    }
    while ((registration = acquire(name, asked)) != NULL) {
        pcw_buffer_ask(buffer, with_values ? &registration->counters : NULL);
        query(registration, with_values, buffer);
        ExReleaseRundownProtection(&registration->askers);
        asked++;
    }
    return pcw_buffer_close(buffer);
}
