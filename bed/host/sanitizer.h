/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the bed tells ThreadSanitizer. The bed's own files are not instrumented and its locks are invisible, so that two
 * threads of a driver are in order only where a documented routine puts them in order: whoever sets an event, releases
 * a lock, queues a work item or completes an IRP publishes, and who is let through by it observes.
 */
#ifndef BED_HOST_SANITIZER_H
#define BED_HOST_SANITIZER_H

#include <stddef.h>

#ifdef BED_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);
#endif

static inline void bed_publish(const volatile void *object)
{
#ifdef BED_TSAN
    __tsan_release((void *)(size_t)object);
#else
    (void)object;
#endif
}

static inline void bed_observe(const volatile void *object)
{
#ifdef BED_TSAN
    __tsan_acquire((void *)(size_t)object);
#else
    (void)object;
#endif
}

#endif
