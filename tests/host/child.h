/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A case that may end the program runs in a program of its own. */
#ifndef TESTS_HOST_CHILD_H
#define TESTS_HOST_CHILD_H

#include <stddef.h>

/*
 * Runs this very program with two more arguments, the driver's library and the case's number, and collects what it
 * prints, cut to `size` with a NUL. Answers its exit code, or -1 when a signal ended it or it took more than a minute.
 */
int child_run(const char *program, const char *library, unsigned number, char *output, size_t size);

#endif
