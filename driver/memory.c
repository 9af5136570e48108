/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/memory.h"

/* ExAllocatePool2, for which the kit has no type of its own. */
typedef PVOID NTAPI allocate_pool2_function(POOL_FLAGS flags, SIZE_T size, ULONG tag);

/* Fixed after memory_init. NULL before Windows 10 2004 (build 19041). */
static allocate_pool2_function *allocate_pool2;

void memory_init(void)
{
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, L"ExAllocatePool2");
    allocate_pool2 = (allocate_pool2_function *)MmGetSystemRoutineAddress(&name);
}

void *memory_allocate(size_t size, ULONG tag)
{
    void *memory;

    if (allocate_pool2 != NULL) {
        return allocate_pool2(POOL_FLAG_NON_PAGED, size, tag);
    }
    memory = ExAllocatePoolWithTag(NonPagedPoolNx, size, tag);
    if (memory != NULL) {
        RtlZeroMemory(memory, size);
    }
    return memory;
}

void memory_free(void *memory, ULONG tag)
{
    if (memory != NULL) {
        ExFreePoolWithTag(memory, tag);
    }
}
