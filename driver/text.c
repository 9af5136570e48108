/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/text.h"

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
