/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The miniport's device extension. It outlives the adapter until the driver unloads: whoever calls with it after
 * HwFreeAdapterResources is found out, and so is whoever writes to it.
 */
#include "bed/port/internal.h"

#define HEADER_ALIVE 0x45564c41u
#define HEADER_DEAD  0x44414544u

struct extension_header {
    ULONG magic;
    ULONG length;
    struct adapter *adapter; /* NULL when dead */
    struct miniport *miniport;
    struct extension_header *next; /* the dead ones, guarded by miniports_lock */
    ULONGLONG reserved;
};

static struct extension_header *dead_extensions;

NTSTATUS extension_create(struct adapter *adapter)
{
    ULONG length = adapter->config.DeviceExtensionSize;
    struct extension_header *header = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*header) + length, PORT_TAG);

    if (header == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(header, sizeof(*header) + length);
    header->magic = HEADER_ALIVE;
    header->length = length;
    header->adapter = adapter;
    header->miniport = adapter->miniport;
    adapter->header = header;
    adapter->extension = header + 1;
    return STATUS_SUCCESS;
}

void extension_bury(struct adapter *adapter)
{
    struct extension_header *header = adapter->header;
    KIRQL irql;

    header->magic = HEADER_DEAD;
    header->adapter = NULL;
    RtlFillMemory(header + 1, header->length, PORT_FILL);
    KeAcquireSpinLock(&miniports_lock, &irql);
    header->next = dead_extensions;
    dead_extensions = header;
    KeReleaseSpinLock(&miniports_lock, irql);
    adapter->extension = NULL;
    adapter->header = NULL;
}

struct adapter *adapter_of_extension(const void *extension, const char *caller)
{
    const struct extension_header *header = (const struct extension_header *)extension - 1;

    if (extension == NULL) {
        port_violation("extension: %s was called with a NULL device extension", caller);
        return NULL;
    }
    if (header->magic == HEADER_ALIVE) {
        return header->adapter;
    }
    if (header->magic == HEADER_DEAD) {
        port_violation("call-after-free: %s was called after HwFreeAdapterResources had returned", caller);
    } else {
        port_violation("extension: %s was called with %p, which is no device extension", caller, extension);
    }
    return NULL;
}

static void extension_check(const struct extension_header *header)
{
    const UCHAR *bytes = (const UCHAR *)(header + 1);

    for (ULONG i = 0; i < header->length; i++) {
        if (bytes[i] != PORT_FILL) {
            port_violation("extension-touched: byte 0x%lx of the device extension was written after "
                           "HwFreeAdapterResources had returned",
                           i);
            return;
        }
    }
}

/* At unload: the buried extensions of this miniport must be as they were left. */
void extensions_check(struct miniport *miniport)
{
    struct extension_header **link = &dead_extensions;

    while (*link != NULL) {
        struct extension_header *header = *link;

        if (header->miniport != miniport) {
            link = &header->next;
            continue;
        }
        *link = header->next;
        extension_check(header);
        ExFreePoolWithTag(header, PORT_TAG);
    }
}
