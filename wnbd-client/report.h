/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes to stderr: one sentence when a command fails, notes when it does not. */
#ifndef WNBD_CLIENT_REPORT_H
#define WNBD_CLIENT_REPORT_H

#include "include/wnbd.h"
#include "core/base/compiler.h"

#include <stdbool.h>

/* Makes the library's messages come here. With `debug` all of them are printed at once. */
void report_start(bool debug);

/* From now on the library's warnings and errors are said on stderr as they come, and not kept for report_failure. */
void report_follow(void);

/*
 * Says why a command failed and returns `error`, the exit code. The format gives what could not be done ("cannot show
 * 'x'"). If the library has told the reason, its own sentence is used instead, because it knows more.
 */
int report_failure(DWORD error, const char *format, ...) PRINTF_LIKE(2, 3);

/* What the library has told so far is about something else than what is done next. */
void report_forget(void);
/* The same, with Windows' own words for `error`: what failed is no disk of ours, but a file, say. */
int report_windows(DWORD error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Has the library told of an error? */
bool report_has_error(void);

/* Says the whole clause, or question. */
void report_sentence(const char *format, ...) PRINTF_LIKE(1, 2);

/* The command line is wrong: says the whole clause (or question) and returns ERROR_INVALID_PARAMETER. */
int report_misuse(const char *format, ...) PRINTF_LIKE(1, 2);

/* A remark on a command that worked. */
void report_note(const char *format, ...) PRINTF_LIKE(1, 2);

/* Flushes stdout, prints the last warning if `code` is 0, and returns the exit code: `code`, unless output was lost. */
int report_end(int code);

#endif
