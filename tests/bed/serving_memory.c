/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bed/serving_memory.h"

/* ---- the section ---- */

static NTSTATUS make_section(struct memory *memory)
{
    LARGE_INTEGER size = {.QuadPart = SERVING_SECTION_BYTES};
    OBJECT_ATTRIBUTES attributes;
    NTSTATUS status;

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    status =
        ZwCreateSection(&memory->section, SECTION_ALL_ACCESS, &attributes, &size, PAGE_READWRITE, SEC_COMMIT, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ObReferenceObjectByHandle(memory->section, SECTION_ALL_ACCESS, NULL, KernelMode, &memory->object, NULL);
    if (!NT_SUCCESS(status)) {
        ZwClose(memory->section);
    }
    return status;
}

static NTSTATUS map_here(struct memory *memory)
{
    SIZE_T size = 0;
    NTSTATUS status = MmMapViewInSystemSpace(memory->object, &memory->view, &size);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    memory->mdl = IoAllocateMdl(memory->view, SERVING_SECTION_BYTES, FALSE, FALSE, NULL);
    status =
        memory->mdl != NULL ? ddk_lock_pages(memory->mdl, KernelMode, IoModifyAccess) : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(status)) {
        if (memory->mdl != NULL) {
            IoFreeMdl(memory->mdl);
        }
        MmUnmapViewInSystemSpace(memory->view);
        return status;
    }
    memory->data = MmGetSystemAddressForMdlSafe(memory->mdl, NormalPagePriority | MdlMappingNoExecute);
    return STATUS_SUCCESS;
}

static NTSTATUS map_there(struct memory *memory, IRP *irp, struct serving *command)
{
    PVOID base = NULL;
    SIZE_T size = 0;
    HANDLE process;
    NTSTATUS status;

    status = ObOpenObjectByPointer(IoGetRequestorProcess(irp), OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                   DDK_PROCESS_TYPE, KernelMode, &process);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ZwMapViewOfSection(memory->section, process, &base, 0, 0, NULL, &size, ViewUnmap, 0, PAGE_READWRITE);
    command->address = (ULONG_PTR)base;
    command->length = size;
    ZwClose(process);
    return status;
}

NTSTATUS memory_open(struct memory *memory, IRP *irp, struct serving *command)
{
    NTSTATUS status = make_section(memory);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = map_here(memory);
    if (!NT_SUCCESS(status)) {
        goto close_section;
    }
    status = map_there(memory, irp, command);
    if (NT_SUCCESS(status)) {
        return status;
    }
    memory_close(memory, SERVING_CAREFUL);
    return status;

close_section:
    ObDereferenceObject(memory->object);
    ZwClose(memory->section);
    return status;
}

void memory_close(struct memory *memory, enum serving_careless careless)
{
    if (careless != SERVING_LEAVES_PAGES_LOCKED) {
        MmUnlockPages(memory->mdl);
        IoFreeMdl(memory->mdl);
    }
    if (careless == SERVING_UNLOCKS_TWICE) {
        memory->mdl = IoAllocateMdl(memory->view, 1, FALSE, FALSE, NULL);
        MmUnlockPages(memory->mdl);
        IoFreeMdl(memory->mdl);
    }
    if (careless != SERVING_LEAVES_VIEW) {
        MmUnmapViewInSystemSpace(memory->view);
    }
    if (careless == SERVING_UNMAPS_TWICE) {
        MmUnmapViewInSystemSpace(memory->view);
    }
    if (careless == SERVING_TOUCHES_LATE) {
        *(volatile UCHAR *)memory->view = 1;
    }
    if (careless != SERVING_LEAVES_SECTION) {
        ObDereferenceObject(memory->object);
    }
    if (careless != SERVING_LEAVES_HANDLE) {
        ZwClose(memory->section);
    }
}

/* ---- the program's own memory ---- */

/* The pages of the command's range, locked, and their system address. */
static NTSTATUS lock(const struct serving *command, LOCK_OPERATION operation, MDL **mdl, UCHAR **data)
{
    NTSTATUS status;

    *mdl = IoAllocateMdl((PVOID)(ULONG_PTR)command->address, (ULONG)command->length, FALSE, FALSE, NULL);
    if (*mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ddk_lock_pages(*mdl, UserMode, operation);
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(*mdl);
        return status;
    }
    *data = MmGetSystemAddressForMdlSafe(*mdl, NormalPagePriority | MdlMappingNoExecute);
    return STATUS_SUCCESS;
}

static void unlock(MDL *mdl)
{
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

NTSTATUS memory_fill(const struct serving *command)
{
    UCHAR *data;
    MDL *mdl;
    NTSTATUS status = lock(command, IoWriteAccess, &mdl, &data);

    if (NT_SUCCESS(status)) {
        RtlFillMemory(data, (SIZE_T)command->length, (UCHAR)command->value);
        unlock(mdl);
    }
    return status;
}

NTSTATUS memory_sum(struct serving *command)
{
    UCHAR *data;
    MDL *mdl;
    NTSTATUS status = lock(command, IoReadAccess, &mdl, &data);

    command->value = 0;
    if (NT_SUCCESS(status)) {
        for (ULONG64 i = 0; i < command->length; i++) {
            command->value += data[i];
        }
        unlock(mdl);
    }
    return status;
}
