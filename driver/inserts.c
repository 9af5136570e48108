/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/inserts.h"

#include "driver/text.h"

#define CONVERSION_MAX 12 /* %08lx and the like, with NUL */

/* The length of the conversion that begins at the per cent sign `at`. */
static size_t conversion_length(const char *at)
{
    size_t length = 1;

    while (at[length] != 's' && at[length] != 'd' && at[length] != 'u' && at[length] != 'x') {
        length++;
    }
    return length + 1;
}

/* Names come from callers and words from servers: one line stays one line. */
static void flatten(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F) {
            *text = '?';
        }
    }
}

/* Where the next insert goes, with at least room for its NUL: one more than the others need stays free. */
static char *begin(struct inserts *inserts, size_t *room)
{
    char *text = inserts->text + inserts->used;

    NT_ASSERT(inserts->count < INSERTS_MAX);
    inserts->at[inserts->count] = inserts->used;
    *room = sizeof inserts->text - inserts->used - (INSERTS_MAX - 1 - inserts->count);
    return text;
}

static void end(struct inserts *inserts, char *text, size_t room)
{
    flatten(text);
    inserts->used += (USHORT)(text_length(text, room) + 1);
    inserts->count++;
}

static void add_text(struct inserts *inserts, const char *text)
{
    size_t room;
    char *place = begin(inserts, &room);

    text_format(place, room, "%s", text);
    end(inserts, place, room);
}

/* `long` has 32 bits here, as in all of Windows. */
static void add_number(struct inserts *inserts, const char *conversion, bool is_long_long, va_list *arguments)
{
    size_t room;
    char *place = begin(inserts, &room);

    if (is_long_long) {
        text_format(place, room, conversion, va_arg(*arguments, unsigned long long));
    } else {
        text_format(place, room, conversion, va_arg(*arguments, unsigned));
    }
    end(inserts, place, room);
}

static void add(struct inserts *inserts, const char *at, size_t length, va_list *arguments)
{
    char conversion[CONVERSION_MAX];

    if (at[length - 1] == 's') {
        add_text(inserts, va_arg(*arguments, const char *));
        return;
    }
    NT_ASSERT(length < sizeof conversion);
    RtlCopyMemory(conversion, at, length);
    conversion[length] = '\0';
    add_number(inserts, conversion, length > 3 && at[length - 2] == 'l' && at[length - 3] == 'l', arguments);
}

void inserts_take(struct inserts *inserts, const char *disk, const char *format, va_list arguments)
{
    va_list rest;

    inserts->count = 0;
    inserts->used = 0;
    inserts->has_disk = disk != NULL;
    if (disk != NULL) {
        add_text(inserts, disk);
    }
    va_copy(rest, arguments);
    while (*format != '\0') {
        size_t length = 1;

        if (*format == '%') {
            length = conversion_length(format);
            add(inserts, format, length, &rest);
        }
        format += length;
    }
    va_end(rest);
}

static const char *insert(const struct inserts *inserts, ULONG index)
{
    return inserts->text + inserts->at[index];
}

/* Appends as much of `text` as leaves room for a NUL. */
static size_t append(char *line, size_t used, size_t size, const char *text, size_t length)
{
    length = min(length, size - 1 - used);
    RtlCopyMemory(line + used, text, length);
    return used + length;
}

static size_t append_insert(char *line, size_t used, size_t size, const struct inserts *inserts, ULONG index)
{
    const char *text = insert(inserts, index);

    return append(line, used, size, text, text_length(text, sizeof inserts->text));
}

void inserts_print(const struct inserts *inserts, const char *format, char *line, size_t size)
{
    ULONG next = 0;
    size_t used = 0;

    if (inserts->has_disk) {
        used = append_insert(line, used, size, inserts, next++);
        used = append(line, used, size, ": ", 2);
    }
    while (*format != '\0') {
        if (*format == '%') {
            used = append_insert(line, used, size, inserts, next++);
            format += conversion_length(format);
        } else {
            used = append(line, used, size, format++, 1);
        }
    }
    line[used] = '\0';
}
