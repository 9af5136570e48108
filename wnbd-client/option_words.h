/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options among words: --name, --name=value, --name value, -h, and -- before what is no option whatever it looks like.
 * As getopt_long has them, which Microsoft's C runtime has not. A name may be cut as long as it means one option.
 */
#ifndef WNBD_CLIENT_OPTION_WORDS_H
#define WNBD_CLIENT_OPTION_WORDS_H

enum option_value { OPTION_PLAIN, OPTION_MAY_HAVE_VALUE, OPTION_NEEDS_VALUE };

struct option_name {
    const char *name; /* without the dashes; NULL ends the list */
    enum option_value value;
    int option; /* above 0 */
};

/* What option_words_next returns beside the options of the list. */
enum { OPTION_END = -1, OPTION_UNKNOWN = -2, OPTION_WITHOUT_VALUE = -3, OPTION_LETTER_HELP = -4 };

struct option_words {
    int count;
    char **words;      /* borrows; the order is changed: options come before operands */
    int next;          /* to be looked at */
    int operands;      /* the first operand; the last word is words[count - 1] */
    const char *word;  /* of the latest option, as it was given */
    const char *value; /* NULL: none, or in a word of its own that may be its value */
    char letter;       /* of the latest unknown option, if it was one of a single dash; else 0 */
};

/* words[0] is no option: the program's or the command's name. */
void option_words_init(struct option_words *words, int count, char **list);

/* The next option, or one of the enum above. Behind OPTION_END only operands are left. */
int option_words_next(struct option_words *words, const struct option_name *names);

/* The word behind the latest option, NULL at the end; and takes it as that option's value. */
const char *option_words_peek(const struct option_words *words);
const char *option_words_take(struct option_words *words);

#endif
