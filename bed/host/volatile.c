/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accesses to volatile objects, as -tsan-distinguish-volatile reports them just before they happen. For x64 the kit's
 * compiler gives them an order: a read acquires, a write releases, and they do not race.
 */
#include "bed/host/sanitizer.h"

#define VOLATILE_ACCESS(size)                                                                                          \
    void __tsan_volatile_read##size(void *address);                                                                    \
    void __tsan_volatile_write##size(void *address);                                                                   \
    void __tsan_unaligned_volatile_read##size(void *address);                                                          \
    void __tsan_unaligned_volatile_write##size(void *address);                                                         \
    void __tsan_volatile_read##size(void *address)                                                                     \
    {                                                                                                                  \
        bed_observe(address);                                                                                          \
    }                                                                                                                  \
    void __tsan_volatile_write##size(void *address)                                                                    \
    {                                                                                                                  \
        bed_publish(address);                                                                                          \
    }                                                                                                                  \
    void __tsan_unaligned_volatile_read##size(void *address)                                                           \
    {                                                                                                                  \
        bed_observe(address);                                                                                          \
    }                                                                                                                  \
    void __tsan_unaligned_volatile_write##size(void *address)                                                          \
    {                                                                                                                  \
        bed_publish(address);                                                                                          \
    }

VOLATILE_ACCESS(1)
VOLATILE_ACCESS(2)
VOLATILE_ACCESS(4)
VOLATILE_ACCESS(8)
VOLATILE_ACCESS(16)
