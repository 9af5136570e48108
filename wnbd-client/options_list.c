/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/options_list.h"

#include "wnbd-client/narrow.h"

#include <stdlib.h>

#define NAMES_MAX 32

DWORD options_list(PWNBD_OPTION_LIST *list, BOOLEAN persistent)
{
    DWORD size = 0;
    DWORD given;
    DWORD error;

    *list = NULL;
    do {
        given = size;
        free(*list);
        *list = given ? malloc(given) : NULL;
        if (given && !*list)
            return ERROR_NOT_ENOUGH_MEMORY;
        error = WnbdListDrvOpt(*list, &size, persistent);
    } while (error == ERROR_SUCCESS && size > given);
    return error;
}

static const char *guess_of(const char *name, const WNBD_OPTION_LIST *list, char text[GUESS_TEXT_SIZE])
{
    static char names[NAMES_MAX][NARROW_SIZE];
    const char *each[NAMES_MAX];
    size_t count = 0;

    for (; count < list->Count && count < NAMES_MAX; count++)
        each[count] = narrow(list->Options[count].Name, WNBD_MAX_OPT_NAME_LENGTH, names[count]);
    return guess(name, each, count, text);
}

const char *options_suggest(const char *name, char text[GUESS_TEXT_SIZE])
{
    PWNBD_OPTION_LIST list;
    const char *meant = options_list(&list, FALSE) == ERROR_SUCCESS ? guess_of(name, list, text) : NULL;

    free(list);
    return meant;
}
