/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strings: UNICODE_STRINGs, UTF-8, comparison. */
#include "bed/host/text.h"

#include "bed/host/irql.h"
#include "bed/port/violation.h"

#include <string.h>

void bed_text_narrow(const UNICODE_STRING *string, char *text, size_t size)
{
    size_t length = string->Length / sizeof(WCHAR);

    length = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < length; i++) {
        text[i] = (char)string->Buffer[i];
    }
    memset(text + length, 0, size - length);
}

void bed_text_widen(const char *text, UNICODE_STRING *string)
{
    size_t length = strlen(text);

    for (size_t i = 0; i <= length; i++) {
        string->Buffer[i] = (unsigned char)text[i];
    }
    string->Length = (USHORT)(length * sizeof(WCHAR));
    string->MaximumLength = (USHORT)(string->Length + sizeof(WCHAR));
}

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *left = Source1;
    const UCHAR *right = Source2;
    SIZE_T same = 0;

    while (same < Length && left[same] == right[same]) {
        same++;
    }
    return same;
}

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    size_t length = 0;

    while (SourceString != NULL && SourceString[length] != 0) {
        length++;
    }
    DestinationString->Buffer = (PWSTR)(uintptr_t)SourceString;
    DestinationString->Length = (USHORT)(length * sizeof(WCHAR));
    DestinationString->MaximumLength = SourceString != NULL ? (USHORT)(DestinationString->Length + sizeof(WCHAR)) : 0;
}

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    bed_irql_at_most(PASSIVE_LEVEL, "RtlFreeUnicodeString");
    if (UnicodeString->Buffer != NULL) {
        ExFreePool(UnicodeString->Buffer);
    }
    RtlZeroMemory(UnicodeString, sizeof(*UnicodeString));
}

static void end_with_nul(PUNICODE_STRING string)
{
    if (string->Length + sizeof(WCHAR) <= string->MaximumLength) {
        string->Buffer[string->Length / sizeof(WCHAR)] = 0;
    }
}

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    DestinationString->Length = min(SourceString->Length, DestinationString->MaximumLength);
    memcpy(DestinationString->Buffer, SourceString->Buffer, DestinationString->Length);
    end_with_nul(DestinationString);
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    if (Source->Length > Destination->MaximumLength - Destination->Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memcpy((PUCHAR)Destination->Buffer + Destination->Length, Source->Buffer, Source->Length);
    Destination->Length = (USHORT)(Destination->Length + Source->Length);
    end_with_nul(Destination);
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, Source);
    return RtlAppendUnicodeStringToString(Destination, &string);
}

static WCHAR upper(WCHAR letter)
{
    return letter >= 'a' && letter <= 'z' ? (WCHAR)(letter - 'a' + 'A') : letter;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    USHORT common = min(String1->Length, String2->Length) / sizeof(WCHAR);

    for (USHORT i = 0; i < common; i++) {
        WCHAR left = CaseInSensitive ? upper(String1->Buffer[i]) : String1->Buffer[i];
        WCHAR right = CaseInSensitive ? upper(String2->Buffer[i]) : String2->Buffer[i];

        if (left != right) {
            return left - right;
        }
    }
    return String1->Length - String2->Length;
}

/* ---- UTF-8 ---- */

#define REPLACEMENT 0xFFFD

/* The code point at *text, which is moved on; REPLACEMENT for what is none. */
static ULONG decode(const UCHAR **text, const UCHAR *end)
{
    static const ULONG least[] = {0, 0x80, 0x800, 0x10000};
    UCHAR first = *(*text)++;
    ULONG more = first < 0x80 ? 0 : first < 0xC0 ? 9 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF8 ? 3 : 9;
    ULONG code = more == 0 ? first : first & (0x3Fu >> more);

    if (more > 3) {
        return REPLACEMENT;
    }
    for (ULONG i = 0; i < more; i++) {
        if (*text == end || (**text & 0xC0) != 0x80) {
            return REPLACEMENT;
        }
        code = code << 6 | (*(*text)++ & 0x3F);
    }
    return code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? REPLACEMENT : code;
}

/* Appends a code point if there is room; FALSE when there is none. */
static BOOLEAN put(PWSTR wide, ULONG room, ULONG *count, ULONG code)
{
    ULONG units = code >= 0x10000 ? 2 : 1;

    if (room - *count < units) {
        return FALSE;
    }
    if (units == 2) {
        wide[(*count)++] = (WCHAR)(0xD800 + ((code - 0x10000) >> 10));
        code = 0xDC00 + ((code - 0x10000) & 0x3FF);
    }
    wide[(*count)++] = (WCHAR)code;
    return TRUE;
}

NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
                           PULONG UnicodeStringActualByteCount, PCSTR UTF8StringSource, ULONG UTF8StringByteCount)
{
    const UCHAR *text = (const UCHAR *)UTF8StringSource;
    const UCHAR *end = text + UTF8StringByteCount;
    ULONG room = UnicodeStringMaxByteCount / sizeof(WCHAR);
    NTSTATUS status = STATUS_SUCCESS;
    ULONG count = 0;

    bed_irql_at_most(PASSIVE_LEVEL, "RtlUTF8ToUnicodeN");
    while (text < end) {
        ULONG code = decode(&text, end);

        if (code == REPLACEMENT) {
            status = STATUS_SOME_NOT_MAPPED;
        }
        if (!put(UnicodeStringDestination, room, &count, code)) {
            *UnicodeStringActualByteCount = count * sizeof(WCHAR);
            return STATUS_BUFFER_TOO_SMALL;
        }
    }
    *UnicodeStringActualByteCount = count * sizeof(WCHAR);
    return status;
}
