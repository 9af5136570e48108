/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages for those who are not at a debugger: an event for trace sessions (ETW, driver/wnbd-events.man), and of
 * errors and warnings an entry in Windows' System event log. The two do not depend on each other; docs/architecture.md
 * says why there are two.
 */
#ifndef WNBD_DRIVER_EVENT_H
#define WNBD_DRIVER_EVENT_H

#include "driver/inserts.h"
#include "driver/messages.h"

/* From now on events are written, until the driver is unloaded. PASSIVE_LEVEL, in DriverEntry after
 * StorPortInitialize: Storport's unload routine is chained (docs/verification.md). */
void event_start(PDRIVER_OBJECT driver);

/* Any IRQL up to DISPATCH_LEVEL. What cannot be written is lost. */
void event_write(enum message_id id, const struct inserts *inserts);

#endif
