/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/narrow.h"

#include <wchar.h>

const char *narrow(const WCHAR *wide, size_t count, char text[NARROW_SIZE])
{
    int length = (int)wcsnlen(wide, count);

    text[WideCharToMultiByte(CP_UTF8, 0, wide, length, text, NARROW_SIZE - 1, NULL, NULL)] = '\0';
    return text;
}
