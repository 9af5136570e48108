/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locking pages. Client and driver are different processes here, so a requestor's memory is fetched into a copy and
 * what the driver wrote is put back when the pages are unlocked. The pages of a system view are mapped once more, so
 * that they have a system address of their own until then. Copy and mapping hang behind the MDL's flags in a list.
 */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/section.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

#define MEMORY_COMMITTED  0x3000 /* MEM_COMMIT | MEM_RESERVE */
#define MEMORY_RELEASE    0x8000
#define PAGE_WRITABLE     4
#define PROCESS_VM_ACCESS 0x0438 /* PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_QUERY_... */
#define COMMITTED         0x1000 /* MEM_COMMIT */
#define READABLE          0xEE   /* PAGE_READONLY and all above but PAGE_EXECUTE */
#define WRITABLE          0xCC   /* PAGE_READWRITE, PAGE_WRITECOPY, and both with PAGE_EXECUTE */

struct bounce {
    struct bounce *next;
    MDL *mdl;
    UCHAR *copy; /* page aligned; NULL: kernel memory, nothing was copied */
    void *alias; /* of a system view: for section_unmap; NULL: none */
    HANDLE process;
    bool write_back;
};

static struct bounce *bounces;
static RTL_SRWLOCK bounces_lock;

static void bounce_add(struct bounce *bounce)
{
    RtlAcquireSRWLockExclusive(&bounces_lock);
    bounce->next = bounces;
    bounces = bounce;
    RtlReleaseSRWLockExclusive(&bounces_lock);
}

static struct bounce *bounce_take(const MDL *mdl)
{
    struct bounce **at;
    struct bounce *found;

    RtlAcquireSRWLockExclusive(&bounces_lock);
    for (at = &bounces; *at != NULL && (*at)->mdl != mdl; at = &(*at)->next) {
    }
    found = *at;
    if (found != NULL) {
        *at = found->next;
    }
    RtlReleaseSRWLockExclusive(&bounces_lock);
    return found;
}

/* During a dispatch call the current process is the requestor. */
static NTSTATUS open_requestor(HANDLE *process)
{
    OBJECT_ATTRIBUTES attributes;
    CLIENT_ID id = {PsGetCurrentProcessId(), NULL};

    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwOpenProcess(process, PROCESS_VM_ACCESS, &attributes, &id);
}

/* Wine reads and writes another process's memory whatever its protection is, so that is looked at here. */
static bool is_accessible(HANDLE process, const UCHAR *from, SIZE_T length, ULONG protections)
{
    const UCHAR *end = from + length;

    while (from < end) {
        struct memory_region region;
        SIZE_T done;

        if (!NT_SUCCESS(NtQueryVirtualMemory(process, from, 0, &region, sizeof(region), &done)) ||
            region.state != COMMITTED || (region.protection & protections) == 0 ||
            (region.protection & PAGE_GUARD) != 0) {
            return false;
        }
        from = region.base + region.size;
    }
    return length != 0;
}

static NTSTATUS fetch(struct bounce *bounce, const MDL *mdl, LOCK_OPERATION operation)
{
    const UCHAR *from = (const UCHAR *)mdl->StartVa + mdl->ByteOffset;
    NTSTATUS status = open_requestor(&bounce->process);
    SIZE_T done;

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (!is_accessible(bounce->process, from, mdl->ByteCount, operation == IoReadAccess ? READABLE : WRITABLE)) {
        ZwClose(bounce->process);
        return STATUS_ACCESS_VIOLATION;
    }
    bounce->copy = VirtualAlloc(NULL, mdl->ByteOffset + mdl->ByteCount, MEMORY_COMMITTED, PAGE_WRITABLE);
    if (bounce->copy == NULL) {
        ZwClose(bounce->process);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = NtReadVirtualMemory(bounce->process, from, bounce->copy + mdl->ByteOffset, mdl->ByteCount, &done);
    if (!NT_SUCCESS(status) || done != mdl->ByteCount) {
        ZwClose(bounce->process);
        VirtualFree(bounce->copy, 0, MEMORY_RELEASE);
        return STATUS_ACCESS_VIOLATION;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    struct bounce *bounce = bed_allocate(sizeof(*bounce));
    UCHAR *pages = mdl->StartVa;
    NTSTATUS status = bounce != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;

    if (bounce != NULL && mode == UserMode) {
        status = fetch(bounce, mdl, operation);
    }
    if (!NT_SUCCESS(status)) {
        bed_free(bounce);
        return status;
    }
    bounce->mdl = mdl;
    bounce->write_back = operation != IoReadAccess;
    if (bounce->copy != NULL) {
        pages = bounce->copy;
    } else if (bed_irql() <= APC_LEVEL) {
        void *alias = section_alias(mdl->StartVa, &bounce->alias);

        pages = alias != NULL ? alias : pages;
    }
    mdl->MappedSystemVa = pages + mdl->ByteOffset;
    mdl->MdlFlags |= MDL_PAGES_LOCKED | (operation != IoReadAccess ? MDL_WRITE_OPERATION : 0);
    bounce_add(bounce);
    return STATUS_SUCCESS;
}

static VOID NTAPI shim_MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    struct bed_image *caller = BED_CALLER();
    NTSTATUS status;

    bed_irql_at_most(mode == UserMode ? APC_LEVEL : DISPATCH_LEVEL, "MmProbeAndLockPages");
    if (mdl->MdlFlags & MDL_PAGES_LOCKED) {
        port_violation("mdl: the pages of %p are locked already", (void *)mdl);
        return;
    }
    status = lock_pages(mdl, mode, operation);
    if (!NT_SUCCESS(status)) {
        RtlRaiseStatus(status);
    }
    BED_COUNT(caller, locked, 1);
}

static void give_back(const struct bounce *bounce, const MDL *mdl)
{
    SIZE_T done;

    if (bounce->write_back) {
        NtWriteVirtualMemory(bounce->process, (UCHAR *)mdl->StartVa + mdl->ByteOffset, bounce->copy + mdl->ByteOffset,
                             mdl->ByteCount, &done);
    }
    ZwClose(bounce->process);
    VirtualFree(bounce->copy, 0, MEMORY_RELEASE);
}

static VOID NTAPI shim_MmUnlockPages(PMDL mdl)
{
    struct bounce *bounce = bounce_take(mdl);

    if (bounce == NULL || !(mdl->MdlFlags & MDL_PAGES_LOCKED)) {
        port_violation("mdl: the pages of %p are unlocked but were not locked", (void *)mdl);
        return;
    }
    /* A mapping goes with the lock. */
    if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) {
        BED_COUNT(BED_CALLER(), mapped, -1);
    }
    mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_WRITE_OPERATION);
    BED_COUNT(BED_CALLER(), locked, -1);
    if (bounce->copy != NULL) {
        give_back(bounce, mdl);
    }
    if (bounce->alias != NULL) {
        section_unmap(bounce->alias);
    }
    bed_free(bounce);
}

const struct shim bed_lock_pages_shims[] = {
    SHIM_MEND(MmProbeAndLockPages),
    SHIM_MEND(MmUnlockPages),
    SHIM_END,
};
