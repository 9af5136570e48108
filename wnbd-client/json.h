/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON (RFC 8259) on stdout. */
#ifndef WNBD_CLIENT_JSON_H
#define WNBD_CLIENT_JSON_H

#include "wnbd-client/arguments.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the argument `format` asks for JSON. A Win32 error if it asks for anything but that or text. */
int json_read_format(const struct arguments *arguments, bool *json);

/* A string, with its quotes; what is no UTF-8 becomes U+FFFD. */
void json_print_text(const char *text);
void json_print_bytes(const char *bytes, size_t length);

#endif
