/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects that are counted: devices, files, keys, processes, sections, threads. What drivers have a pointer to follows
 * a header here. */
#ifndef BED_HOST_OBJECT_H
#define BED_HOST_OBJECT_H

#include "driver/ddk.h"

enum bed_object_kind {
    BED_OBJECT_DEVICE,
    BED_OBJECT_DRIVER,
    BED_OBJECT_FILE,
    BED_OBJECT_KEY,
    BED_OBJECT_PROCESS,
    BED_OBJECT_SECTION,
    BED_OBJECT_THREAD,
};

/* A zeroed object with one reference; `destroy`, which may be NULL, is called before its memory goes. `creator` is for
 * the report of what was left over. NULL: no memory. */
void *bed_object_create(enum bed_object_kind kind, SIZE_T size, void (*destroy)(void *object), const void *creator);

void bed_object_reference(void *object);
void bed_object_release(void *object);
LONG bed_object_references(void *object);

/* Answers `object`; ends the program, with a report, if it is not of that kind. */
void *bed_object_check(void *object, enum bed_object_kind kind, const char *routine);

/* A handle to it, which has a reference of its own until ZwClose. NULL: there is none. */
HANDLE bed_handle_create(void *object);

/* What a handle names, without a reference; NULL: nothing of that kind. */
void *bed_handle_object(HANDLE handle, enum bed_object_kind kind);

ULONG bed_objects_count(enum bed_object_kind kind);

/* Reports the objects and handles that exist as violations; answers how many. */
ULONG bed_objects_check(void);

#endif
