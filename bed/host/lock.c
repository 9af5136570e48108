/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futexes: unlocking touches the lock's memory once and never again, so its owner may free it right after. */
#include "bed/host/lock.h"

#include "bed/host/sanitizer.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

void bed_lock_unseen(struct bed_lock *lock)
{
    uint32_t free = LOCK_FREE;

    if (__atomic_compare_exchange_n(&lock->word, &free, LOCK_HELD, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return;
    }
    while (__atomic_exchange_n(&lock->word, LOCK_CONTENDED, __ATOMIC_ACQUIRE) != LOCK_FREE) {
        bed_word_wait(&lock->word, LOCK_CONTENDED, BED_FOREVER);
    }
}

void bed_unlock_unseen(struct bed_lock *lock)
{
    if (__atomic_exchange_n(&lock->word, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_CONTENDED) {
        bed_word_wake(&lock->word);
    }
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
