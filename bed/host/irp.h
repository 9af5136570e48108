/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IRPs: whose they are at each moment. */
#ifndef BED_HOST_IRP_H
#define BED_HOST_IRP_H

#include "driver/ddk.h"

/*
 * An IRP of the I/O manager's own: when its last completion routine has let it through, `ended` is called, at the IRQL
 * of the completion, and has the IRP then.
 */
PIRP bed_irp_create(CHAR stack_size, void (*ended)(PIRP irp, void *context), void *context);

/*
 * Waits until no completion routine of a driver runs any more. Windows waits only for those of
 * IoSetCompletionRoutineEx: a driver that is unloaded while one of the others is about to return is out of luck. The
 * window is a few instructions there; here it is what a thread switch takes, so it is only said, not counted as a
 * violation.
 */
void bed_irps_settle(void);

/* Reports IRPs that exist; answers how many. */
ULONG bed_irps_check(void);

#endif
