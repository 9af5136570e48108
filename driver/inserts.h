/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inserts of one message as texts: the disk's name, if it is about one, and what each conversion of its format
 * makes. Any IRQL up to DISPATCH_LEVEL. */
#ifndef WNBD_DRIVER_INSERTS_H
#define WNBD_DRIVER_INSERTS_H

#include "driver/ddk.h"

#include <stdarg.h>
#include <stdbool.h>

#define INSERTS_MAX   8
#define INSERTS_BYTES 512 /* of all together, each with its NUL; what is more is cut */

struct inserts {
    ULONG count;
    bool has_disk; /* the first is its name */
    USHORT used;
    USHORT at[INSERTS_MAX]; /* in `text`; UTF-8, ended with NUL */
    char text[INSERTS_BYTES];
};

/* `disk`: its name, NULL: none. */
void inserts_take(struct inserts *inserts, const char *disk, const char *format, va_list arguments);

/* Writes the message as one line, cut to `size` bytes. */
void inserts_print(const struct inserts *inserts, const char *format, char *line, size_t size);

#endif
