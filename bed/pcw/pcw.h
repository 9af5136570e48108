/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bed's own Performance Counters for Windows: who registers a counter set, and who collects it. The three routines
 * of a provider do what PcwRegister, PcwUnregister and PcwAddInstance are documented to do; what breaks their contract
 * is a violation. Providers without a callback are not known here.
 */
#ifndef BED_PCW_PCW_H
#define BED_PCW_PCW_H

#include "driver/ddk.h"

#include <stdbool.h>

struct bed_instance; /* bed/port/control.h */

NTSTATUS bed_pcw_register(PPCW_REGISTRATION *registration, const PCW_REGISTRATION_INFORMATION *information);
void bed_pcw_unregister(PPCW_REGISTRATION registration);
NTSTATUS bed_pcw_add(PPCW_BUFFER buffer, PCUNICODE_STRING name, ULONG id, ULONG count, const PCW_DATA *data);

/*
 * What a consumer does: asks all providers of the set `name`, whose callbacks run in this thread at APC_LEVEL, for
 * their instances and, with `with_values`, the counters' values. Writes as many as there is `room` for and answers how
 * many. 0 as well when nobody provides the set. PASSIVE_LEVEL.
 */
ULONG bed_pcw_collect(PCUNICODE_STRING name, bool with_values, struct bed_instance *instances, ULONG room);

/* How many sets are registered. */
ULONG bed_pcw_count(void);

/* irql.h of either bed */
unsigned char bed_irql(void);
unsigned char bed_irql_raise(unsigned char irql);
void bed_irql_lower(unsigned char irql);
bool bed_irql_at_most(unsigned char highest, const char *routine);

#endif
