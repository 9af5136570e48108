/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/log.h"

#include <stdarg.h>
#include <stdio.h>

static VOID log_to_stderr(WnbdLogLevel level, const char *message, const char *file, UINT32 line, const char *function)
{
    SYSTEMTIME now;

    (void)file;
    (void)line;
    GetLocalTime(&now);
    fprintf(stderr, "%04u-%02u-%02u %02u:%02u:%02u.%03u wnbd.dll!%s %s %s\n", now.wYear, now.wMonth, now.wDay,
            now.wHour, now.wMinute, now.wSecond, now.wMilliseconds, function, WnbdLogLevelToStr(level), message);
}

/* Both change while other threads log; each message uses one value of each. */
static LogMessageFunc volatile current_logger = log_to_stderr;
static WnbdLogLevel volatile current_level = WnbdLogLevelWarning;

/* Of the message that this thread's logger is being told; 0: none. */
static _Thread_local UINT32 current_id;

VOID WnbdSetLogger(LogMessageFunc Logger)
{
    current_logger = Logger;
}

VOID WnbdSetLogLevel(WnbdLogLevel LogLevel)
{
    current_level = LogLevel;
}

UINT32 WnbdGetLogMessageId(VOID)
{
    return current_id;
}

/* A logger may call the library, which may have something to say of that. */
static void tell(LogMessageFunc logger, enum library_message id, WnbdLogLevel level, const char *message,
                 const char *file, UINT32 line, const char *function)
{
    UINT32 outer_id = current_id;

    current_id = (UINT32)id;
    logger(level, message, file, line, function);
    current_id = outer_id;
}

void log_write(enum library_message id, WnbdLogLevel level, const char *file, UINT32 line, const char *function,
               const char *format, ...)
{
    LogMessageFunc logger = current_logger;
    DWORD last_error = GetLastError();
    char message[WNBD_LOG_MESSAGE_MAX_SIZE];
    va_list arguments;

    if (!logger || level > current_level)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    tell(logger, id, level, message, file, line, function);
    SetLastError(last_error);
}
