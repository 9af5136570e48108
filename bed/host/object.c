/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/object.h"

#include "bed/host/fault.h"
#include "bed/host/image.h"
#include "bed/host/irql.h"
#include "bed/host/lock.h"
#include "bed/host/sanitizer.h"
#include "bed/host/thread.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"
#include "core/base/list.h"

#include <stdlib.h>

#define HANDLES      1024
#define HANDLE_BASE  0x80000000u /* kernel handles are negative numbers */
#define OBJECT_ALIVE 0x6a626f65766c6131ULL
#define OBJECT_DEAD  0x6a626f6461656431ULL

struct header {
    struct list_link link; /* guarded by lock */
    ULONGLONG mark;
    enum bed_object_kind kind;
    volatile LONG references;
    void (*destroy)(void *object);
    const void *creator;
};

struct _OBJECT_TYPE {
    enum bed_object_kind kind;
};

static struct _OBJECT_TYPE thread_type = {BED_OBJECT_THREAD};
static POBJECT_TYPE thread_type_pointer = &thread_type;
POBJECT_TYPE *PsThreadType = &thread_type_pointer;
static struct _OBJECT_TYPE process_type = {BED_OBJECT_PROCESS};
static POBJECT_TYPE process_type_pointer = &process_type;
POBJECT_TYPE *PsProcessType = &process_type_pointer;

static const char *const kind_names[] = {"device", "driver", "file", "key", "process", "section", "thread"};

static struct bed_lock lock;
static struct list_link objects = {&objects, &objects};
static void *handles[HANDLES]; /* guarded by lock */

static struct header *header_of(void *object)
{
    struct header *header = (struct header *)object - 1;

    if (object == NULL || header->mark != OBJECT_ALIVE) {
        port_violation("object: %p is no object", object);
        abort();
    }
    return header;
}

void *bed_object_create(enum bed_object_kind kind, SIZE_T size, void (*destroy)(void *object), const void *creator)
{
    struct header *header = calloc(1, sizeof(*header) + size);

    if (header == NULL) {
        return NULL;
    }
    header->mark = OBJECT_ALIVE;
    header->kind = kind;
    header->references = 1;
    header->destroy = destroy;
    header->creator = creator;
    bed_lock(&lock);
    list_append(&objects, &header->link);
    bed_unlock(&lock);
    return header + 1;
}

void bed_object_reference(void *object)
{
    struct header *header = header_of(object);

    if (InterlockedIncrement(&header->references) <= 1) {
        port_violation("object: a %s at %p is referenced after its last reference went", kind_names[header->kind],
                       object);
    }
}

static void end(void *argument)
{
    struct header *header = argument;

    if (header->destroy != NULL) {
        header->destroy(header + 1);
    }
    bed_lock(&lock);
    list_remove(&header->link);
    bed_unlock(&lock);
    header->mark = OBJECT_DEAD;
    free(header);
}

/* Above PASSIVE_LEVEL an object's end is put off to another thread, as Windows does it. */
void bed_object_release(void *object)
{
    struct header *header = header_of(object);
    LONG left;

    bed_publish(object);
    left = InterlockedDecrement(&header->references);
    if (left > 0) {
        return;
    }
    if (left < 0) {
        port_violation("object: a %s at %p is dereferenced too often", kind_names[header->kind], object);
        return;
    }
    bed_observe(object);
    if (header->destroy == NULL || bed_irql() == PASSIVE_LEVEL) {
        end(header);
    } else if (!bed_thread_run(end, header)) {
        abort();
    }
}

LONG bed_object_references(void *object)
{
    return header_of(object)->references;
}

void *bed_object_check(void *object, enum bed_object_kind kind, const char *routine)
{
    const struct header *header = header_of(object);

    if (header->kind != kind) {
        port_violation("object: %s of a %s, it needs a %s", routine, kind_names[header->kind], kind_names[kind]);
        abort();
    }
    return object;
}

LONG_PTR ObfReferenceObject(PVOID Object)
{
    bed_irql_at_most(DISPATCH_LEVEL, "ObReferenceObject");
    bed_object_reference(Object);
    return bed_object_references(Object);
}

LONG_PTR ObfDereferenceObject(PVOID Object)
{
    bed_irql_at_most(DISPATCH_LEVEL, "ObDereferenceObject");
    bed_object_release(Object);
    return 0;
}

/* ---- handles ---- */

