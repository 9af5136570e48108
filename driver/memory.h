/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is always there: non-paged, not executable, zeroed. */
#ifndef WNBD_DRIVER_MEMORY_H
#define WNBD_DRIVER_MEMORY_H

#include "driver/ddk.h"

/* Pool tags, as a debugger shows them. */
#define TAG_DISK    'dbnW' /* Wnbd: a disk */
#define TAG_BACKEND 'bbnW' /* Wnbb: its connection to a server */
#define TAG_BUFFER  'rbnW' /* Wnbr: what is received into */

/* Finds ExAllocatePool2 where the kernel has it. PASSIVE_LEVEL, once, before anything else here. */
void memory_init(void);

/* `size` zeroed bytes, or NULL. DISPATCH_LEVEL or below. */
void *memory_allocate(size_t size, ULONG tag);

/* Frees what memory_allocate gave; NULL is ignored. DISPATCH_LEVEL or below. */
void memory_free(void *memory, ULONG tag);

#endif
