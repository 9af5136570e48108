/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_WINDOWS_PATTERN_H
#define TESTS_WINDOWS_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* A well mixed number for `value` (the finaliser of splitmix64). */
uint64_t mix(uint64_t value);

/* The next number of a sequence; *state may start anywhere. */
uint64_t random_next(uint64_t *state);

/*
 * Fills `length` bytes (a multiple of 8) with what the disk holds at byte `offset` (a multiple of 8) when it has been
 * written with `seed`: whoever knows seed and offset knows the data, however the writes were cut.
 */
void pattern_fill(uint64_t seed, uint64_t offset, void *buffer, size_t length);

/* The index of the first byte that differs from the pattern, `length` when none does. */
size_t pattern_difference(uint64_t seed, uint64_t offset, const void *buffer, size_t length);

#endif
