/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers that one thread writes while others read them, with no order to anything else: each read is whole, the number
 * before or the number after.
 */
#ifndef WNBD_CORE_BASE_ATOMIC_H
#define WNBD_CORE_BASE_ATOMIC_H

#include <stdint.h>

static inline uint64_t atomic_read_u64(const uint64_t *number)
{
#if defined(__GNUC__) || defined(__clang__)
    return __atomic_load_n(number, __ATOMIC_RELAXED);
#else
    return *(const volatile uint64_t *)number; /* aligned: x64 and ARM64 do it at once */
#endif
}

static inline void atomic_write_u64(uint64_t *number, uint64_t value)
{
#if defined(__GNUC__) || defined(__clang__)
    __atomic_store_n(number, value, __ATOMIC_RELAXED);
#else
    *(volatile uint64_t *)number = value;
#endif
}

#endif
