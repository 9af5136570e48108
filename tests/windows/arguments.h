/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_WINDOWS_ARGUMENTS_H
#define TESTS_WINDOWS_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#define ARGUMENTS_MAX  64
#define EXIT_CODE_FAIL 1 /* the operation did not do what was asked */
#define EXIT_CODE_USE  2 /* the command line is wrong */

/*
 * A command line of words and of options `--name VALUE` or `--name`. Every getter ends the program with EXIT_CODE_USE
 * and a sentence when what it finds is malformed; arguments_check_all_used() does so when something was not asked for.
 */
struct arguments {
    int count;
    const char *words[ARGUMENTS_MAX]; /* borrows argv */
    bool used[ARGUMENTS_MAX];
};

/* Takes what follows the program's name. */
void arguments_take(struct arguments *arguments, int argc, char **argv);

/* Takes the words of a line, which must live as long. Words are parted by blanks. */
void arguments_split(struct arguments *arguments, char *line);

/* The next word that nobody has taken; `what` names it in the complaint when there is none. Ask for options first. */
const char *arguments_word(struct arguments *arguments, const char *what);
uint64_t arguments_word_number(struct arguments *arguments, const char *what);

/* The option's value, `otherwise` when the option is absent. */
const char *arguments_text(struct arguments *arguments, const char *option, const char *otherwise);
uint64_t arguments_number(struct arguments *arguments, const char *option, uint64_t otherwise);

/* Whether the option, which has no value, is there. */
bool arguments_flag(struct arguments *arguments, const char *option);

void arguments_check_all_used(const struct arguments *arguments);

/* Prints `program: sentence` on stderr and ends the program with `code`. */
__attribute__((noreturn, format(printf, 2, 3))) void die(int code, const char *format, ...);

#endif
