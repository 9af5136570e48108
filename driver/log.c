/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/log.h"

#include "driver/ddk.h"
#include "driver/event.h"
#include "driver/inserts.h"
#include "driver/options.h"

#include <stdarg.h>
#include <stdbool.h>

#define LOG_LINE_MAX 512 /* what DbgPrint prints at once */

static enum log_level level_of(enum message_id id)
{
    switch (MESSAGES_KIND(id)) {
    case MESSAGE_INFORMATION:
        return LOG_INFO;
    case MESSAGE_WARNING:
        return LOG_WARNING;
    case MESSAGE_ERROR:
        break;
    }
    return LOG_ERROR;
}

static bool is_wanted(enum log_level level)
{
    return level == LOG_ERROR || (LONG64)level <= driver_options.log_level;
}

/* A function of its own: the line is on the stack no longer than it must. */
static OUT_OF_LINE void print(enum message_id id, const struct inserts *inserts, const char *format)
{
    char line[LOG_LINE_MAX];

    inserts_print(inserts, format, line, sizeof line);
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, (ULONG)level_of(id), "wnbd %u: %s\n", (unsigned)id, line);
}

void log_write(enum message_id id, const char *disk, const char *format, ...)
{
    struct inserts inserts;
    va_list arguments;

    if (!is_wanted(level_of(id)) || !(driver_options.dbg_print_enabled || driver_options.etw_logging_enabled)) {
        return;
    }
    va_start(arguments, format);
    inserts_take(&inserts, disk, format, arguments);
    va_end(arguments);
    if (driver_options.dbg_print_enabled) {
        print(id, &inserts, format);
    }
    if (driver_options.etw_logging_enabled) {
        event_write(id, &inserts);
    }
}
