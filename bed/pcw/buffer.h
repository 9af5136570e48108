/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The buffer that a provider adds instances to, and what is known of the counters in its data blocks. */
#ifndef BED_PCW_BUFFER_H
#define BED_PCW_BUFFER_H

#include "bed/pcw/pcw.h"

#define PCW_COUNTERS_MAX 32

struct pcw_counters {
    ULONG count;
    PCW_COUNTER_DESCRIPTOR all[PCW_COUNTERS_MAX];
};

/* Whether they can be counters: ids that are different and have a bit in a CounterMask, sizes of 4 and 8. */
bool pcw_counters_check(const PCW_COUNTER_DESCRIPTOR *counters, ULONG count);
void pcw_counters_copy(struct pcw_counters *to, const PCW_COUNTER_DESCRIPTOR *counters, ULONG count);

/* A buffer over the consumer's memory, which it borrows until it is closed; NULL: no memory. */
PPCW_BUFFER pcw_buffer_open(struct bed_instance *instances, ULONG room);

/* The next provider's instances have these counters, NULL: names alone are asked for. */
void pcw_buffer_ask(PPCW_BUFFER buffer, const struct pcw_counters *counters);

/* How many instances have been added. Adding later is a violation. */
ULONG pcw_buffer_close(PPCW_BUFFER buffer);

#endif
