/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The printf family, which the Universal C Runtime does not export: Microsoft's headers have them inline over two
 * calls. */
#include <stdarg.h>
#include <stdio.h>

#define AS_C99                                                                                                         \
    2 /* _CRT_INTERNAL_PRINTF_STANDARD_SNPRINTF_BEHAVIOR: cut, ended with 0, and the length it would have had */

int vfprintf(FILE *file, const char *format, va_list list)
{
    return __stdio_common_vfprintf(0, file, format, NULL, list);
}

int fprintf(FILE *file, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vfprintf(file, format, list);
    va_end(list);
    return length;
}

int printf(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vfprintf(stdout, format, list);
    va_end(list);
    return length;
}

int vsnprintf(char *text, size_t size, const char *format, va_list list)
{
    return __stdio_common_vsprintf(AS_C99, text, size, format, NULL, list);
}

int snprintf(char *text, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, size, format, list);
    va_end(list);
    return length;
}
