/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values as people write and read them. Nothing here needs Windows. */
#ifndef WNBD_CLIENT_VALUES_H
#define WNBD_CLIENT_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True: all of `text` is such a value and *value has it. */
bool value_parse_number(const char *text, uint64_t *value); /* decimal digits only */
bool value_parse_size(const char *text, uint64_t *value); /* digits, then nothing, K, M, G, T, P, E or KiB, MiB, ... */
bool value_parse_boolean(const char *text, uint64_t *value); /* 1 t true y yes, 0 f false n no; in any case */

/* "64 MiB"; what is no whole number of a larger unit has one decimal and is rounded down: "1.4 GiB". */
#define VALUE_SIZE_TEXT 32
const char *value_format_size(uint64_t bytes, char text[VALUE_SIZE_TEXT]);

#endif
