/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_WINDOWS_FAULTS_H
#define TESTS_WINDOWS_FAULTS_H

#include <wnbd.h>

struct arguments;

/* FUNCTION VALUE [--error ERROR] [--after CALLS] [--times CALLS]: what it returns to the library, and GetLastError
 * after it. 0. */
DWORD fault_let_fail(struct arguments *arguments);

/* All work again. 0. */
DWORD fault_heal(struct arguments *arguments);

#endif
