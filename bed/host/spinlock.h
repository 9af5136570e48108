/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Spin locks. A lock's word holds its state and its class: the place that initialised it, so that all locks of one kind
 * of structure are one class. Taking a lock that the thread holds already, and taking two classes in both orders, are
 * violations, whether or not the threads meet.
 */
#ifndef BED_HOST_SPINLOCK_H
#define BED_HOST_SPINLOCK_H

#include "driver/ddk.h"

/* Reports a violation when the calling thread holds a spin lock in a call of `routine`. */
void bed_spinlocks_none(const char *routine);

/* Forgets the orders seen so far: return addresses are those of another image from now on. */
void bed_spinlocks_forget(void);

#endif
