/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service does, from its start to its stop, whoever has started it. */
#ifndef WNBD_SERVICE_RUN_H
#define WNBD_SERVICE_RUN_H

#include <windows.h>

#define RUN_UNMAP_MS (60 * 1000) /* how long disks that are in use are asked when the service stops */

/* Is told SERVICE_START_PENDING, SERVICE_RUNNING and SERVICE_STOP_PENDING; the pending ones again and again, each time
 * with the time in which the next is to be expected. */
typedef void run_report(DWORD state, DWORD wait_hint_ms);

/* Returns when the event `stop` has been set and the disks are unmapped, or at once with an error. */
DWORD run(HANDLE stop, run_report *report);

#endif
