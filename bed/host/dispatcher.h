/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be waited for: events, semaphores, threads. */
#ifndef BED_HOST_DISPATCHER_H
#define BED_HOST_DISPATCHER_H

#include "driver/ddk.h"

/* Signals an object that stays signalled, and lets go all who wait for it. Its memory may go as soon as one of them has
 * returned. Any IRQL up to DISPATCH_LEVEL. */
void bed_dispatcher_signal(DISPATCHER_HEADER *header);

#endif
