/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was probably meant by a word that is half typed or misspelt. Nothing here needs Windows. */
#ifndef WNBD_CLIENT_GUESS_H
#define WNBD_CLIENT_GUESS_H

#include <stddef.h>

#define GUESS_TEXT_SIZE 160

/*
 * Those of the names that begin with `word`, or else those that are fewest letters away from it, three at most,
 * in any case of letters:
 * "'list' or 'list-opt'". NULL: none is near.
 */
const char *guess(const char *word, const char *const *names, size_t count, char text[GUESS_TEXT_SIZE]);

#endif
