/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Spin locks that do not spin for long. Wine's spin, the queued ones in strict order; with more threads than
 * processors, each of which can be interrupted while it holds or is next for a lock, that brings everything to a stand.
 * These sleep.
 */
#ifndef WNBD_BED_WINE_SPINLOCK_H
#define WNBD_BED_WINE_SPINLOCK_H

#include "driver/ddk.h"

/* `routine` names the call in the report when the thread has the lock already, or does not have it. */
void bed_spin_acquire(PKSPIN_LOCK lock, const char *routine);
BOOLEAN bed_spin_try(PKSPIN_LOCK lock);
void bed_spin_release(PKSPIN_LOCK lock, const char *routine);

#endif