static void **handle_slot(HANDLE handle)
{
    ULONG_PTR index = ((ULONG_PTR)handle - HANDLE_BASE) / 4;

    return (ULONG_PTR)handle % 4 == 0 && index < HANDLES && handles[index] != NULL ? &handles[index] : NULL;
}

HANDLE bed_handle_create(void *object)
{
    HANDLE handle = NULL;

    bed_object_reference(object);
    bed_lock(&lock);
    for (ULONG_PTR i = 0; i < HANDLES && handle == NULL; i++) {
        if (handles[i] == NULL) {
            handles[i] = object;
            handle = (HANDLE)(HANDLE_BASE + i * 4);
        }
    }
    bed_unlock(&lock);
    if (handle == NULL) {
        bed_object_release(object);
    }
    return handle;
}

void *bed_handle_object(HANDLE handle, enum bed_object_kind kind)
{
    void *object = NULL;
    void **slot;

    bed_lock(&lock);
    slot = handle_slot(handle);
    if (slot != NULL && header_of(*slot)->kind == kind) {
        object = *slot;
    }
    bed_unlock(&lock);
    return object;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                   KPROCESSOR_MODE AccessMode, PVOID *Object, PVOID HandleInformation)
{
    void **slot;
    NTSTATUS status = STATUS_INVALID_HANDLE;

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(AccessMode);
    UNREFERENCED_PARAMETER(HandleInformation);
    bed_irql_at_most(PASSIVE_LEVEL, "ObReferenceObjectByHandle");
    bed_lock(&lock);
    slot = handle_slot(Handle);
    if (slot != NULL) {
        *Object = *slot;
        bed_object_reference(*slot);
        status = STATUS_SUCCESS;
    }
    bed_unlock(&lock);
    if (NT_SUCCESS(status) && ObjectType != NULL && header_of(*Object)->kind != ObjectType->kind) {
        port_violation("object: a handle to a %s is referenced as a %s", kind_names[header_of(*Object)->kind],
                       kind_names[ObjectType->kind]);
    }
    return status;
}

NTSTATUS ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PVOID PassedAccessState, ACCESS_MASK DesiredAccess,
                               POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, PHANDLE Handle)
{
    UNREFERENCED_PARAMETER(PassedAccessState);
    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(AccessMode);
    bed_irql_at_most(PASSIVE_LEVEL, "ObOpenObjectByPointer");
    if ((HandleAttributes & OBJ_KERNEL_HANDLE) == 0) {
        port_violation("object: ObOpenObjectByPointer without OBJ_KERNEL_HANDLE gives the requestor a handle");
    }
    if (ObjectType != NULL) {
        bed_object_check(Object, ObjectType->kind, "ObOpenObjectByPointer");
    }
    if (BED_CALLED_BY_DRIVER() && bed_fault(BED_FAULT_SECTION)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Handle = bed_handle_create(Object);
    return *Handle != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS ZwClose(HANDLE Handle)
{
    void *object = NULL;
    void **slot;

    bed_irql_at_most(PASSIVE_LEVEL, "ZwClose");
    bed_lock(&lock);
    slot = handle_slot(Handle);
    if (slot != NULL) {
        object = *slot;
        *slot = NULL;
    }
    bed_unlock(&lock);
    if (object == NULL) {
        port_violation("object: ZwClose of %p, which is no handle", Handle);
        return STATUS_INVALID_HANDLE;
    }
    bed_object_release(object);
    return STATUS_SUCCESS;
}

ULONG bed_objects_count(enum bed_object_kind kind)
{
    ULONG count = 0;

    bed_lock(&lock);
    for (struct list_link *link = objects.next; link != &objects; link = link->next) {
        count += list_member(link, struct header, link)->kind == kind ? 1 : 0;
    }
    bed_unlock(&lock);
    return count;
}

ULONG bed_objects_check(void)
{
    ULONG count = 0;

    bed_lock(&lock);
    for (struct list_link *link = objects.next; link != &objects; link = link->next) {
        struct header *header = list_member(link, struct header, link);
        char where[BED_PLACE_LENGTH];

        port_violation("object-leak: a %s with %d references, made at %s", kind_names[header->kind],
                       (int)header->references, bed_place(header->creator, where));
        count++;
    }
    for (ULONG i = 0; i < HANDLES; i++) {
        if (handles[i] != NULL) {
            port_violation("handle-leak: a handle to a %s was not closed", kind_names[header_of(handles[i])->kind]);
            count++;
        }
    }
    bed_unlock(&lock);
    return count;
}
