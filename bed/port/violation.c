/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Violations: printed, counted, and the first texts kept. */
#include "bed/port/internal.h"

static KSPIN_LOCK lock; /* zero is a free lock */
static ULONG count;
static char texts[PORT_VIOLATION_TEXTS][PORT_VIOLATION_TEXT_LENGTH];

static void keep(const char *text)
{
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    if (count < PORT_VIOLATION_TEXTS) {
        RtlCopyMemory(texts[count], text, PORT_VIOLATION_TEXT_LENGTH);
    }
    count++;
    KeReleaseSpinLock(&lock, irql);
}

static void format_text(char text[PORT_VIOLATION_TEXT_LENGTH], const char *format, va_list arguments)
{
    RtlZeroMemory(text, PORT_VIOLATION_TEXT_LENGTH);
    _vsnprintf(text, PORT_VIOLATION_TEXT_LENGTH - 1, format, arguments);
}

void port_violation(const char *format, ...)
{
    char text[PORT_VIOLATION_TEXT_LENGTH];
    va_list arguments;

    va_start(arguments, format);
    format_text(text, format, arguments);
    va_end(arguments);
    DbgPrint("BED VIOLATION: %s\n", text);
    keep(text);
}

void port_log(const char *format, ...)
{
    char text[PORT_VIOLATION_TEXT_LENGTH];
    va_list arguments;

    va_start(arguments, format);
    format_text(text, format, arguments);
    va_end(arguments);
    DbgPrint("bed: %s\n", text);
}

ULONG port_violation_count(void)
{
    return count;
}

BOOLEAN port_violation_text(ULONG index, char text[PORT_VIOLATION_TEXT_LENGTH])
{
    BOOLEAN kept;
    KIRQL irql;

    KeAcquireSpinLock(&lock, &irql);
    kept = index < count && index < PORT_VIOLATION_TEXTS;
    if (kept) {
        RtlCopyMemory(text, texts[index], PORT_VIOLATION_TEXT_LENGTH);
    }
    KeReleaseSpinLock(&lock, irql);
    return kept;
}
