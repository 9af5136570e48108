/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All recorded disks. For the service's main thread. */
#ifndef WNBD_SERVICE_DISKS_H
#define WNBD_SERVICE_DISKS_H

#include <windows.h>

#include <stdbool.h>

struct disks_count {
    unsigned all;
    unsigned mapped;
    unsigned bad;
};

/* Reads the records: begins to map what is new, and lets go of what has been deleted or changed. */
DWORD disks_read(void);

struct disks_count disks_count(void);

/* The adapter, or a disk of the machine, has come or has gone. */
void disks_tell(bool has_come);

/* Unmaps them, softly, until `end_ms` (GetTickCount64). Returns at once. */
void disks_stop(ULONGLONG end_ms);

/* To be called again and again after disks_stop. */
bool disks_have_ended(void);

#endif
