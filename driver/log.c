/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/log.h"

#include "driver/ddk.h"
#include "driver/options.h"
#include "driver/text.h"

#include <stdarg.h>

#define LOG_LINE_MAX 512 /* what DbgPrint prints at once */

/* Names come from callers: one line stays one line. */
static void flatten(char *line)
{
    for (; *line != '\0'; line++) {
        if ((unsigned char)*line < ' ' || *line == 0x7F) {
            *line = '?';
        }
    }
}

static bool is_wanted(enum log_level level)
{
    return driver_options.dbg_print_enabled && (level == LOG_ERROR || (LONG64)level <= driver_options.log_level);
}

void log_print(enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;

    if (!is_wanted(level)) {
        return;
    }
    va_start(arguments, format);
    text_format_list(line, sizeof line, format, arguments);
    va_end(arguments);
    flatten(line);
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, (ULONG)level, "wnbd: %s\n", line);
}
