/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Formatting. The kernel knows %wZ and %Z (a UNICODE_STRING), Wine's routines print "Z" and lose step with the
 * arguments. On x64 each argument is one slot of eight bytes, so the list can be rewritten together with the format:
 * %wZ becomes
 * %.*ls with two slots.
 */
#include "bed/wine/nt.h"
#include "bed/wine/shim.h"

#include <stdarg.h>
#include <stdio.h>

#define SLOTS_MAX       48
#define FORMAT_MAX      512
#define WIDE_FORMAT_MAX 200

struct rewriting {
    const uint64_t *from;
    uint64_t slots[SLOTS_MAX];
    unsigned count;
    unsigned length;
};

static void keep_slot(struct rewriting *to)
{
    uint64_t slot = *to->from++;

    if (to->count < SLOTS_MAX) {
        to->slots[to->count++] = slot;
    }
}

static void string_slots(struct rewriting *to)
{
    const UNICODE_STRING *string = (const void *)(uintptr_t)*to->from++;

    if (to->count + 2 <= SLOTS_MAX) {
        to->slots[to->count++] = string != NULL ? string->Length / sizeof(WCHAR) : 6;
        to->slots[to->count++] = (uintptr_t)(string != NULL ? string->Buffer : L"(null)");
    }
}

/* The length of a conversion without its last letter: flags, width, precision, size. */
static size_t conversion_prefix(const char *at)
{
    return strspn(at, "-+ #0123456789.*hlLwIjztq");
}

static void put(struct rewriting *to, char *format, char character)
{
    if (to->length < FORMAT_MAX - 1) {
        format[to->length++] = character;
    }
}

static void conversion(struct rewriting *to, char *format, const char *at, size_t prefix)
{
    if (at[prefix] == 'Z') {
        string_slots(to);
        for (const char *text = "%.*ls"; *text; text++) {
            put(to, format, *text);
        }
        return;
    }
    put(to, format, '%');
    for (size_t i = 0; i <= prefix && at[i] != 0; i++) {
        if (at[i] == '*') {
            keep_slot(to);
        }
        put(to, format, at[i]);
    }
    if (at[prefix] != '%' && at[prefix] != 0) {
        keep_slot(to);
    }
}

static void rewrite(struct rewriting *to, char format[FORMAT_MAX], const char *at)
{
    while (*at) {
        size_t prefix;

        if (*at != '%') {
            put(to, format, *at++);
            continue;
        }
        prefix = conversion_prefix(++at);
        conversion(to, format, at, prefix);
        at += prefix + (at[prefix] != 0);
    }
    format[to->length] = 0;
}

static int __cdecl shim__vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct rewriting to = {.from = (const uint64_t *)(const void *)arguments};
    char rewritten[FORMAT_MAX];

    rewrite(&to, rewritten, format);
    return _vsnprintf(buffer, size, rewritten, (va_list)(void *)to.slots);
}

static int __cdecl shim__snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = shim__vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

/* Wide formats: the letters that matter are ASCII, so the format is narrowed, rewritten and widened again. */
static int __cdecl shim__vsnwprintf(wchar_t *buffer, size_t size, const wchar_t *format, va_list arguments)
{
    struct rewriting to = {.from = (const uint64_t *)(const void *)arguments};
    char narrow[WIDE_FORMAT_MAX];
    char rewritten[FORMAT_MAX];
    wchar_t wide[WIDE_FORMAT_MAX];
    unsigned length;

    for (length = 0; format[length] != 0 && length < WIDE_FORMAT_MAX - 1; length++) {
        narrow[length] = format[length] < 0x80 ? (char)format[length] : '?';
    }
    narrow[length] = 0;
    rewrite(&to, rewritten, narrow);
    for (length = 0; rewritten[length] != 0 && length < WIDE_FORMAT_MAX - 1; length++) {
        wide[length] = (UCHAR)rewritten[length];
    }
    wide[length] = 0;
    return _vsnwprintf(buffer, size, wide, (va_list)(void *)to.slots);
}

static int __cdecl shim__snwprintf(wchar_t *buffer, size_t size, const wchar_t *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = shim__vsnwprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

static ULONG print(const char *format, va_list arguments)
{
    char text[FORMAT_MAX];

    text[FORMAT_MAX - 1] = 0;
    shim__vsnprintf(text, FORMAT_MAX - 1, format, arguments);
    return DbgPrint("%s", text);
}

static ULONG __cdecl shim_DbgPrint(const char *format, ...)
{
    va_list arguments;
    ULONG status;

    va_start(arguments, format);
    status = print(format, arguments);
    va_end(arguments);
    return status;
}

static ULONG __cdecl shim_DbgPrintEx(ULONG component, ULONG level, const char *format, ...)
{
    va_list arguments;
    ULONG status;

    (void)component;
    (void)level;
    va_start(arguments, format);
    status = print(format, arguments);
    va_end(arguments);
    return status;
}

static ULONG NTAPI shim_vDbgPrintEx(ULONG component, ULONG level, const char *format, va_list arguments)
{
    (void)component;
    (void)level;
    return print(format, arguments);
}

const struct shim bed_print_shims[] = {
    SHIM_CHECK(_vsnprintf), SHIM_CHECK(_snprintf),  SHIM_CHECK(_vsnwprintf), SHIM_CHECK(_snwprintf),
    SHIM_CHECK(DbgPrint),   SHIM_CHECK(DbgPrintEx), SHIM_CHECK(vDbgPrintEx), SHIM_END,
};
