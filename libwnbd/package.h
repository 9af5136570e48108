/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver package: an INF file, and beside it the files that it installs. */
#ifndef LIBWNBD_PACKAGE_H
#define LIBWNBD_PACKAGE_H

#include <windows.h>

/*
 * Whether the INF file at the full path `inf` can be read and all its files stand beside it. `shown` is what the caller
 * calls it, for the message (UTF-8). 2 no such file, a folder, or one of its files is missing; others from Windows'
 * set-up, which may call a missing file by no name, or ask for it in a window that nobody sees.
 */
DWORD package_check(const WCHAR *inf, const CHAR *shown);

#endif
