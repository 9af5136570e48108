/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON (RFC 8259) on stdout. docs/schema/wnbd-client.json says what each command gives.
 *
 * A value is a member with a name, or with the name NULL an element of an array or the whole text. Commas are seen to.
 */
#ifndef WNBD_CLIENT_JSON_H
#define WNBD_CLIENT_JSON_H

#include "wnbd-client/arguments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the argument `format` asks for JSON. A Win32 error if it asks for anything but that or text. */
int json_read_format(const struct arguments *arguments, bool *json);

/* Eight levels deep at most. The end of the outermost one ends the line. */
void json_begin_object(const char *name);
void json_end_object(void);
void json_begin_array(const char *name);
void json_end_array(void);

/* What is no UTF-8 in a text becomes U+FFFD. */
void json_text(const char *name, const char *text);
void json_bytes(const char *name, const char *bytes, size_t length);
void json_number(const char *name, int64_t number);
void json_unsigned(const char *name, uint64_t number);
void json_boolean(const char *name, bool value);
void json_null(const char *name);

/* A number; below 0, when it is not known: null. */
void json_known(const char *name, int64_t number);

#endif
