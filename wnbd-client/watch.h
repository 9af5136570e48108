/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list --watch and stats --watch: what happens, as it happens. */
#ifndef WNBD_CLIENT_WATCH_H
#define WNBD_CLIENT_WATCH_H

#include "wnbd-client/arguments.h"

#include <stdbool.h>

/* Is it asked for? A Win32 error, said already, if it is asked for wrongly. */
int watch_is_wanted(const struct arguments *arguments, bool *wanted);

/* All disks (name NULL) or the kinds of requests of one, until it is ended. The exit code. */
int watch(const struct arguments *arguments, const char *name, bool json);

#endif
