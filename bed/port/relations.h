/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the PnP manager is told that an adapter's disks have changed. Windows' takes one thing after the other. Wine's
 * looks at a bus in one thread and takes root devices away, with their children, in another: a disk that has just gone
 * is then removed twice, in freed memory. So while root devices come and go nobody is told, and before that what was
 * told is waited for.
 */
#ifndef BED_PORT_RELATIONS_H
#define BED_PORT_RELATIONS_H

#include "driver/ddk.h"

struct adapter;

/* The adapter's disks are to be asked for; soon, or when root devices have settled. Any IRQL up to DISPATCH_LEVEL. */
void relations_invalidate(struct adapter *adapter);

/* The PnP manager asks for an adapter's disks; the answer is not given yet. */
void relations_asked(void);

/* Around whatever adds or removes root devices, one at a time. PASSIVE_LEVEL. */
void relations_hold(void);
void relations_let_go(void);

/* control.c: the PnP manager has come to the question about the control device. */
void relations_barrier_reached(void);

#endif
