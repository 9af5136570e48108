/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pattern.h"

#include <string.h>

#define GOLDEN 0x9E3779B97F4A7C15ULL

uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

uint64_t random_next(uint64_t *state)
{
    *state += GOLDEN;
    return mix(*state);
}

static uint64_t word_at(uint64_t seed, uint64_t offset)
{
    return mix(mix(seed) + (offset / 8) * GOLDEN);
}

void pattern_fill(uint64_t seed, uint64_t offset, void *buffer, size_t length)
{
    unsigned char *bytes = buffer;

    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = word_at(seed, offset + i);

        memcpy(bytes + i, &word, sizeof(word));
    }
}

size_t pattern_difference(uint64_t seed, uint64_t offset, const void *buffer, size_t length)
{
    const unsigned char *bytes = buffer;

    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = word_at(seed, offset + i);
        unsigned char expected[8];

        memcpy(expected, &word, sizeof(word));
        if (memcmp(bytes + i, expected, sizeof(expected)) == 0)
            continue;
        for (size_t k = 0; k < 8; k++) {
            if (bytes[i + k] != expected[k])
                return i + k;
        }
    }
    return length;
}
