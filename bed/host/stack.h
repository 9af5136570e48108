/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pretended kernel stack. Windows has 24 KiB, of which the layers above a miniport leave some; sanitizers make frames
 * several times larger, so that what is left is a scaled number. With a seed the answer is now and then next to
 * nothing: drivers that ask must have another way.
 */
#ifndef BED_HOST_STACK_H
#define BED_HOST_STACK_H

#include <stddef.h>

/* The driver is entered here, unless the thread is in it already. Answers what bed_stack_end wants. */
void *bed_stack_begin(void);
void bed_stack_end(void *old);

/* Bytes of the pretended stack below `here`. */
size_t bed_stack_left(const void *here);

#endif
