/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Saying a message of libwnbd/messages.h. A message is a sentence without a full stop: who shows it, ends it. */
#ifndef LIBWNBD_LOG_H
#define LIBWNBD_LOG_H

#include "libwnbd/messages.h"
#include "include/wnbd.h"
#include "core/base/compiler.h"

#define LOG_LEVEL(name, id, level, ...) MESSAGE_##name##_LEVEL = WnbdLogLevel##level,
enum log_level { LIBRARY_MESSAGES(LOG_LEVEL) };
#undef LOG_LEVEL

/* log_message(MESSAGE_NOT_MAPPED, "cannot map '%s': %s", ...): the level is the table's. */
#define log_message(message, ...)                                                                                      \
    log_write(message, (WnbdLogLevel)message##_LEVEL, __FILE__, __LINE__, __func__, __VA_ARGS__)

/* Hands the formatted message to the logger if `level` is reported. Keeps GetLastError. */
void log_write(enum library_message id, WnbdLogLevel level, const char *file, UINT32 line, const char *function,
               const char *format, ...) PRINTF_LIKE(6, 7);

#endif
