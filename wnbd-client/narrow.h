/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows' text in UTF-8. */
#ifndef WNBD_CLIENT_NARROW_H
#define WNBD_CLIENT_NARROW_H

#include "include/wnbd.h"

#define NARROW_SIZE (WNBD_MAX_NAME_LENGTH * 3 + 1)

/* Of an array of `count`, WNBD_MAX_NAME_LENGTH at most, that a NUL may end. Answers `text`. */
const char *narrow(const WCHAR *wide, size_t count, char text[NARROW_SIZE]);

#endif
