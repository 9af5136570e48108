/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the null server's export holds: each 8 bytes are their own offset, big end first, repeated every PATTERN_PERIOD.
 * The first period is what nbdkit's pattern plugin has.
 */
#ifndef WNBD_BENCH_PATTERN_H
#define WNBD_BENCH_PATTERN_H

#include "core/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PATTERN_PERIOD (256u << 10)

/* `offset` and `length` are multiples of 8. */
static inline void pattern_fill(uint8_t *bytes, size_t length, uint64_t offset)
{
    for (size_t i = 0; i < length; i += 8) {
        store_be64(bytes + i, (offset + i) % PATTERN_PERIOD);
    }
}

static inline bool pattern_holds(const uint8_t *bytes, size_t length, uint64_t offset)
{
    for (size_t i = 0; i < length; i += 8) {
        if (load_be64(bytes + i) != (offset + i) % PATTERN_PERIOD) {
            return false;
        }
    }
    return true;
}

/* Whether the bytes are what the export has at `offset`. */
static inline bool contents_hold(const uint8_t *bytes, size_t length, uint64_t offset, bool sparse)
{
    return sparse ? bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0 : pattern_holds(bytes, length, offset);
}

static inline void contents_fill(uint8_t *bytes, size_t length, uint64_t offset, bool sparse)
{
    if (sparse) {
        memset(bytes, 0, length);
    } else {
        pattern_fill(bytes, length, offset);
    }
}

#endif
