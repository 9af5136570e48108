/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arithmetic on lengths that somebody else chose. Each function answers true and writes the result, or answers false
 * and writes nothing when the result does not fit.
 */
#ifndef WNBD_CORE_BASE_CHECKED_H
#define WNBD_CORE_BASE_CHECKED_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

static inline MUST_CHECK bool checked_add_u64(uint64_t left, uint64_t right, uint64_t *sum)
{
    if (right > UINT64_MAX - left) {
        return false;
    }
    *sum = left + right;
    return true;
}

static inline MUST_CHECK bool checked_multiply_u64(uint64_t left, uint64_t right, uint64_t *product)
{
    if (left != 0 && right > UINT64_MAX / left) {
        return false;
    }
    *product = left * right;
    return true;
}

static inline MUST_CHECK bool checked_multiply_u32(uint32_t left, uint32_t right, uint32_t *product)
{
    uint64_t wide = (uint64_t)left * right;

    if (wide > UINT32_MAX) {
        return false;
    }
    *product = (uint32_t)wide;
    return true;
}

/* Whether [offset, offset + length) lies within [0, size). */
static inline MUST_CHECK bool checked_range(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

#endif
