/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "bed/host/section.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/object.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct section {
    int memory; /* a file */
    SIZE_T size;
};

struct view {
    struct list_link link; /* guarded by lock */
    UCHAR *address;
    SIZE_T size;
    bool system;
    const void *caller;
};

static struct bed_lock lock;
static struct list_link views = {&views, &views};

static SIZE_T whole_pages(SIZE_T size)
{
    return (size + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
}

/* ---- the objects ---- */

static void section_gone(void *object)
{
    close(((struct section *)object)->memory);
}

static struct section *create(SIZE_T size, const void *caller)
{
    int memory = memfd_create("section", MFD_CLOEXEC);
    struct section *section = NULL;

    if (memory >= 0 && ftruncate(memory, (off_t)whole_pages(size)) == 0) {
        section = bed_object_create(BED_OBJECT_SECTION, sizeof(*section), section_gone, caller);
    }
    if (section == NULL) {
        close(memory);
        return NULL;
    }
    section->memory = memory;
    section->size = size;
    return section;
}

NTSTATUS ZwCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection, ULONG AllocationAttributes,
                         HANDLE FileHandle)
{
    struct section *section;

    UNREFERENCED_PARAMETER(DesiredAccess);
    bed_irql_at_most(PASSIVE_LEVEL, "ZwCreateSection");
    if (ObjectAttributes == NULL || (ObjectAttributes->Attributes & OBJ_KERNEL_HANDLE) == 0) {
        port_violation("section: ZwCreateSection without OBJ_KERNEL_HANDLE gives the requestor a handle");
    }
    if (SectionPageProtection != PAGE_READWRITE || AllocationAttributes != SEC_COMMIT || FileHandle != NULL) {
        port_violation("section: the bed has sections of committed memory that can be read and written alone");
    }
    if (MaximumSize == NULL || MaximumSize->QuadPart <= 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_SECTION)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    section = create((SIZE_T)MaximumSize->QuadPart, __builtin_return_address(0));
    if (section == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *SectionHandle = bed_handle_create(section);
    bed_object_release(section);
    return *SectionHandle != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* ---- views ---- */

/* Maps the first `*size` bytes, all with 0, and says how many they are. */
static NTSTATUS map(const struct section *section, bool system, void **address, SIZE_T *size, const void *caller)
{
    SIZE_T wanted = whole_pages(*size != 0 ? *size : section->size);
    struct view *view;

    if (wanted > whole_pages(section->size)) {
        return STATUS_INVALID_VIEW_SIZE;
    }
    view = malloc(sizeof(*view));
    if (view == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *view = (struct view){.size = wanted, .system = system, .caller = caller};
    view->address = mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, section->memory, 0);
    if (view->address == MAP_FAILED) {
        free(view);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    bed_lock(&lock);
    list_append(&views, &view->link);
    bed_unlock(&lock);
    *address = view->address;
    *size = wanted;
    return STATUS_SUCCESS;
}

static struct view *find_locked(const void *address, SIZE_T size, bool system)
{
    for (struct list_link *link = views.next; link != &views; link = link->next) {
        struct view *view = list_member(link, struct view, link);
        SIZE_T distance = (SIZE_T)((const UCHAR *)address - view->address);

        if (view->system == system && (const UCHAR *)address >= view->address && distance < view->size &&
            size <= view->size - distance) {
            return view;
        }
    }
    return NULL;
}

/* The view that holds `address`, no longer in the list; NULL: there is none. */
static struct view *take(const void *address, bool system)
{
    struct view *view;

    bed_lock(&lock);
    view = find_locked(address, 0, system);
    if (view != NULL) {
        list_remove(&view->link);
    }
    bed_unlock(&lock);
    return view;
}

NTSTATUS MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    const struct section *section = bed_object_check(Section, BED_OBJECT_SECTION, "MmMapViewInSystemSpace");

    bed_irql_at_most(APC_LEVEL, "MmMapViewInSystemSpace");
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_SECTION)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return map(section, true, MappedBase, ViewSize, __builtin_return_address(0));
}

NTSTATUS MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    struct view *view = take(MappedBase, true);

    bed_irql_at_most(APC_LEVEL, "MmUnmapViewInSystemSpace");
    if (view == NULL || view->address != MappedBase) {
        port_violation("section: MmUnmapViewInSystemSpace of %p, where no system view begins", MappedBase);
        return STATUS_NOT_MAPPED_VIEW;
    }
    bed_view_retire(view->address, view->size);
    free(view);
    return STATUS_SUCCESS;
}

