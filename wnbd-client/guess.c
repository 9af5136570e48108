/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/guess.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX    40 /* longer words are nobody's typing error */
#define GUESSES_MAX 3
#define TOO_FAR     3 /* letters */

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
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
            unsigned change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));

            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

static bool begins_with(const char *name, const char *word)
{
    while (*word && lower(*name) == lower(*word)) {
        name++;
        word++;
    }
    return *word == '\0';
}

/* 0: the name begins with the word; otherwise letters, TOO_FAR and more for what is another word. */
static unsigned how_far(const char *word, const char *name)
{
    size_t length = strlen(word);
    unsigned far = strlen(name) > WORD_MAX ? TOO_FAR : distance(word, name);

    if (begins_with(name, word))
        return 0;
    return length <= 3 && far == TOO_FAR - 1 ? TOO_FAR : far; /* of short words nearly every other is as near */
}

static void append(char *text, size_t *used, const char *name)
{
    *used += (size_t)snprintf(text + *used, GUESS_TEXT_SIZE - *used, "%s'%s'", *used != 0 ? " or " : "", name);
}

const char *guess(const char *word, const char *const *names, size_t count, char text[GUESS_TEXT_SIZE])
{
    unsigned nearest = TOO_FAR;
    unsigned found = 0;
    size_t used = 0;

    if (word[0] == '\0' || strlen(word) > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++)
        nearest = least(nearest, how_far(word, names[i]));
    for (size_t i = 0; nearest < TOO_FAR && i < count && found < GUESSES_MAX; i++) {
        if (how_far(word, names[i]) == nearest) {
            append(text, &used, names[i]);
            found++;
        }
    }
    return found != 0 ? text : NULL;
}
