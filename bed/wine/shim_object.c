/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles and the objects behind them: what drivers open is counted, and a section's handle leads to the object that
 * section.c has. Handles to keys and threads are not counted.
 */
#include "bed/wine/nt.h"
#include "bed/wine/image.h"
#include "bed/wine/irql.h"
#include "bed/wine/section.h"
#include "bed/wine/shim.h"
#include "bed/port/violation.h"

struct opened {
    struct opened *next;
    HANDLE handle;
    struct section *section; /* with a reference; NULL: the handle is to something else */
};

static struct opened *all_opened; /* guarded by opened_lock */
static RTL_SRWLOCK opened_lock;

static void check_kernel_handle(ULONG attributes, const char *routine)
{
    if (!(attributes & OBJ_KERNEL_HANDLE)) {
        port_violation("object: %s without OBJ_KERNEL_HANDLE gives the requestor a handle", routine);
    }
}

/* Takes the reference to the section. */
static bool add(HANDLE handle, struct section *section, struct bed_image *image)
{
    struct opened *opened = bed_allocate(sizeof(*opened));

    if (opened == NULL) {
        return false;
    }
    opened->handle = handle;
    opened->section = section;
    RtlAcquireSRWLockExclusive(&opened_lock);
    opened->next = all_opened;
    all_opened = opened;
    RtlReleaseSRWLockExclusive(&opened_lock);
    BED_COUNT(image, handles, 1);
    return true;
}

static struct opened **find_locked(HANDLE handle)
{
    struct opened **at = &all_opened;

    while (*at != NULL && (*at)->handle != handle) {
        at = &(*at)->next;
    }
    return at;
}

static struct opened *take(HANDLE handle)
{
    struct opened **at;
    struct opened *opened;

    RtlAcquireSRWLockExclusive(&opened_lock);
    at = find_locked(handle);
    opened = *at;
    if (opened != NULL) {
        *at = opened->next;
    }
    RtlReleaseSRWLockExclusive(&opened_lock);
    return opened;
}

/* ---- handles ---- */

static NTSTATUS NTAPI shim_ZwCreateSection(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes,
                                           PLARGE_INTEGER size, ULONG protection, ULONG allocation, HANDLE file)
{
    struct section *section;
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "ZwCreateSection");
    check_kernel_handle(attributes != NULL ? attributes->Attributes : 0, "ZwCreateSection");
    status = ZwCreateSection(handle, access, attributes, size, protection, allocation, file);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    section = section_create(*handle);
    if (section == NULL || !add(*handle, section, BED_CALLER())) {
        ZwClose(*handle);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shim_ObOpenObjectByPointer(PVOID object, ULONG attributes, PACCESS_STATE state,
                                                 ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode,
                                                 PHANDLE handle)
{
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "ObOpenObjectByPointer");
    check_kernel_handle(attributes, "ObOpenObjectByPointer");
    status = ObOpenObjectByPointer(object, attributes, state, access, type, mode, handle);
    if (NT_SUCCESS(status)) {
        add(*handle, NULL, BED_CALLER());
    }
    return status;
}

static NTSTATUS NTAPI shim_ZwClose(HANDLE handle)
{
    struct opened *opened = take(handle);
    NTSTATUS status;

    bed_irql_at_most(PASSIVE_LEVEL, "ZwClose");
    if (opened != NULL) {
        BED_COUNT(BED_CALLER(), handles, -1);
    }
    if (opened != NULL && opened->section != NULL) {
        section_release(opened->section);
    }
    bed_free(opened);
    status = ZwClose(handle);
    if (!NT_SUCCESS(status)) {
        port_violation("object: ZwClose of %p, which is no handle", handle);
    }
    return status;
}

/* ---- views in programs ---- */

/* During a dispatch call it would be the requestor on Windows, and it is the drivers' own here. */
static void check_process(HANDLE process, const char *routine)
{
    bed_irql_at_most(PASSIVE_LEVEL, routine);
    if (process == NtCurrentProcess()) {
        port_violation("section: %s with the pseudo handle of the current process; open the process that is meant",
                       routine);
    }
}

static NTSTATUS NTAPI shim_ZwMapViewOfSection(HANDLE section, HANDLE process, PVOID *base, ULONG_PTR zero_bits,
                                              SIZE_T commit, PLARGE_INTEGER offset, PSIZE_T size,
                                              SECTION_INHERIT inherit, ULONG allocation, ULONG protect)
{
    check_process(process, "ZwMapViewOfSection");
    return ZwMapViewOfSection(section, process, base, zero_bits, commit, offset, size, inherit, allocation, protect);
}

/* That the program has unmapped it itself, or is gone, is no violation. */
static NTSTATUS NTAPI shim_ZwUnmapViewOfSection(HANDLE process, PVOID base)
{
    check_process(process, "ZwUnmapViewOfSection");
    return ZwUnmapViewOfSection(process, base);
}

/* ---- objects ---- */

static struct section *section_of(HANDLE handle)
{
    struct section *section;
    struct opened *opened;

    RtlAcquireSRWLockExclusive(&opened_lock);
    opened = *find_locked(handle);
    section = opened != NULL ? opened->section : NULL;
    if (section != NULL) {
        section_reference(section);
    }
    RtlReleaseSRWLockExclusive(&opened_lock);
    return section;
}

static NTSTATUS NTAPI shim_ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access, POBJECT_TYPE type,
                                                     KPROCESSOR_MODE mode, PVOID *object,
                                                     POBJECT_HANDLE_INFORMATION information)
{
    struct section *section = section_of(handle);

    bed_irql_at_most(PASSIVE_LEVEL, "ObReferenceObjectByHandle");
    if (section == NULL) {
        return ObReferenceObjectByHandle(handle, access, type, mode, object, information);
    }
    *object = section;
    BED_COUNT(BED_CALLER(), sections, 1);
    return STATUS_SUCCESS;
}

static LONG_PTR FASTCALL shim_ObfReferenceObject(PVOID object)
{
    bed_irql_at_most(DISPATCH_LEVEL, "ObReferenceObject");
    if (!section_is(object)) {
        return ObfReferenceObject(object);
    }
    section_reference(object);
    BED_COUNT(BED_CALLER(), sections, 1);
    return 0;
}

static LONG_PTR FASTCALL shim_ObfDereferenceObject(PVOID object)
{
    bed_irql_at_most(DISPATCH_LEVEL, "ObDereferenceObject");
    if (!section_is(object)) {
        return ObfDereferenceObject(object);
    }
    section_release(object);
    BED_COUNT(BED_CALLER(), sections, -1);
    return 0;
}

const struct shim bed_object_shims[] = {
    SHIM_CHECK(ZwCreateSection),    SHIM_CHECK(ObOpenObjectByPointer), SHIM_CHECK(ZwClose),
    SHIM_CHECK(ZwMapViewOfSection), SHIM_CHECK(ZwUnmapViewOfSection),  SHIM_CHECK(ObReferenceObjectByHandle),
    SHIM_CHECK(ObfReferenceObject), SHIM_CHECK(ObfDereferenceObject),  SHIM_END,
};
