/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Building a text for a person in memory of a fixed size, without a C library. The text always ends with NUL; what does
 * not fit is left out, never in the middle of a character.
 *
 *     text_init(&text, bytes, sizeof bytes);
 *     text_append(&text, "the server has no export named '");
 *     text_append_printable(&text, name, name_length);
 *     text_append(&text, "'");
 */
#ifndef WNBD_CORE_BASE_TEXT_H
#define WNBD_CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;   /* borrowed */
    size_t size;   /* of `bytes`, 1 or more */
    size_t length; /* without the NUL */
    bool cut;      /* something did not fit: everything after it is left out as well */
};

static inline void text_init(struct text *text, char *bytes, size_t size)
{
    text->bytes = bytes;
    text->size = size;
    text->length = 0;
    text->cut = false;
    bytes[0] = '\0';
}

/* Appends all of `length` bytes or, when they do not fit, nothing. */
static inline void text_append_whole(struct text *text, const char *bytes, size_t length)
{
    if (text->cut || length >= text->size - text->length) {
        text->cut = true;
        return;
    }
    for (size_t i = 0; i < length; i++) {
        text->bytes[text->length++] = bytes[i];
    }
    text->bytes[text->length] = '\0';
}

static inline void text_append_number(struct text *text, uint64_t value)
{
    char digits[20];
    size_t first = sizeof digits;

    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    text_append_whole(text, digits + first, sizeof digits - first);
}

/* As 0x and eight digits. */
static inline void text_append_hex(struct text *text, uint32_t value)
{
    char digits[10] = {'0', 'x'};

    for (unsigned i = 0; i < 8; i++) {
        digits[2 + i] = "0123456789abcdef"[value >> (28 - 4 * i) & 0xF];
    }
    text_append_whole(text, digits, sizeof digits);
}

/* How many bytes a UTF-8 character has that begins with `lead`, 0 when none does. */
static inline size_t text_utf8_count(uint8_t lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC0 || lead >= 0xF8) {
        return 0;
    }
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The length in bytes of the UTF-8 character at the start of `bytes`, and the character; 0 when there is none (RFC
 * 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF). */
static inline size_t text_utf8_character(const uint8_t *bytes, size_t length, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = bytes[0];
    size_t count = text_utf8_count(lead);
    uint32_t value = count == 1 ? lead : lead & (0x7Fu >> count);

    if (count == 0 || count > length) {
        return 0;
    }
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3F);
    }
    if (value < smallest[count] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        return 0;
    }
    *character = value;
    return count;
}

/* Whether a character only shows something where it stands. Controls move the cursor or colour a terminal (C0, DEL,
 * C1), end the line (U+2028, U+2029) or turn the direction of what follows (U+200E, U+200F, U+202A .. U+202E, U+2066 ..
 * U+2069). */
static inline bool text_is_printable(uint32_t character)
{
    return character >= 0x20 && (character < 0x7F || character > 0x9F) && character != 0x200E && character != 0x200F &&
           (character < 0x2028 || character > 0x202E) && (character < 0x2066 || character > 0x2069);
}

/* Appends what a peer said: UTF-8 that is printable stays, each other byte or character becomes '?'. */
static inline void text_append_printable(struct text *text, const uint8_t *bytes, size_t length)
{
    while (length != 0) {
        uint32_t character = 0;
        size_t count = text_utf8_character(bytes, length, &character);

        if (count != 0 && text_is_printable(character)) {
            text_append_whole(text, (const char *)bytes, count);
        } else {
            text_append_whole(text, "?", 1);
        }
        count = count == 0 ? 1 : count;
        bytes += count;
        length -= count;
    }
}

/* Appends a string that ends with NUL, with the same care. */
static inline void text_append(struct text *text, const char *string)
{
    size_t length = 0;

    while (string[length] != '\0') {
        length++;
    }
    text_append_printable(text, (const uint8_t *)string, length);
}

#endif
