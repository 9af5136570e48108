/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which command a word names, or nearly names. */
#include "wnbd-client/arguments.h"

#include <string.h>

#define WORD_MAX 32 /* longer words are nobody's typing error */

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

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, added or taken away to make one word of the other (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t length = strlen(b);

    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

static const struct command *find_beginning(const struct command *table, const char *name)
{
    for (; table->names[0]; table++) {
        if (strncmp(table->names[0], name, strlen(name)) == 0)
            return table;
    }
    return NULL;
}

const struct command *command_suggest(const struct command *table, const char *name)
{
    const struct command *best;
    size_t length = strlen(name);
    unsigned best_distance = length > 3 ? 3 : 2; /* one more than is forgiven */

    if (length == 0 || length > WORD_MAX)
        return NULL;
    best = find_beginning(table, name);
    if (best)
        return best;
    for (; table->names[0]; table++) {
        unsigned far = strlen(table->names[0]) > WORD_MAX ? WORD_MAX : distance(name, table->names[0]);

        if (far < best_distance) {
            best_distance = far;
            best = table;
        }
    }
    return best;
}
