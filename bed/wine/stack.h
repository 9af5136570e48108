/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pretended kernel stack. Threads here have a megabyte, on Windows 24 KiB that the layers above share: what
 * IoGetRemainingStackSize answers shrinks with what the driver itself has used since it was entered.
 */
#ifndef WNBD_BED_WINE_STACK_H
#define WNBD_BED_WINE_STACK_H

#include <stddef.h>

/* The driver is entered here, unless the thread is in it already. Answers what bed_stack_end wants. */
void *bed_stack_begin(void);
void bed_stack_end(void *old);

/* Bytes of the pretended stack below `here`. */
size_t bed_stack_left(const void *here);

#endif
