/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locking the pages of an MDL. A program's memory has its own address as the system address; that of a system view gets
 * another one, which is good from the lock to MmUnlockPages, with the view mapped or not.
 */
#define _GNU_SOURCE
#include "bed/host/lock_pages.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/section.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdlib.h>
#include <sys/mman.h>

/* Of Linux 5.14; older headers lack them. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

struct locked {
    struct list_link link; /* guarded by lock */
    const MDL *mdl;
    void *alias; /* of a system view; NULL: none */
    const void *caller;
};

static struct bed_lock lock;
static struct list_link all_locked = {&all_locked, &all_locked};

static SIZE_T span(const MDL *mdl)
{
    return (SIZE_T)ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), mdl->ByteCount) << PAGE_SHIFT;
}

/* Asks the machine to bring the pages in, which fails where an access would, and changes none of them. */
static BOOLEAN is_accessible(const MDL *mdl, LOCK_OPERATION operation)
{
    int how = operation == IoReadAccess ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;

    return madvise(mdl->StartVa, span(mdl), how) == 0;
}

static NTSTATUS lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation, const void *caller)
{
    struct locked *locked;

    bed_irql_at_most(APC_LEVEL, "MmProbeAndLockPages");
    if ((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)) != 0 || mdl->ByteCount == 0) {
        port_violation("mdl: MmProbeAndLockPages of %p with flags 0x%x and %u bytes", (void *)mdl, mdl->MdlFlags,
                       mdl->ByteCount);
    }
    if (bed_in_image(caller) && bed_fault(BED_FAULT_LOCK)) {
        return STATUS_WORKING_SET_QUOTA;
    }
    if (!is_accessible(mdl, operation)) {
        return STATUS_ACCESS_VIOLATION;
    }
    locked = malloc(sizeof(*locked));
    if (locked == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *locked = (struct locked){.mdl = mdl, .caller = caller};
    locked->alias = mode == KernelMode ? bed_view_alias(mdl->StartVa, span(mdl)) : NULL;
    mdl->MdlFlags |= MDL_PAGES_LOCKED;
    mdl->MappedSystemVa = (PUCHAR)(locked->alias != NULL ? locked->alias : mdl->StartVa) + mdl->ByteOffset;
    bed_lock_unseen(&lock);
    list_append(&all_locked, &locked->link);
    bed_unlock_unseen(&lock);
    return STATUS_SUCCESS;
}

NTSTATUS ddk_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    return lock_pages(mdl, mode, operation, __builtin_return_address(0));
}

VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    NTSTATUS status = lock_pages(Mdl, AccessMode, Operation, __builtin_return_address(0));

    if (!NT_SUCCESS(status)) {
        port_violation("mdl: MmProbeAndLockPages raises 0x%08x, and nobody catches it", status);
        abort();
    }
}

static struct locked *take(const MDL *mdl)
{
    struct locked *found = NULL;

    bed_lock_unseen(&lock);
    for (struct list_link *link = all_locked.next; link != &all_locked && found == NULL; link = link->next) {
        struct locked *locked = list_member(link, struct locked, link);

        found = locked->mdl == mdl ? locked : NULL;
    }
    if (found != NULL) {
        list_remove(&found->link);
    }
    bed_unlock_unseen(&lock);
    return found;
}

VOID MmUnlockPages(PMDL Mdl)
{
    struct locked *locked = take(Mdl);

    bed_irql_at_most(DISPATCH_LEVEL, "MmUnlockPages");
    if (locked == NULL || (Mdl->MdlFlags & MDL_PAGES_LOCKED) == 0) {
        port_violation("mdl: MmUnlockPages of %p, which is not locked", (void *)Mdl);
        return;
    }
    Mdl->MdlFlags &= (CSHORT) ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
    if (locked->alias != NULL) {
        bed_view_retire(locked->alias, span(Mdl));
    }
    free(locked);
}

ULONG bed_locked_pages_check(void)
{
    ULONG count = 0;

    bed_lock_unseen(&lock);
    for (struct list_link *link = all_locked.next; link != &all_locked; link = link->next) {
        char where[BED_PLACE_LENGTH];

        port_violation("lock-leak: pages locked at %s are not unlocked",
                       bed_place(list_member(link, struct locked, link)->caller, where));
        count++;
    }
    bed_unlock_unseen(&lock);
    return count;
}
