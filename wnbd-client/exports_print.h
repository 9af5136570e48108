/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How `exports` shows what it has learnt: a table, or JSON (RFC 8259). */
#ifndef WNBD_CLIENT_EXPORTS_PRINT_H
#define WNBD_CLIENT_EXPORTS_PRINT_H

#include "core/nbd/handshake.h"

#include <stdbool.h>

/* Before and after all exports. */
void exports_print_begin(bool json);
void exports_print_end(bool json);

/* One of them, as a query has told it. */
void exports_print(bool json, const char *name, const struct nbd_handshake *handshake);

/* One that did not answer, and why. */
void exports_print_problem(bool json, const char *name, const char *problem);

#endif
