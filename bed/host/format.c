/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's printf family, with msvcrt's formats: `l` is 32 bits, I64 is 64, s in a wide format is wide. Floating
 * point and %n are refused, %wZ and %Z as well: DbgPrint of Windows knows those, this bed's users do without.
 */
#include "bed/host/irql.h"
#include "bed/port/violation.h"
#include "driver/ddk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct output {
    void *buffer;
    size_t room; /* characters */
    size_t count;
    BOOLEAN wide;
};

static void put(struct output *output, unsigned letter)
{
    if (output->count < output->room && output->wide) {
        ((WCHAR *)output->buffer)[output->count] = (WCHAR)letter;
    } else if (output->count < output->room) {
        ((char *)output->buffer)[output->count] = (char)letter;
    }
    output->count++;
}

static void put_text(struct output *output, const char *text)
{
    for (; *text != '\0'; text++) {
        put(output, (unsigned char)*text);
    }
}

/* One conversion: %[flags][width][.precision][size]type, copied for the C library. */
struct conversion {
    char spec[32];
    size_t length;
    int precision; /* -1: none */
    BOOLEAN is_64;
    BOOLEAN is_wide;
    char type;
};

static void spec_add(struct conversion *conversion, char letter)
{
    if (conversion->length < sizeof(conversion->spec) - 4) {
        conversion->spec[conversion->length++] = letter;
    }
}

static unsigned letter_at(const void *format, BOOLEAN wide, size_t at)
{
    return wide ? ((const WCHAR *)format)[at] : ((const unsigned char *)format)[at];
}

static size_t parse_size(const void *format, BOOLEAN wide, size_t at, struct conversion *conversion)
{
    unsigned letter = letter_at(format, wide, at);

    if (letter == 'I' && letter_at(format, wide, at + 1) == '6') {
        conversion->is_64 = TRUE;
        return at + 3;
    }
    while (letter == 'l' || letter == 'h' || letter == 'z' || letter == 'w' || letter == 'I') {
        conversion->is_64 |= letter == 'z' || letter == 'I' || (letter == 'l' && conversion->is_wide);
        conversion->is_wide |= letter == 'l' || letter == 'w';
        letter = letter_at(format, wide, ++at);
    }
    return at;
}

/* From the character behind the per cent sign on; answers the place behind the conversion. */
static size_t parse(const void *format, BOOLEAN wide, size_t at, struct conversion *conversion, va_list *arguments)
{
    unsigned letter;

    *conversion = (struct conversion){.spec = "%", .length = 1, .precision = -1};
    for (;; at++) {
        letter = letter_at(format, wide, at);
        if (letter == '*') {
            int width = va_arg(*arguments, int);

            conversion->length += (size_t)snprintf(conversion->spec + conversion->length, 12, "%d", width);
        } else if (letter != 0 && strchr("-+ #0123456789.", (int)letter) != NULL) {
            spec_add(conversion, (char)letter);
            if (letter == '.') {
                conversion->precision = 0;
            } else if (conversion->precision >= 0 && letter >= '0' && letter <= '9') {
                conversion->precision = conversion->precision * 10 + (int)(letter - '0');
            }
        } else {
            break;
        }
    }
    at = parse_size(format, wide, at, conversion);
    conversion->type = (char)letter_at(format, wide, at);
    return conversion->type != '\0' ? at + 1 : at;
}

static void put_number(struct output *output, struct conversion *conversion, va_list *arguments)
{
    char text[160];

    if (conversion->is_64) {
        spec_add(conversion, 'l');
        spec_add(conversion, 'l');
        spec_add(conversion, conversion->type);
        snprintf(text, sizeof(text), conversion->spec, va_arg(*arguments, unsigned long long));
    } else {
        spec_add(conversion, conversion->type);
        snprintf(text, sizeof(text), conversion->spec, va_arg(*arguments, unsigned));
    }
    put_text(output, text);
}

static void put_string(struct output *output, const struct conversion *conversion, const void *string, BOOLEAN wide)
{
    size_t limit = conversion->precision >= 0 ? (size_t)conversion->precision : SIZE_MAX;

    if (string == NULL) {
        put_text(output, "(null)");
        return;
    }
    for (size_t i = 0; i < limit; i++) {
        unsigned letter = letter_at(string, wide, i);

        if (letter == 0) {
            return;
        }
        put(output, letter);
    }
}

static void convert(struct output *output, struct conversion *conversion, va_list *arguments)
{
    char text[24];

    switch (conversion->type) {
    case '%':
        put(output, '%');
        break;
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'c':
        put_number(output, conversion, arguments);
        break;
    case 'p':
        snprintf(text, sizeof(text), "%016llX", (unsigned long long)(uintptr_t)va_arg(*arguments, void *));
        put_text(output, text);
        break;
    case 's':
        put_string(output, conversion, va_arg(*arguments, void *), output->wide || conversion->is_wide);
        break;
    case 'S':
        put_string(output, conversion, va_arg(*arguments, void *), !output->wide);
        break;
    default:
        fprintf(stderr, "bed: a format with %%%c\n", conversion->type);
        abort();
    }
}

static void format_all(struct output *output, const void *format, va_list *arguments)
{
    struct conversion conversion;
    size_t at = 0;
    unsigned letter;

    while ((letter = letter_at(format, output->wide, at)) != 0) {
        at++;
        if (letter != '%') {
            put(output, letter);
            continue;
        }
        at = parse(format, output->wide, at, &conversion, arguments);
        convert(output, &conversion, arguments);
    }
}

/* As msvcrt: a text that does not fit is cut and answers -1, one that just fits is not ended. */
static int finish(struct output *output)
{
    size_t length = output->count;

    if (length < output->room) {
        put(output, 0);
    }
    return length <= output->room ? (int)length : -1;
}

int _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Arguments)
{
    struct output output = {.buffer = Buffer, .room = Count};
    va_list copy;

    va_copy(copy, Arguments);
    format_all(&output, Format, &copy);
    va_end(copy);
    return finish(&output);
}

int _snwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, ...)
{
    struct output output = {.buffer = Buffer, .room = Count, .wide = TRUE};
    va_list arguments;

    bed_irql_at_most(APC_LEVEL, "_snwprintf"); /* its tables are pageable */
    va_start(arguments, Format);
    format_all(&output, Format, &arguments);
    va_end(arguments);
    return finish(&output);
}
