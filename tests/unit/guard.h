/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that ends at a page nobody may touch: one byte read or written too far ends the test, with or without
 * AddressSanitizer. Also what cmocka wants included before it.
 */
#ifndef WNBD_TESTS_UNIT_GUARD_H
#define WNBD_TESTS_UNIT_GUARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#define GUARD_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes of whole pages that hold `length` bytes, 1 page or more. */
static inline size_t guard_room(size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return length == 0 ? page : (length + page - 1) / page * page;
}

/* Gives `length` bytes of zero whose end is the start of a forbidden page; an alignment holds if it divides `length`.
 */
static inline uint8_t *guard_memory(size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = guard_room(length);
    uint8_t *mapping = mmap(NULL, page + room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(mapping != MAP_FAILED);
    assert_int_equal(mprotect(mapping, page, PROT_NONE), 0);
    assert_int_equal(mprotect(mapping + page + room, page, PROT_NONE), 0);
    return mapping + page + room - length;
}

/* Gives a copy of `length` bytes that ends at a forbidden page. */
static inline uint8_t *guard_copy(const void *bytes, size_t length)
{
    uint8_t *copy = guard_memory(length);

    if (length != 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

/* Takes what guard_memory or guard_copy gave for `length`. */
static inline void guard_free(uint8_t *bytes, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = guard_room(length);

    assert_int_equal(munmap(bytes + length - room - page, page + room + page), 0);
}

#endif
