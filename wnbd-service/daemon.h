/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The NBD client of one disk in this process: WnbdRunNbdDaemon on a thread of its own, without a console. */
#ifndef WNBD_SERVICE_DAEMON_H
#define WNBD_SERVICE_DAEMON_H

#include "wnbd-service/words.h"

#include <wnbd.h>

#include <stdbool.h>

struct daemon {
    HANDLE thread; /* NULL: does not run */
    WNBD_PROPERTIES properties;
    char reason[WORDS_SIZE]; /* why it has ended; the thread's until it has */
};

/* Returns at once. */
DWORD daemon_start(struct daemon *daemon, const WNBD_PROPERTIES *properties);

/* Waits at most that long. */
bool daemon_has_ended(struct daemon *daemon, DWORD timeout_ms);

/* Waits for its end and gives its result, WnbdRunNbdDaemon's; unless that is 0 `reason` says why. */
DWORD daemon_end(struct daemon *daemon, char reason[WORDS_SIZE]);

#endif
