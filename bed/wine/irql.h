/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pretended IRQL for each thread, as far as it can be seen here: the port driver raises it around the callbacks that
 * Windows makes at DISPATCH_LEVEL, the imported spin lock routines raise and lower it, and routines that need a lower
 * one report a violation. KeGetCurrentIrql is inline on x64 and still says PASSIVE_LEVEL.
 */
#ifndef WNBD_BED_WINE_IRQL_H
#define WNBD_BED_WINE_IRQL_H

#include <stdbool.h>

enum bed_irql { BED_PASSIVE_LEVEL = 0, BED_APC_LEVEL = 1, BED_DISPATCH_LEVEL = 2 };

/* The calling thread's pretended IRQL. */
unsigned char bed_irql(void);

/* Raises it to `irql`, which must not be below the current one (a violation), and gives the old one for bed_irql_lower.
 */
unsigned char bed_irql_raise(unsigned char irql);

/* Sets it back to `irql`, which must not be above the current one (a violation). */
void bed_irql_lower(unsigned char irql);

/* Reports a violation when the thread is above `highest` in a call of `routine`; says whether all is well. */
bool bed_irql_at_most(unsigned char highest, const char *routine);

#endif
