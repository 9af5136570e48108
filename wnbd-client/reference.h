/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/reference.md, from the table that the command line is parsed with. */
#ifndef WNBD_CLIENT_REFERENCE_H
#define WNBD_CLIENT_REFERENCE_H

#include "wnbd-client/arguments.h"

#include <stdio.h>

void reference_print(FILE *file, const struct command *table);

#endif
