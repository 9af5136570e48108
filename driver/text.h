/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text in fixed buffers. */
#ifndef WNBD_DRIVER_TEXT_H
#define WNBD_DRIVER_TEXT_H

#include "driver/ddk.h"
#include "core/base/compiler.h"

#include <stdarg.h>
#include <stdbool.h>

/* Writes a formatted text, cut to `size` bytes (1 or more), always ended with NUL. Any IRQL up to DISPATCH_LEVEL. */
void text_format(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
void text_format_list(char *text, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);

/* The length of the string in `text`, at most `size` bytes: `size` when no NUL ends it. */
size_t text_length(const char *text, size_t size);

/* Whether two strings in arrays of `size` bytes, ended with NUL, are the same. */
bool text_equal(const char *left, const char *right, size_t size);

/* Writes UTF-8 as UTF-16 with a terminating NUL to `wide` and describes it in `string`. False when it does not fit or
 * is not UTF-8. PASSIVE_LEVEL. */
bool text_widen(const char *text, size_t length, WCHAR *wide, size_t wide_count, UNICODE_STRING *string);

/* Writes UTF-8 as UTF-16 with a terminating NUL: no more units than `text` has bytes. What is no UTF-8 becomes U+FFFD.
 * The number of units without the NUL. Any IRQL up to DISPATCH_LEVEL. */
size_t text_to_wide(const char *text, WCHAR *wide);

#endif
