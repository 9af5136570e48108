/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WNBD_CLIENT_HELP_H
#define WNBD_CLIENT_HELP_H

#include "wnbd-client/arguments.h"

#include <stdio.h>

/* All commands, one line or a few each. */
void help_print_commands(FILE *file, const struct command *table);

/* How one command is called, in each of its forms: a line or a few each. */
void help_print_usage(FILE *file, const struct command *command);

/* One command: usage, what it does, its arguments. */
void help_print_command(FILE *file, const struct command *command);

#endif
