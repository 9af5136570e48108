/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver's log: lines for a kernel debugger, each beginning with "wnbd: ". The option LogLevel says which: a level
 * up to it, and always LOG_ERROR; without DbgPrintEnabled none.
 */
#ifndef WNBD_DRIVER_LOG_H
#define WNBD_DRIVER_LOG_H

#include "core/base/compiler.h"

/* The kernel's component filter levels (DPFLTR_*_LEVEL) with our meaning. */
enum log_level {
    LOG_ERROR = 0,   /* something that was promised failed */
    LOG_WARNING = 1, /* a peer or a caller did what it should not, and it was dealt with */
    LOG_INFO = 3,    /* disks come and go */
};

/* Prints one line; the newline is added. Formats: %s with NUL-terminated bytes, %u, %d, %x, %llu and the like; none of
 * the kernel's own. Any IRQL up to DISPATCH_LEVEL. */
void log_print(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
