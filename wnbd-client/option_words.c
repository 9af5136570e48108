/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/option_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void option_words_init(struct option_words *words, int count, char **list)
{
    *words = (struct option_words){.count = count, .words = list, .next = 1, .operands = 1};
}

const char *option_words_peek(const struct option_words *words)
{
    return words->next < words->count ? words->words[words->next] : NULL;
}

/* Operands that were passed over go behind the word that is taken. */
const char *option_words_take(struct option_words *words)
{
    char **first = words->words + words->operands;
    char *word = words->words[words->next];

    memmove(first + 1, first, (size_t)(words->next - words->operands) * sizeof(*first));
    *first = word;
    words->operands++;
    words->next++;
    return word;
}

/* The one option that is called so, or begins so and no other does; NULL. */
static const struct option_name *find(const struct option_name *names, const char *name, size_t length)
{
    const struct option_name *found = NULL;
    bool is_ambiguous = false;

    for (; names->name; names++) {
        if (strncmp(names->name, name, length) != 0)
            continue;
        if (names->name[length] == '\0')
            return names;
        is_ambiguous = found != NULL;
        found = names;
    }
    return is_ambiguous ? NULL : found;
}

static int read_letter(struct option_words *words)
{
    const char *letters = words->word + 1;

    if (strcmp(letters, "h") == 0)
        return OPTION_LETTER_HELP;
    words->letter = letters[0] == 'h' ? letters[1] : letters[0];
    return OPTION_UNKNOWN;
}

static int read_name(struct option_words *words, const struct option_name *names)
{
    const char *name = words->word + 2;
    const char *equals = strchr(name, '=');
    const struct option_name *found = find(names, name, equals ? (size_t)(equals - name) : strlen(name));

    if (!found || (equals && found->value == OPTION_PLAIN))
        return OPTION_UNKNOWN;
    if (equals)
        words->value = equals + 1;
    else if (found->value == OPTION_NEEDS_VALUE && !option_words_peek(words))
        return OPTION_WITHOUT_VALUE;
    else if (found->value == OPTION_NEEDS_VALUE)
        words->value = option_words_take(words);
    return found->option;
}

static bool is_operand(const char *word)
{
    return word[0] != '-' || word[1] == '\0';
}

int option_words_next(struct option_words *words, const struct option_name *names)
{
    words->value = NULL;
    words->letter = 0;
    while (option_words_peek(words) && is_operand(option_words_peek(words)))
        words->next++;
    if (!option_words_peek(words))
        return OPTION_END;
    words->word = option_words_take(words);
    if (strcmp(words->word, "--") == 0) {
        words->next = words->count;
        return OPTION_END;
    }
    return words->word[1] == '-' ? read_name(words, names) : read_letter(words);
}
