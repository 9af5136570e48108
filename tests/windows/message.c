/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* message IMAGE CODE [INSERT ...]: prints a message of the image's message table as the event viewer does. In the event
 * log of drivers %1 is the driver's. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#define MOST_INSERTS 16

int main(int count, char **arguments)
{
    HMODULE image = count > 2 ? LoadLibraryExA(arguments[1], NULL, LOAD_LIBRARY_AS_DATAFILE) : NULL;
    DWORD_PTR inserts[MOST_INSERTS] = {(DWORD_PTR) "\\Driver\\wnbd"};
    char text[2048];

    if (!image || count > MOST_INSERTS + 2) {
        fprintf(stderr, "message: error %lu\n", GetLastError());
        return 1;
    }
    for (int i = 1; i < MOST_INSERTS; i++)
        inserts[i] = (DWORD_PTR)(i + 2 < count ? arguments[i + 2] : "");
    if (!FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                        image, strtoul(arguments[2], NULL, 0), 0, text, sizeof(text), (va_list *)inserts)) {
        fprintf(stderr, "message: error %lu\n", GetLastError());
        return 1;
    }
    puts(text);
    return 0;
}
