/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The console as a live table needs it: keys, and a screen that is written over. One at a time. */
#ifndef WNBD_CLIENT_CONSOLE_H
#define WNBD_CLIENT_CONSOLE_H

#include "include/wnbd.h"

#include <stdbool.h>

#define CONSOLE_ENDED 'q' /* what Ctrl-C is, too */

/* False: the output is no console but a file or a pipe. Ctrl-C is a key from here on, whichever it is. */
bool console_begin(void);

/* Waits for a key; 0: the time is over. */
char console_wait(DWORD milliseconds);

/* How many lines fit. */
unsigned console_lines(void);

/* Writing over what is there: from the top left on; the end of a line; what is left of the screen. */
void console_home(void);
void console_end_line(void);
void console_clear_below(void);

void console_end(void);

#endif