static void check_map(PVOID base, ULONG_PTR zero_bits, PLARGE_INTEGER offset, SECTION_INHERIT inherit, ULONG protect)
{
    if (base != NULL || zero_bits != 0 || offset != NULL || inherit != ViewUnmap || protect != PAGE_READWRITE) {
        port_violation("section: the bed maps from a section's beginning, to any address, to be read and written, and "
                       "without children alone");
    }
}

NTSTATUS ZwMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
                            SIZE_T CommitSize, PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
                            SECTION_INHERIT InheritDisposition, ULONG AllocationType, ULONG Win32Protect)
{
    const struct section *section = bed_handle_object(SectionHandle, BED_OBJECT_SECTION);

    UNREFERENCED_PARAMETER(CommitSize);
    UNREFERENCED_PARAMETER(AllocationType);
    bed_irql_at_most(PASSIVE_LEVEL, "ZwMapViewOfSection");
    check_map(*BaseAddress, ZeroBits, SectionOffset, InheritDisposition, Win32Protect);
    if (section == NULL || bed_handle_object(ProcessHandle, BED_OBJECT_PROCESS) == NULL) {
        port_violation("section: ZwMapViewOfSection of %p into %p, which are not a section and a process",
                       SectionHandle, ProcessHandle);
        return STATUS_INVALID_HANDLE;
    }
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_SECTION)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return map(section, false, BaseAddress, ViewSize, __builtin_return_address(0));
}

/* The program may have unmapped it itself: that is no violation. */
NTSTATUS ZwUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress)
{
    bed_irql_at_most(PASSIVE_LEVEL, "ZwUnmapViewOfSection");
    if (bed_handle_object(ProcessHandle, BED_OBJECT_PROCESS) == NULL) {
        port_violation("section: ZwUnmapViewOfSection from %p, which is no process", ProcessHandle);
        return STATUS_INVALID_HANDLE;
    }
    return bed_view_unmap_user(BaseAddress) ? STATUS_SUCCESS : STATUS_NOT_MAPPED_VIEW;
}

bool bed_view_unmap_user(const void *address)
{
    struct view *view = take(address, false);

    if (view == NULL) {
        return false;
    }
    bed_view_retire(view->address, view->size);
    free(view);
    return true;
}

/* At an address that is reserved first: ThreadSanitizer sees that memory there is new, which it does not of mremap. */
static void *map_again(void *address, SIZE_T size)
{
    void *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (place == MAP_FAILED) {
        return NULL;
    }
    /* Of shared memory: it stays where it is, too. */
    if (mremap(address, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, place) != place) {
        munmap(place, size);
        return NULL;
    }
    return place;
}

void *bed_view_alias(void *address, SIZE_T size)
{
    void *alias = NULL;

    bed_lock(&lock);
    if (find_locked(address, size, true) != NULL) {
        alias = map_again(address, size);
    }
    bed_unlock(&lock);
    return alias;
}

void bed_view_retire(void *address, SIZE_T size)
{
    if (mmap(address, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != address) {
        abort();
    }
}

ULONG bed_views_check(void)
{
    ULONG count = 0;

    bed_lock(&lock);
    for (struct list_link *link = views.next; link != &views; link = link->next) {
        const struct view *view = list_member(link, struct view, link);
        char where[BED_PLACE_LENGTH];

        if (view->system) {
            port_violation("view-leak: a system view of %zu bytes, made at %s", view->size,
                           bed_place(view->caller, where));
            count++;
        }
    }
    bed_unlock(&lock);
    return count;
}
