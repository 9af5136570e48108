/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/print.h"

#include "bed/host/irql.h"
#include "driver/ddk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LENGTH 1024

static bool quiet;
static bool fatal;

void bed_print_options(bool be_quiet, bool be_fatal)
{
    quiet = be_quiet;
    fatal = be_fatal;
}

static ULONG print(PCSTR format, va_list arguments)
{
    char line[LINE_MAX_LENGTH] = {0};
    bool violation;

    _vsnprintf(line, sizeof(line) - 1, format, arguments);
    violation = strncmp(line, "BED VIOLATION", 13) == 0;
    if (!quiet || violation) {
        fputs(line, stderr);
    }
    if (violation && fatal) {
        abort(); /* the sanitizer's report shows who did it */
    }
    return 0;
}

ULONG DbgPrint(PCSTR Format, ...)
{
    va_list arguments;
    ULONG status;

    va_start(arguments, Format);
    status = print(Format, arguments);
    va_end(arguments);
    return status;
}

ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list arguments;
    ULONG status;

    UNREFERENCED_PARAMETER(ComponentId);
    UNREFERENCED_PARAMETER(Level);
    va_start(arguments, Format);
    status = print(Format, arguments);
    va_end(arguments);
    return status;
}

VOID bed_assertion_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "bed: the driver's assertion %s failed at %s:%d\n", expression, file, line);
    abort();
}
