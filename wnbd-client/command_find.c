/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which command a word names, or nearly names. */
#include "wnbd-client/arguments.h"

#include <string.h>

#define COMMANDS_MAX 32

const struct command *command_find(const struct command *table, const char *name)
{
    for (; table->names[0]; table++) {
        for (size_t i = 0; i < COMMAND_MAX_NAMES && table->names[i]; i++) {
            if (strcmp(table->names[i], name) == 0)
                return table;
        }
    }
    return NULL;
}

const char *command_suggest(const struct command *table, const char *name, char text[GUESS_TEXT_SIZE])
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;

    for (; table->names[0] && count < COMMANDS_MAX; table++)
        names[count++] = table->names[0];
    return guess(name, names, count, text);
}
