/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What DbgPrint prints. */
#ifndef BED_HOST_PRINT_H
#define BED_HOST_PRINT_H

#include <stdbool.h>

/* Quiet: lines are kept from stderr, but for violations. Violations stop the program when `fatal`. */
void bed_print_options(bool quiet, bool fatal);

#endif
