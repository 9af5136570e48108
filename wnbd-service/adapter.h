/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The adapter, and what Windows tells of it and of disks that come and go. Windows is asked to tell instead of being
 * asked again and again: to look means to open the adapter, and who has it open keeps it from being reset.
 */
#ifndef WNBD_SERVICE_ADAPTER_H
#define WNBD_SERVICE_ADAPTER_H

#include <windows.h>

#include <stdbool.h>

/* From now on the events are set, on a thread of Windows', when the adapter or any disk of the machine has come or has
 * gone. They are borrowed until adapter_watch_end. */
DWORD adapter_watch_start(HANDLE come, HANDLE gone);

/* After a failure of adapter_watch_start, too. */
void adapter_watch_end(void);

/* Another number each time the adapter has come or gone. */
LONG adapter_turns(void);

/* Whether the adapter is there and new disks are allowed: who removes all disks forbids new ones first. */
bool adapter_takes_disks(void);

#endif
