/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stand_in: takes the place of a program in a package, says `text` and ends with `code`. A test writes both into the
 * image, behind the mark. */
#include <stdio.h>

static volatile struct {
    char mark[8];
    int code;
    char text[128];
} answer = {.mark = "STAND-IN"};

int main(void)
{
    for (const volatile char *next = answer.text; *next; next++)
        putchar(*next);
    return answer.code;
}
