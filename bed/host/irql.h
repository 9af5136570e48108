/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each thread's IRQL. Nothing is preempted; what is enforced are the documented bounds of the routines. */
#ifndef BED_HOST_IRQL_H
#define BED_HOST_IRQL_H

#include <stdbool.h>

/* Reports a violation when the thread is above `highest` in a call of `routine`; says whether all is well. */
bool bed_irql_at_most(unsigned char highest, const char *routine);
bool bed_irql_at_least(unsigned char lowest, const char *routine);

#endif
