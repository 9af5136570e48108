/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/values.h"

#include <stdio.h>
#include <string.h>

static const char unit_letters[] = "KMGTPE"; /* each 1024 times the one before */

/* Reads leading digits; NULL: none, or too large a number. */
static const char *read_digits(const char *text, uint64_t *value)
{
    uint64_t sum = 0;

    if (*text < '0' || *text > '9')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (sum > (UINT64_MAX - digit) / 10)
            return NULL;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return text;
}

bool value_parse_number(const char *text, uint64_t *value)
{
    const char *end = read_digits(text, value);

    return end && *end == '\0';
}

static char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static bool is_same_word(const char *a, const char *b)
{
    while (*a && upper(*a) == upper(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* The power of two of a unit; -1: no unit. */
static int read_unit(const char *text)
{
    const char *letter;

    if (*text == '\0')
        return 0;
    letter = strchr(unit_letters, upper(*text));
    if (!letter || (text[1] != '\0' && !is_same_word(text + 1, "iB")))
        return -1;
    return 10 * (int)(letter - unit_letters + 1);
}

bool value_parse_size(const char *text, uint64_t *value)
{
    uint64_t number;
    const char *end = read_digits(text, &number);
    int shift = end ? read_unit(end) : -1;

    if (shift < 0 || number > UINT64_MAX >> shift)
        return false;
    *value = number << shift;
    return true;
}

bool value_parse_boolean(const char *text, uint64_t *value)
{
    static const char *const words[2][5] = {{"0", "f", "false", "n", "no"}, {"1", "t", "true", "y", "yes"}};

    for (unsigned meaning = 0; meaning < 2; meaning++) {
        for (unsigned i = 0; i < 5; i++) {
            if (is_same_word(text, words[meaning][i])) {
                *value = meaning;
                return true;
            }
        }
    }
    return false;
}

const char *value_format_size(uint64_t bytes, char text[VALUE_SIZE_TEXT])
{
    int unit = 0; /* of unit_letters; 0: bytes */
    uint64_t rest;
    uint64_t whole = bytes;

    while (unit < 6 && whole >= 1024) {
        whole >>= 10;
        unit++;
    }
    if (unit == 0) {
        snprintf(text, VALUE_SIZE_TEXT, "%u bytes", (unsigned)bytes);
        return text;
    }
    rest = bytes - (whole << (10 * unit));
    if (rest == 0)
        snprintf(text, VALUE_SIZE_TEXT, "%u %ciB", (unsigned)whole, unit_letters[unit - 1]);
    else
        snprintf(text, VALUE_SIZE_TEXT, "%u.%u %ciB", (unsigned)whole,
                 (unsigned)((rest >> (10 * (unit - 1))) * 10 / 1024), unit_letters[unit - 1]);
    return text;
}
