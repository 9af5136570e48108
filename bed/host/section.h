/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sections and their views. A section is memory that can be mapped any number of times, each view at an address of its
 * own: what a driver sees through a system view and what a program sees through its view are the same bytes at
 * different addresses, so that sanitizers tell them apart. A view stays when the section object goes, as on Windows.
 */
#ifndef BED_HOST_SECTION_H
#define BED_HOST_SECTION_H

#include "driver/ddk.h"

#include <stdbool.h>

/* The same memory as `size` bytes of a system view at `address`, both multiples of pages, once more elsewhere; NULL:
 * no system view has them. Goes with bed_view_retire. */
void *bed_view_alias(void *address, SIZE_T size);

/* Ends an address range for good: it is not used again, and whoever touches it crashes. */
void bed_view_retire(void *address, SIZE_T size);

/* Takes the program's view that holds `address` from it. False: there is none. */
bool bed_view_unmap_user(const void *address);

/* Reports the system views that are left; answers how many. Views of programs are theirs and may stay. */
ULONG bed_views_check(void);

#endif
