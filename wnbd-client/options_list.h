/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that the driver has. */
#ifndef WNBD_CLIENT_OPTIONS_LIST_H
#define WNBD_CLIENT_OPTIONS_LIST_H

#include "include/wnbd.h"
#include "wnbd-client/guess.h"

/* *list is for free(), also after a failure. */
DWORD options_list(PWNBD_OPTION_LIST *list, BOOLEAN persistent);

/* The options that were probably meant, in words; NULL: no idea. */
const char *options_suggest(const char *name, char text[GUESS_TEXT_SIZE]);

#endif
