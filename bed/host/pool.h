/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pool: each block is one of the C library's, so that AddressSanitizer knows its edges and that it is freed. What is
 * not zeroed is filled with a byte nobody expects.
 */
#ifndef BED_HOST_POOL_H
#define BED_HOST_POOL_H

#include "driver/ddk.h"

#include <stdbool.h>

/* Reports blocks that are not freed; answers how many. `of_driver`: only those that a driver asked for itself. */
ULONG bed_pool_check(bool of_driver);

/* Adds what the driver itself holds. */
void bed_pool_count(ULONG64 *nonpaged_bytes, ULONG64 *paged_bytes, ULONG *count);

/* Whether `length` bytes at `address` lie in one living block that is not paged. */
bool bed_pool_holds(const void *address, SIZE_T length);

#endif
