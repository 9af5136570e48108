/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread of the dispatcher: it takes requests from the driver, many at a time, and calls the callbacks. */
#ifndef LIBWNBD_WORKER_H
#define LIBWNBD_WORKER_H

#include "libwnbd/served.h"

/* Makes the thread; it ends by itself when the disk is gone. 14, or why there is no thread. The worker is kept until
 * worker_close, which is called when the thread has ended, or was never made. */
DWORD worker_start(struct worker *worker, struct served *served, HANDLE *thread);
void worker_close(struct worker *worker);

/* Wakes one that sits and gives it the role. FALSE: nobody sits. The lock is held. */
BOOL worker_call(struct served *served, enum crew_role role);

/* Wakes all that sit, so that each learns from the driver what has become of the disk. The lock is held. */
void worker_call_all(struct served *served);

/* Who leads, or was called to, and has been killed does not. The lock is held, the dispatcher not closed. */
void worker_find_killed(struct served *served);

#endif
