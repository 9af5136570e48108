/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The four functions that a compiler may call by itself even when freestanding, and therefore all that the core calls.
 * <string.h> is not asked for: a kernel build need not have it. The prototypes are the standard's, so that they agree
 * with whatever declared these functions before.
 */
#ifndef WNBD_CORE_BASE_MEMORY_H
#define WNBD_CORE_BASE_MEMORY_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *left, const void *right, size_t length);

#endif
