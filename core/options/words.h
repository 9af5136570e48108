/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What UTF-16 texts say. None of them ends with a NUL. */
#ifndef WNBD_CORE_OPTIONS_WORDS_H
#define WNBD_CORE_OPTIONS_WORDS_H

#include "core/base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the text is the ASCII word, in any case of letters. */
bool words_equal(const uint16_t *text, size_t length, const char *word);

/* 1, t, true, y, yes or 0, f, false, n, no, in any case of letters. False: none of them. */
bool words_boolean(const uint16_t *text, size_t length, bool *value) MUST_CHECK;

/* All of the text as a number: decimal, with a minus or without, or 0x and hexadecimal. False: it is none, or 64 bits
 * with a sign do not hold it. */
bool words_number(const uint16_t *text, size_t length, int64_t *value) MUST_CHECK;

#endif
