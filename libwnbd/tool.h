/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of Windows' own. */
#ifndef LIBWNBD_TOOL_H
#define LIBWNBD_TOOL_H

#include <windows.h>

/*
 * Runs the program `name` of Windows' system folder with `arguments`, without a window or any output, and waits for its
 * end, a minute at most. *code is its exit code. 2 there is no such program; 1460 ERROR_TIMEOUT it has been ended; 206
 * the arguments are too long; others from starting it.
 */
DWORD tool_run(const WCHAR *name, const WCHAR *arguments, DWORD *code);

#endif
