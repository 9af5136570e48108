/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of the library. A message is a sentence without a full stop: who shows it, ends it. */
#ifndef LIBWNBD_LOG_H
#define LIBWNBD_LOG_H

#include "include/wnbd.h"
#include "core/base/compiler.h"

#define log_error(...)   log_write(WnbdLogLevelError, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_warning(...) log_write(WnbdLogLevelWarning, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_info(...)    log_write(WnbdLogLevelInfo, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_debug(...)   log_write(WnbdLogLevelDebug, __FILE__, __LINE__, __func__, __VA_ARGS__)

/* Hands the formatted message to the logger if `level` is reported. Keeps GetLastError. */
void log_write(WnbdLogLevel level, const char *file, UINT32 line, const char *function, const char *format, ...)
    PRINTF_LIKE(5, 6);

#endif
