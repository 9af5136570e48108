/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bed's own locks, and sleeping on a word. */
#ifndef BED_HOST_LOCK_H
#define BED_HOST_LOCK_H

#include <stdint.h>

#define BED_FOREVER 0xFFFFFFFFu

/* All zero is a free one. */
struct bed_lock {
    volatile uint32_t word;
};

void bed_lock(struct bed_lock *lock);
void bed_unlock(struct bed_lock *lock);

/* The same, unseen by ThreadSanitizer: for what a driver's threads pass all the time, which must not put them in order
 * (sanitizer.h). What is done meanwhile may not call the C library's routines on shared memory: those it sees. */
void bed_lock_unseen(struct bed_lock *lock);
void bed_unlock_unseen(struct bed_lock *lock);

/* What they are made of: a word of zero is free. */
void bed_word_lock(volatile uint32_t *word);
void bed_word_unlock(volatile uint32_t *word);

/* Sleeps until *word is no longer `value`, is woken, or the time has passed. May wake early. */
void bed_word_wait(const volatile void *word, uint32_t value, uint32_t milliseconds);
void bed_word_wait_ns(const volatile void *word, uint32_t value, uint64_t nanoseconds);
void bed_word_wake(const volatile void *word);

#endif
