/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's log. What can be said stands in driver/messages.h; where it goes the options say (docs/options.md):
 *
 *   LogLevel           which messages: errors always, others up to that level
 *   DbgPrintEnabled    a line for a kernel debugger: "wnbd ID: DISK: text"
 *   EtwLoggingEnabled  an event for trace sessions; of errors and warnings an entry in the System event log, too
 *
 * It allocates nothing, and what cannot be told is lost in silence. Not for the way of each request.
 */
#ifndef WNBD_DRIVER_LOG_H
#define WNBD_DRIVER_LOG_H

#include "driver/messages.h"
#include "core/base/compiler.h"

/* The kernel's component filter levels (DPFLTR_*_LEVEL) with our meaning. */
enum log_level {
    LOG_ERROR = 0,   /* something that was promised failed */
    LOG_WARNING = 1, /* a peer or a caller did what it should not, and it was dealt with */
    LOG_INFO = 3,    /* disks come and go */
};

#define LOG_ADAPTER_TEXT(name, id, text, ...) static const char log_adapter_##name[] = text;
#define LOG_DISK_TEXT(name, id, text, ...)    static const char log_disk_##name[] = text;
DRIVER_MESSAGES(LOG_ADAPTER_TEXT, LOG_DISK_TEXT)
#undef LOG_ADAPTER_TEXT
#undef LOG_DISK_TEXT

/* Says the message `name` (without MESSAGE_) with its inserts; the compiler holds them against the text. log_disk: of
 * a disk (struct disk *). Any IRQL up to DISPATCH_LEVEL, any lock held. */
#define log_adapter(name, ...) log_write(MESSAGE_##name, 0, log_adapter_##name, ##__VA_ARGS__)
#define log_disk(name, disk, ...)                                                                                      \
    log_write(MESSAGE_##name, (disk)->properties.InstanceName, log_disk_##name, ##__VA_ARGS__)

/* `disk` is the disk's name, NULL: the message is about none. Callers use the two above. */
void log_write(enum message_id id, const char *disk, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
