/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Futexes: unlocking touches the lock's memory once and never again, so its owner may free it right after. What is
 * locked is short, so who wants it spins a while, as in the kernel that this stands for; then he sleeps, since with
 * more threads than processors the one who holds it may not be running.
 */
#include "bed/host/lock.h"

#include "bed/host/sanitizer.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SPINS 500 /* some microseconds, below what falling asleep and being woken costs */

enum { LOCK_FREE, LOCK_HELD, LOCK_CONTENDED };

void bed_word_wait_ns(const volatile void *word, uint32_t value, uint64_t nanoseconds)
{
    struct timespec limit = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};

    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nanoseconds == UINT64_MAX ? NULL : &limit, NULL, 0);
}

void bed_word_wait(const volatile void *word, uint32_t value, uint32_t milliseconds)
{
    bed_word_wait_ns(word, value, milliseconds == BED_FOREVER ? UINT64_MAX : milliseconds * 1000000ull);
}

void bed_word_wake(const volatile void *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static int try_lock(volatile uint32_t *word)
{
    uint32_t free = LOCK_FREE;

    return __atomic_load_n(word, __ATOMIC_RELAXED) == LOCK_FREE &&
           __atomic_compare_exchange_n(word, &free, LOCK_HELD, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void bed_word_lock(volatile uint32_t *word)
{
    for (unsigned spins = 0; spins < SPINS; spins++) {
        if (try_lock(word)) {
            return;
        }
        __builtin_ia32_pause();
    }
    while (__atomic_exchange_n(word, LOCK_CONTENDED, __ATOMIC_ACQUIRE) != LOCK_FREE) {
        bed_word_wait(word, LOCK_CONTENDED, BED_FOREVER);
    }
}

void bed_word_unlock(volatile uint32_t *word)
{
    if (__atomic_exchange_n(word, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_CONTENDED) {
        bed_word_wake(word);
    }
}

void bed_lock_unseen(struct bed_lock *lock)
{
    bed_word_lock(&lock->word);
}

void bed_unlock_unseen(struct bed_lock *lock)
{
    bed_word_unlock(&lock->word);
}

void bed_lock(struct bed_lock *lock)
{
    bed_lock_unseen(lock);
    bed_observe(lock);
}

void bed_unlock(struct bed_lock *lock)
{
    bed_publish(lock);
    bed_unlock_unseen(lock);
}
