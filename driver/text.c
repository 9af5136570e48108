/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/text.h"

#include "core/base/text.h"

/* ntoskrnl exports this one; mingw's stdio.h would map the name to something it does not. */
int __cdecl _vsnprintf(char *buffer, size_t count, const char *format, va_list arguments);

void text_format_list(char *text, size_t size, const char *format, va_list arguments)
{
    _vsnprintf(text, size, format, arguments);
    text[size - 1] = '\0'; /* a text that just fits or is cut is not ended by _vsnprintf */
}

void text_format(char *text, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_format_list(text, size, format, arguments);
    va_end(arguments);
}

size_t text_length(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length] != '\0') {
        length++;
    }
    return length;
}

bool text_equal(const char *left, const char *right, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i]) {
            return false;
        }
        if (left[i] == '\0') {
            return true;
        }
    }
    return true;
}

bool text_widen(const char *text, size_t length, WCHAR *wide, size_t wide_count, UNICODE_STRING *string)
{
    ULONG bytes = 0;
    NTSTATUS status = RtlUTF8ToUnicodeN(wide, (ULONG)((wide_count - 1) * sizeof(WCHAR)), &bytes, text, (ULONG)length);

    if (status != STATUS_SUCCESS) { /* also STATUS_SOME_NOT_MAPPED, which is a success code */
        return false;
    }
    wide[bytes / sizeof(WCHAR)] = L'\0';
    string->Buffer = wide;
    string->Length = (USHORT)bytes;
    string->MaximumLength = (USHORT)(bytes + sizeof(WCHAR));
    return true;
}

#define REPLACEMENT_CHARACTER 0xFFFD

/* Above U+FFFF a character is two surrogates. */
static size_t put_character(WCHAR *wide, uint32_t character)
{
    if (character < 0x10000) {
        wide[0] = (WCHAR)character;
        return 1;
    }
    wide[0] = (WCHAR)(0xD800 + ((character - 0x10000) >> 10));
    wide[1] = (WCHAR)(0xDC00 + ((character - 0x10000) & 0x3FF));
    return 2;
}

size_t text_to_wide(const char *text, WCHAR *wide)
{
    size_t left = text_length(text, SIZE_MAX);
    size_t units = 0;

    while (left != 0) {
        uint32_t character = REPLACEMENT_CHARACTER;
        size_t bytes = max(text_utf8_character((const uint8_t *)text, left, &character), 1);

        units += put_character(wide + units, character);
        text += bytes;
        left -= bytes;
    }
    wide[units] = L'\0';
    return units;
}
