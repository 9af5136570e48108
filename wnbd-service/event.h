/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service says: messages of events.mc, to the event log, to a debugger and, in the foreground, to stdout. */
#ifndef WNBD_SERVICE_EVENT_H
#define WNBD_SERVICE_EVENT_H

#include "events.h"

#include <windows.h>

#include <stdbool.h>

#define EVENT_SOURCE L"wnbd-service"

void event_start(bool is_foreground);

/* The texts for %1, %2 and %3, in UTF-8; NULL from the first that the message does not have. From any thread. */
void event_report(DWORD id, const char *first, const char *second, const char *third);

#endif
