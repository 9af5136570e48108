/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System space is the process of the drivers: a system view is a view there. */
#include "bed/wine/section.h"
#include "bed/wine/nt.h"
#include "bed/wine/irql.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

#define DUPLICATE_SAME      2 /* DUPLICATE_SAME_ACCESS */
#define MEMORY_RESERVED     0x2000
#define PAGE_NOT_ACCESSIBLE 1

struct section {
    struct section *next; /* guarded by lock */
    HANDLE handle;
    LONG references; /* guarded by lock: of handles, objects and views */
};

struct view {
    struct view *next; /* guarded by lock */
    struct section *section;
    UCHAR *base;
    SIZE_T size;
};

static RTL_SRWLOCK lock;
static struct section *sections;
static struct view *views;

/* ---- the objects ---- */

struct section *section_create(HANDLE handle)
{
    struct section *section = bed_allocate(sizeof(*section));

    if (section == NULL || !NT_SUCCESS(ZwDuplicateObject(NtCurrentProcess(), handle, NtCurrentProcess(),
                                                         &section->handle, 0, 0, DUPLICATE_SAME))) {
        bed_free(section);
        return NULL;
    }
    section->references = 1;
    RtlAcquireSRWLockExclusive(&lock);
    section->next = sections;
    sections = section;
    RtlReleaseSRWLockExclusive(&lock);
    return section;
}

static struct section **find_locked(const void *object)
{
    struct section **at = &sections;

    while (*at != NULL && *at != object) {
        at = &(*at)->next;
    }
    return at;
}

bool section_is(const void *object)
{
    bool found;

    RtlAcquireSRWLockExclusive(&lock);
    found = object != NULL && *find_locked(object) != NULL;
    RtlReleaseSRWLockExclusive(&lock);
    return found;
}

void section_reference(struct section *section)
{
    RtlAcquireSRWLockExclusive(&lock);
    section->references++;
    RtlReleaseSRWLockExclusive(&lock);
}

void section_release(struct section *section)
{
    bool last;

    RtlAcquireSRWLockExclusive(&lock);
    last = --section->references == 0;
    if (last) {
        *find_locked(section) = section->next;
    }
    RtlReleaseSRWLockExclusive(&lock);
    if (last) {
        ZwClose(section->handle);
        bed_free(section);
    }
}

/* ---- system views ---- */

static NTSTATUS map(const struct section *section, void **base, SIZE_T *size)
{
    *base = NULL;
    return ZwMapViewOfSection(section->handle, NtCurrentProcess(), base, 0, 0, NULL, size, ViewUnmap, 0,
                              PAGE_READWRITE);
}

NTSTATUS section_unmap(void *base)
{
    struct memory_region old = {0};
    SIZE_T done;
    NTSTATUS status;

    NtQueryVirtualMemory(NtCurrentProcess(), base, 0, &old, sizeof(old), &done);
    status = ZwUnmapViewOfSection(NtCurrentProcess(), base);
    VirtualAlloc(base, old.size, MEMORY_RESERVED, PAGE_NOT_ACCESSIBLE);
    return status;
}

static NTSTATUS NTAPI shim_MmMapViewInSystemSpace(PVOID section, PVOID *base, PSIZE_T size)
{
    struct view *view;
    NTSTATUS status;

    bed_irql_at_most(APC_LEVEL, "MmMapViewInSystemSpace");
    if (!section_is(section)) {
        port_violation("section: MmMapViewInSystemSpace of %p, which is no section", section);
        return STATUS_INVALID_PARAMETER;
    }
    view = bed_allocate(sizeof(*view));
    if (view == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = map(section, base, size);
    if (!NT_SUCCESS(status)) {
        bed_free(view);
        return status;
    }
    section_reference(section);
    *view = (struct view){.section = section, .base = *base, .size = *size};
    RtlAcquireSRWLockExclusive(&lock);
    view->next = views;
    views = view;
    RtlReleaseSRWLockExclusive(&lock);
    BED_COUNT(BED_CALLER(), views, 1);
    return STATUS_SUCCESS;
}

/* The view that begins at `base`, no longer in the list. */
static struct view *take(const void *base)
{
    struct view **at = &views;
    struct view *view;

    RtlAcquireSRWLockExclusive(&lock);
    while (*at != NULL && (*at)->base != base) {
        at = &(*at)->next;
    }
    view = *at;
    if (view != NULL) {
        *at = view->next;
    }
    RtlReleaseSRWLockExclusive(&lock);
    return view;
}

static NTSTATUS NTAPI shim_MmUnmapViewInSystemSpace(PVOID base)
{
    struct view *view = take(base);
    NTSTATUS status;

    bed_irql_at_most(APC_LEVEL, "MmUnmapViewInSystemSpace");
    if (view == NULL) {
        port_violation("section: MmUnmapViewInSystemSpace of %p, where no system view begins", base);
        return STATUS_NOT_MAPPED_VIEW;
    }
    status = section_unmap(base);
    section_release(view->section);
    bed_free(view);
    BED_COUNT(BED_CALLER(), views, -1);
    return status;
}

/* The section of the view that holds `address`, with a reference; NULL: none. */
static struct section *section_at(const UCHAR *address, SIZE_T *distance)
{
    struct section *section = NULL;

    RtlAcquireSRWLockExclusive(&lock);
    for (const struct view *view = views; view != NULL && section == NULL; view = view->next) {
        if (address >= view->base && address < view->base + view->size) {
            section = view->section;
            section->references++;
            *distance = (SIZE_T)(address - view->base);
        }
    }
    RtlReleaseSRWLockExclusive(&lock);
    return section;
}

void *section_alias(const void *address, void **base)
{
    SIZE_T distance = 0;
    SIZE_T size = 0;
    struct section *section = section_at(address, &distance);
    NTSTATUS status;

    if (section == NULL) {
        return NULL;
    }
    status = map(section, base, &size);
    section_release(section);
    return NT_SUCCESS(status) ? (UCHAR *)*base + distance : NULL;
}

const struct shim bed_section_shims[] = {
    SHIM_CHECK(MmMapViewInSystemSpace),
    SHIM_CHECK(MmUnmapViewInSystemSpace),
    SHIM_END,
};
