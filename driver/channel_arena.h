/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that the driver and a program share: a section, whose one view is the driver's, in system space and locked,
 * and whose other is the program's. The section outlives neither the program's view nor the driver's, so that each can
 * go without asking the other: a program that ends or unmaps its view takes nothing from the driver, and one that
 * writes to it after the disk is gone writes to memory of its own.
 */
#ifndef WNBD_DRIVER_CHANNEL_ARENA_H
#define WNBD_DRIVER_CHANNEL_ARENA_H

#include "driver/ddk.h"

#include <stdint.h>

struct arena_memory {
    PVOID section; /* referenced */
    PVOID view;    /* in system space */
    PMDL mdl;      /* locks it */
    uint8_t *address;
    SIZE_T size;
};

/* Makes `size` bytes of it, zeroed, and maps it into the process that has sent `irp`, at `*user_address`. Nothing is
 * left behind by a failure. PASSIVE_LEVEL. */
NTSTATUS arena_memory_make(struct arena_memory *memory, SIZE_T size, PIRP irp, PVOID *user_address);

/* Lets go of the driver's view. PASSIVE_LEVEL. */
void arena_memory_free(struct arena_memory *memory);

#endif
