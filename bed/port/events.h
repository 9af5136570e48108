/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What drivers tell trace sessions and the event log. Both beds hand it over; it is held against its contracts, printed
 * ("bed: event 302: 'vol1' 'reset'", "bed: event log 302 (0xe004012e): 'vol1' 'reset'") and counted. Any IRQL up to
 * DISPATCH_LEVEL.
 */
#ifndef BED_PORT_EVENTS_H
#define BED_PORT_EVENTS_H

#include "driver/ddk.h"

/* An event whose data is taken for texts in UTF-16. */
void port_event_traced(const EVENT_DESCRIPTOR *event, ULONG count, const EVENT_DATA_DESCRIPTOR *data);

/* IoAllocateErrorLogEntry and IoWriteErrorLogEntry, without what a bed knows of the caller. NULL: too large, which is
 * reported, or no memory. */
PVOID port_event_log_allocate(PVOID object, UCHAR size);
void port_event_log_write(PVOID entry);

/* Reports entries that were allocated and never written. */
void port_event_log_check(void);

/* How many there were of an id; of an entry it is the error code's lower 16 bits. */
ULONG port_events_traced(USHORT id);
ULONG port_events_logged(USHORT id);

/* The last of the id's lines in words, "'vol1' 'reset'"; empty: there was none. */
#define PORT_EVENT_WORDS_LENGTH 200
void port_event_words(USHORT id, char words[PORT_EVENT_WORDS_LENGTH]);

#endif
