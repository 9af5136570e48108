/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Section objects, which Wine's kernel does not have: its sections are handles alone. */
#ifndef WNBD_BED_WINE_SECTION_H
#define WNBD_BED_WINE_SECTION_H

#include <stdbool.h>

#include "bed/wine/image.h"
#include "driver/ddk.h"

struct section;

/* Another handle to what `handle` names makes the object, with one reference; NULL: it cannot. PASSIVE_LEVEL. */
struct section *section_create(HANDLE handle);

/* Whether `object` is one. Any IRQL, any pointer. */
bool section_is(const void *object);

void section_reference(struct section *section);

/* PASSIVE_LEVEL for the last one. */
void section_release(struct section *section);

/* A mapping of the pages of a system view that hold `address`, once more; *base has what section_unmap wants. NULL:
 * `address` is in no system view. */
void *section_alias(const void *address, void **base);

/* Ends a view or an alias: its addresses are not used again, and whoever touches them crashes. */
NTSTATUS section_unmap(void *base);

#endif
