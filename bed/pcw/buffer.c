/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/pcw/buffer.h"

#include "bed/port/control.h"
#include "bed/port/violation.h"

#include <string.h>

#define TAG    0x62635042 /* "BPcb" */
#define OPEN   0x6f706e42
#define MAX_ID 0xFFFFFFFD

struct _PCW_BUFFER {
    ULONG open; /* OPEN, or it is none */
    ULONG room;
    ULONG count;
    struct bed_instance *instances;      /* borrows */
    const struct pcw_counters *counters; /* borrows; NULL: names alone */
};

C_ASSERT(PCW_COUNTERS_MAX == BED_COUNTERS_MAX);

/* ---- Counters ---- */

bool pcw_counters_check(const PCW_COUNTER_DESCRIPTOR *counters, ULONG count)
{
    ULONG64 ids = 0;

    for (ULONG i = 0; i < count; i++) {
        if (counters[i].Id >= 64 || (ids >> counters[i].Id & 1) != 0 ||
            (counters[i].Size != sizeof(ULONG) && counters[i].Size != sizeof(ULONG64))) {
            port_violation("pcw: a counter with the id %u and %u bytes", counters[i].Id, counters[i].Size);
            return false;
        }
        ids |= 1ULL << counters[i].Id;
    }
    return count != 0 && count <= PCW_COUNTERS_MAX;
}

void pcw_counters_copy(struct pcw_counters *to, const PCW_COUNTER_DESCRIPTOR *counters, ULONG count)
{
    to->count = count;
    RtlCopyMemory(to->all, counters, count * sizeof(counters[0]));
}

/* ---- Life ---- */

PPCW_BUFFER pcw_buffer_open(struct bed_instance *instances, ULONG room)
{
    PPCW_BUFFER buffer = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*buffer), TAG);

    if (buffer != NULL) {
        RtlZeroMemory(buffer, sizeof(*buffer));
        buffer->open = OPEN;
        buffer->instances = instances;
        buffer->room = room;
    }
    return buffer;
}

void pcw_buffer_ask(PPCW_BUFFER buffer, const struct pcw_counters *counters)
{
    buffer->counters = counters;
}

ULONG pcw_buffer_close(PPCW_BUFFER buffer)
{
    ULONG count = buffer->count;

    buffer->open = 0;
    ExFreePoolWithTag(buffer, TAG);
    return count;
}

/* ---- Instances ---- */

static bool same_name(const struct bed_instance *instance, PCUNICODE_STRING name)
{
    UNICODE_STRING other;

    RtlInitUnicodeString(&other, instance->name);
    return RtlCompareUnicodeString(&other, name, FALSE) == 0;
}

static void check_instance(PPCW_BUFFER buffer, PCUNICODE_STRING name, ULONG id)
{
    if (name->Length == 0 || name->Length % sizeof(WCHAR) != 0 ||
        name->Length / sizeof(WCHAR) >= BED_INSTANCE_NAME_LENGTH) {
        port_violation("pcw: an instance with a name of %u bytes", name->Length);
    }
    if (id > MAX_ID) {
        port_violation("pcw: an instance with the id 0x%lx", id);
    }
    for (ULONG i = 0; i < buffer->count; i++) {
        if (buffer->instances[i].id == id || same_name(&buffer->instances[i], name)) {
            port_violation("pcw: the instance %lu is there already", id);
        }
    }
}

static NTSTATUS take_value(const PCW_COUNTER_DESCRIPTOR *counter, ULONG count, const PCW_DATA *data,
                           struct bed_counter_value *value)
{
    const PCW_DATA *block = &data[counter->StructIndex];

    if (counter->StructIndex >= count || (ULONG)counter->Offset + counter->Size > block->Size) {
        port_violation("pcw: counter %u is outside of the instance's data", counter->Id);
        return STATUS_INVALID_BUFFER_SIZE;
    }
    value->id = counter->Id;
    value->size = counter->Size;
    value->value = 0;
    memcpy(&value->value, (const UCHAR *)block->Data + counter->Offset, counter->Size);
    return STATUS_SUCCESS;
}

static NTSTATUS take_values(const struct pcw_counters *counters, ULONG count, const PCW_DATA *data,
                            struct bed_instance *instance)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (ULONG i = 0; i < counters->count && NT_SUCCESS(status); i++) {
        status = take_value(&counters->all[i], count, data, &instance->values[i]);
    }
    instance->value_count = counters->count;
    return status;
}

NTSTATUS bed_pcw_add(PPCW_BUFFER buffer, PCUNICODE_STRING name, ULONG id, ULONG count, const PCW_DATA *data)
{
    struct bed_instance *instance;
    NTSTATUS status = STATUS_SUCCESS;

    bed_irql_at_most(APC_LEVEL, "PcwAddInstance");
    if (buffer->open != OPEN) {
        port_violation("pcw: PcwAddInstance to a buffer that is not the callback's");
        return STATUS_INVALID_HANDLE;
    }
    check_instance(buffer, name, id);
    if (buffer->count == buffer->room) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    instance = &buffer->instances[buffer->count];
    RtlZeroMemory(instance, sizeof(*instance));
    instance->id = id;
    memcpy(instance->name, name->Buffer, min(name->Length, sizeof(instance->name) - sizeof(WCHAR)));
    if (buffer->counters != NULL) {
        status = take_values(buffer->counters, count, data, instance);
    }
    buffer->count += NT_SUCCESS(status);
    return status;
}
