/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MDLs. Every MDL that describes memory at all has its system address in MappedSystemVa, whatever its flags say; the
 * flags follow what Windows does, and breaking its rules is reported.
 */
#include "bed/host/mdl.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/pool.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdlib.h>

#define MAPPED (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)

/* Before an MDL of IoAllocateMdl. */
struct header {
    struct list_link link; /* guarded by lock */
    const void *caller;
    ULONGLONG mark;
};

#define MDL_MARK 0x6c646d6c646d6c64ULL

static struct bed_lock lock;
static struct list_link mdls = {&mdls, &mdls};

SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length);
}

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    struct header *header;
    PMDL mdl;

    UNREFERENCED_PARAMETER(ChargeQuota);
    bed_irql_at_most(DISPATCH_LEVEL, "IoAllocateMdl");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_MDL)) {
        return NULL;
    }
    if (SecondaryBuffer) {
        port_violation("mdl: IoAllocateMdl with SecondaryBuffer is not supported by the bed");
    }
    header = malloc(sizeof(*header) + MmSizeOfMdl(VirtualAddress, Length));
    if (header == NULL) {
        return NULL;
    }
    header->caller = __builtin_return_address(0);
    header->mark = MDL_MARK;
    bed_lock_unseen(&lock);
    list_append(&mdls, &header->link);
    bed_unlock_unseen(&lock);
    mdl = (PMDL)(header + 1);
    RtlZeroMemory(mdl, sizeof(*mdl));
    MmInitializeMdl(mdl, VirtualAddress, Length);
    if (Irp != NULL) {
        Irp->MdlAddress = mdl;
    }
    return mdl;
}

VOID IoFreeMdl(PMDL Mdl)
{
    struct header *header = (struct header *)Mdl - 1;

    bed_irql_at_most(DISPATCH_LEVEL, "IoFreeMdl");
    if (header->mark != MDL_MARK) {
        port_violation("mdl: %p is freed and is not of IoAllocateMdl", (void *)Mdl);
        abort();
    }
    if ((Mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        port_violation("mdl: %p is freed while its pages are locked", (void *)Mdl);
    }
    bed_lock_unseen(&lock);
    list_remove(&header->link);
    bed_unlock_unseen(&lock);
    header->mark = 0;
    free(header);
}

VOID MmBuildMdlForNonPagedPool(PMDL Mdl)
{
    bed_irql_at_most(DISPATCH_LEVEL, "MmBuildMdlForNonPagedPool");
    if ((Mdl->MdlFlags & (MAPPED | MDL_PAGES_LOCKED | MDL_PARTIAL)) != 0) {
        port_violation("mdl: MmBuildMdlForNonPagedPool of %p with flags 0x%x", (void *)Mdl, Mdl->MdlFlags);
    }
    if (!bed_pool_holds(MmGetMdlVirtualAddress(Mdl), Mdl->ByteCount)) {
        port_violation("mdl: MmBuildMdlForNonPagedPool of [%p, +%u), which is not nonpaged pool",
                       MmGetMdlVirtualAddress(Mdl), Mdl->ByteCount);
    }
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
}

static void check_partial(const MDL *source, const MDL *target, const UCHAR *address, ULONG length)
{
    const UCHAR *begin = MmGetMdlVirtualAddress(source);
    SIZE_T room = (SIZE_T)(target->Size - (CSHORT)sizeof(MDL)) / sizeof(PFN_NUMBER);

    if ((source->MdlFlags & (MAPPED | MDL_PAGES_LOCKED | MDL_PARTIAL)) == 0) {
        port_violation("mdl: partial of %p, which is neither locked nor built (flags 0x%x)", (const void *)source,
                       source->MdlFlags);
    }
    if (address < begin || address + length > begin + source->ByteCount) {
        port_violation("mdl: partial [%p, +%u) outside its source [%p, +%u)", (const void *)address, length,
                       (const void *)begin, source->ByteCount);
    }
    if (ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length) > room) {
        port_violation("mdl: %p has room for %u pages, the partial needs %u", (const void *)target, (unsigned)room,
                       ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length));
    }
    if ((target->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) != 0) {
        port_violation("mdl: %p is built again without MmPrepareMdlForReuse", (const void *)target);
    }
}

VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    SIZE_T distance = (SIZE_T)((PUCHAR)VirtualAddress - (PUCHAR)MmGetMdlVirtualAddress(SourceMdl));

    bed_irql_at_most(DISPATCH_LEVEL, "IoBuildPartialMdl");
    if (Length == 0) {
        Length = SourceMdl->ByteCount - (ULONG)distance;
    }
    check_partial(SourceMdl, TargetMdl, VirtualAddress, Length);
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->StartVa = (PVOID)((ULONG_PTR)VirtualAddress & ~(ULONG_PTR)(PAGE_SIZE - 1));
    TargetMdl->ByteOffset = (ULONG)((ULONG_PTR)VirtualAddress & (PAGE_SIZE - 1));
    TargetMdl->ByteCount = Length;
    TargetMdl->MdlFlags =
        (CSHORT)((TargetMdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE) | (SourceMdl->MdlFlags & MAPPED) | MDL_PARTIAL);
    TargetMdl->MappedSystemVa = (PUCHAR)SourceMdl->MappedSystemVa + distance;
}

PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE AccessMode, MEMORY_CACHING_TYPE CacheType,
                                   PVOID RequestedAddress, ULONG BugCheckOnFailure, ULONG Priority)
{
    UNREFERENCED_PARAMETER(CacheType);
    UNREFERENCED_PARAMETER(RequestedAddress);
    UNREFERENCED_PARAMETER(BugCheckOnFailure);
    UNREFERENCED_PARAMETER(Priority);
    bed_irql_at_most(AccessMode == KernelMode ? DISPATCH_LEVEL : APC_LEVEL, "MmMapLockedPagesSpecifyCache");
    if ((Mdl->MdlFlags & MAPPED) != 0 || (Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL)) == 0) {
        port_violation("mdl: mapping %p, which is %s", (void *)Mdl,
                       (Mdl->MdlFlags & MAPPED) != 0 ? "mapped already" : "neither locked nor partial");
    }
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_MAP)) {
        return NULL;
    }
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if ((Mdl->MdlFlags & MDL_PARTIAL) != 0) {
        Mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    }
    return Mdl->MappedSystemVa;
}

VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl)
{
    bed_irql_at_most(DISPATCH_LEVEL, "MmUnmapLockedPages");
    if ((Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0 || BaseAddress != Mdl->MappedSystemVa) {
        port_violation("mdl: unmapping %p of %p, which is mapped at %p (flags 0x%x)", BaseAddress, (void *)Mdl,
                       Mdl->MappedSystemVa, Mdl->MdlFlags);
    }
    Mdl->MdlFlags &= (CSHORT) ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

ULONG bed_mdls_check(void)
{
    ULONG count = 0;

    bed_lock_unseen(&lock);
    for (struct list_link *link = mdls.next; link != &mdls; link = link->next) {
        char where[BED_PLACE_LENGTH];

        port_violation("mdl-leak: an MDL made at %s", bed_place(list_member(link, struct header, link)->caller, where));
        count++;
    }
    bed_unlock_unseen(&lock);
    return count;
}
