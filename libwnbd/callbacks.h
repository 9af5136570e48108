/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a request to the program's callback. */
#ifndef LIBWNBD_CALLBACKS_H
#define LIBWNBD_CALLBACKS_H

#include "libwnbd/served.h"

/* Calls the callback, or refuses the request in its place. No lock is held. */
void callbacks_run(struct served *served, const WNBD_ARENA_REQUEST *request);

#endif
