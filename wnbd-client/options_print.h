/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How options are shown: lines, or JSON. */
#ifndef WNBD_CLIENT_OPTIONS_PRINT_H
#define WNBD_CLIENT_OPTIONS_PRINT_H

#include "include/wnbd.h"

#include <stdbool.h>

void options_print_list(bool json, const WNBD_OPTION_LIST *list);

/* One value; `name` as it was asked for. */
void options_print_one(bool json, const char *name, const WNBD_OPTION_VALUE *value);

#endif
