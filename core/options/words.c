/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/options/words.h"

static uint16_t lower(uint16_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? (uint16_t)(letter - 'A' + 'a') : letter;
}

bool words_equal(const uint16_t *text, size_t length, const char *word)
{
    size_t i = 0;

    while (i < length && word[i] != '\0' && lower(text[i]) == lower((uint8_t)word[i])) {
        i++;
    }
    return i == length && word[i] == '\0';
}

bool words_boolean(const uint16_t *text, size_t length, bool *value)
{
    static const struct {
        char word[6];
        bool value;
    } known[] = {
        {"1", true},  {"t", true},  {"true", true},   {"y", true},  {"yes", true},
        {"0", false}, {"f", false}, {"false", false}, {"n", false}, {"no", false},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (words_equal(text, length, known[i].word)) {
            *value = known[i].value;
            return true;
        }
    }
    return false;
}

/* The value of a digit, 16 for what is none. */
static unsigned digit(uint16_t letter)
{
    letter = lower(letter);
    if (letter >= '0' && letter <= '9') {
        return letter - (unsigned)'0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - (unsigned)'a' + 10 : 16;
}

/* All of the text as digits of `base`: at least one, and no more than `maximum` together. */
static bool magnitude(const uint16_t *text, size_t length, unsigned base, uint64_t maximum, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned next = digit(text[i]);

        if (next >= base || sum > (maximum - next) / base) {
            return false;
        }
        sum = sum * base + next;
    }
    *value = sum;
    return length != 0;
}

bool words_number(const uint16_t *text, size_t length, int64_t *value)
{
    bool is_negative = length != 0 && text[0] == '-';
    bool is_hexadecimal = length > 2 && text[0] == '0' && lower(text[1]) == 'x';
    size_t skip = is_negative ? 1 : is_hexadecimal ? 2 : 0;
    uint64_t maximum = (uint64_t)INT64_MAX + is_negative;
    uint64_t sum;

    if (!magnitude(text + skip, length - skip, is_hexadecimal ? 16 : 10, maximum, &sum)) {
        return false;
    }
    *value = is_negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return true;
}
