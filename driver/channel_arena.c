/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/channel_arena.h"

static NTSTATUS make_section(struct arena_memory *memory, HANDLE *section)
{
    LARGE_INTEGER size = {.QuadPart = (LONGLONG)memory->size};
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwCreateSection(section, SECTION_ALL_ACCESS, &attributes, &size, PAGE_READWRITE, SEC_COMMIT, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ObReferenceObjectByHandle(*section, SECTION_ALL_ACCESS, NULL, KernelMode, &memory->section, NULL);
    if (!NT_SUCCESS(status)) {
        ZwClose(*section);
    }
    return status;
}

/* The view itself may lose its page table entries at any time; the mapping of the locked pages does not, so that it can
 * be used at DISPATCH_LEVEL. */
static NTSTATUS lock_view(struct arena_memory *memory)
{
    NTSTATUS status;

    memory->mdl = IoAllocateMdl(memory->view, (ULONG)memory->size, FALSE, FALSE, NULL);
    if (memory->mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ddk_lock_pages(memory->mdl, KernelMode, IoModifyAccess);
    if (!NT_SUCCESS(status)) { /* of the driver's own memory: a working set or a quota is too small */
        IoFreeMdl(memory->mdl);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    memory->address = MmGetSystemAddressForMdlSafe(memory->mdl, NormalPagePriority | MdlMappingNoExecute);
    if (memory->address == NULL) {
        MmUnlockPages(memory->mdl);
        IoFreeMdl(memory->mdl);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS map_for_driver(struct arena_memory *memory)
{
    SIZE_T size = memory->size;
    NTSTATUS status;

    memory->view = NULL;
    status = MmMapViewInSystemSpace(memory->section, &memory->view, &size);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = lock_view(memory);
    if (!NT_SUCCESS(status)) {
        MmUnmapViewInSystemSpace(memory->view);
    }
    return status;
}

/* Into the process that asks, whatever the context is in which Storport calls. */
static NTSTATUS map_for_program(HANDLE section, PIRP irp, SIZE_T size, PVOID *address)
{
    HANDLE process;
    NTSTATUS status = ObOpenObjectByPointer(IoGetRequestorProcess(irp), OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                            DDK_PROCESS_TYPE, KernelMode, &process);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    *address = NULL;
    status = ZwMapViewOfSection(section, process, address, 0, 0, NULL, &size, ViewUnmap, 0, PAGE_READWRITE);
    ZwClose(process);
    return status;
}

NTSTATUS arena_memory_make(struct arena_memory *memory, SIZE_T size, PIRP irp, PVOID *user_address)
{
    HANDLE section;
    NTSTATUS status;

    memory->size = size;
    status = make_section(memory, &section);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = map_for_driver(memory);
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(memory->section);
    } else {
        status = map_for_program(section, irp, size, user_address);
        if (!NT_SUCCESS(status)) {
            arena_memory_free(memory);
        }
    }
    ZwClose(section);
    return status;
}

void arena_memory_free(struct arena_memory *memory)
{
    MmUnlockPages(memory->mdl); /* and with it its mapping */
    IoFreeMdl(memory->mdl);
    MmUnmapViewInSystemSpace(memory->view);
    ObDereferenceObject(memory->section);
}
