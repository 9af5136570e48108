/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MDLs. Every MDL here that describes memory at all has its system address in MappedSystemVa, whatever its flags say;
 * the flags follow what Windows does, and breaking its rules is reported.
 */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

#define PAGE_BYTES 4096u
#define MAPPED     (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)

static UCHAR *virtual_address(const MDL *mdl)
{
    return (UCHAR *)mdl->StartVa + mdl->ByteOffset;
}

static SIZE_T pages(const void *address, SIZE_T length)
{
    return (((ULONG_PTR)address & (PAGE_BYTES - 1)) + length + PAGE_BYTES - 1) / PAGE_BYTES;
}

static VOID NTAPI shim_MmBuildMdlForNonPagedPool(PMDL mdl)
{
    if (mdl->MdlFlags & (MAPPED | MDL_PAGES_LOCKED | MDL_PARTIAL)) {
        port_violation("mdl: MmBuildMdlForNonPagedPool of %p with flags 0x%x", (void *)mdl, mdl->MdlFlags);
    }
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = virtual_address(mdl);
}

static void check_partial(const MDL *source, const MDL *target, const UCHAR *address, ULONG length)
{
    const UCHAR *begin = virtual_address(source);
    SIZE_T room = (SIZE_T)(target->Size - (CSHORT)sizeof(MDL)) / sizeof(PFN_NUMBER);

    if (!(source->MdlFlags & (MAPPED | MDL_PAGES_LOCKED | MDL_PARTIAL))) {
        port_violation("mdl: partial of %p, which is neither locked nor built (flags 0x%x)", (const void *)source,
                       source->MdlFlags);
    }
    if (address < begin || address + length > begin + source->ByteCount) {
        port_violation("mdl: partial [%p, +%u) outside its source [%p, +%u)", (const void *)address, (unsigned)length,
                       (const void *)begin, (unsigned)source->ByteCount);
    }
    if (pages(address, length) > room) {
        port_violation("mdl: %p has room for %u pages, the partial needs %u", (const void *)target, (unsigned)room,
                       (unsigned)pages(address, length));
    }
    if (target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) {
        port_violation("mdl: %p is built again without MmPrepareMdlForReuse", (const void *)target);
    }
}

static VOID NTAPI shim_IoBuildPartialMdl(PMDL source, PMDL target, PVOID address, ULONG length)
{
    SIZE_T distance = (SIZE_T)((UCHAR *)address - virtual_address(source));

    if (length == 0) {
        length = source->ByteCount - (ULONG)distance;
    }
    check_partial(source, target, address, length);
    target->Process = source->Process;
    target->StartVa = (void *)((ULONG_PTR)address & ~(ULONG_PTR)(PAGE_BYTES - 1));
    target->ByteOffset = (ULONG)((ULONG_PTR)address & (PAGE_BYTES - 1));
    target->ByteCount = length;
    target->MdlFlags =
        (CSHORT)((target->MdlFlags & MDL_ALLOCATED_FIXED_SIZE) | (source->MdlFlags & MAPPED) | MDL_PARTIAL);
    target->MappedSystemVa = (UCHAR *)source->MappedSystemVa + distance;
}

static PVOID NTAPI shim_MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache,
                                                     PVOID address, ULONG bug_check, ULONG priority)
{
    (void)cache;
    (void)address;
    (void)bug_check;
    (void)priority;
    if (mode != KernelMode) {
        port_violation("mdl: mapping %p into user space is not supported here", (void *)mdl);
        return NULL;
    }
    if (mdl->MdlFlags & MAPPED || !(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL))) {
        port_violation("mdl: mapping %p, which is %s", (void *)mdl,
                       mdl->MdlFlags & MAPPED ? "mapped already" : "neither locked nor partial");
    }
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if (mdl->MdlFlags & MDL_PARTIAL) {
        mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    }
    BED_COUNT(BED_CALLER(), mapped, 1);
    return mdl->MappedSystemVa;
}

static PVOID NTAPI shim_MmMapLockedPages(PMDL mdl, KPROCESSOR_MODE mode)
{
    return shim_MmMapLockedPagesSpecifyCache(mdl, mode, MmCached, NULL, 1, NormalPagePriority);
}

static VOID NTAPI shim_MmUnmapLockedPages(PVOID address, PMDL mdl)
{
    if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || address != mdl->MappedSystemVa) {
        port_violation("mdl: unmapping %p of %p, which is mapped at %p (flags 0x%x)", address, (void *)mdl,
                       mdl->MappedSystemVa, mdl->MdlFlags);
    }
    mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    BED_COUNT(BED_CALLER(), mapped, -1);
}

static SIZE_T NTAPI shim_MmSizeOfMdl(PVOID base, SIZE_T length)
{
    return sizeof(MDL) + sizeof(PFN_NUMBER) * pages(base, length);
}

static PMDL NTAPI shim_IoAllocateMdl(PVOID address, ULONG length, BOOLEAN secondary, BOOLEAN quota, PIRP irp)
{
    PMDL mdl;

    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateMdl");
    mdl = IoAllocateMdl(address, length, secondary, quota, irp);
    if (mdl != NULL) {
        /* Wine states less. Nothing here ever writes page numbers behind the MDL. */
        mdl->Size = (CSHORT)(sizeof(MDL) + sizeof(PFN_NUMBER) * pages(address, length));
        BED_COUNT(BED_CALLER(), mdls, 1);
        BED_COUNT(BED_CALLER(), mdls_made, 1);
        BED_COUNT(BED_CALLER(), mdl_bytes, mdl->Size);
    }
    return mdl;
}

static VOID NTAPI shim_IoFreeMdl(PMDL mdl)
{
    if (mdl->MdlFlags & MDL_PAGES_LOCKED) {
        port_violation("mdl: %p is freed while its pages are locked", (void *)mdl);
    }
    /* Windows undoes the mapping of a partial MDL here. */
    if (mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) {
        BED_COUNT(BED_CALLER(), mapped, -1);
    }
    BED_COUNT(BED_CALLER(), mdls, -1);
    BED_COUNT(BED_CALLER(), mdl_bytes, -mdl->Size);
    IoFreeMdl(mdl);
}

const struct shim bed_mdl_shims[] = {
    SHIM_MEND(MmBuildMdlForNonPagedPool),
    SHIM_MEND(IoBuildPartialMdl),
    SHIM_MEND(MmMapLockedPagesSpecifyCache),
    SHIM_MEND(MmMapLockedPages),
    SHIM_MEND(MmUnmapLockedPages),
    SHIM_MEND(MmSizeOfMdl),
    SHIM_CHECK(IoAllocateMdl),
    SHIM_CHECK(IoFreeMdl),
    SHIM_END,
};
