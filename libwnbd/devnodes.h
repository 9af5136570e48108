/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes with the hardware id of the adapter: the adapter itself, and what failed installations left behind. */
#ifndef LIBWNBD_DEVNODES_H
#define LIBWNBD_DEVNODES_H

#include "include/wnbd.h"

enum devnode_choice {
    DEVNODES_PRESENT, /* adapters that are there */
    DEVNODES_STALE,   /* known to Windows, but not there */
    DEVNODES_ALL,
};

/* How many there are. */
DWORD devnodes_count(enum devnode_choice choice, DWORD *count);

/* Removes them from the machine; goes on after a failure and returns the last one. *reboot is set to TRUE if Windows
 * wants a restart, and otherwise left alone. */
DWORD devnodes_remove(enum devnode_choice choice, BOOL *reboot);

/* Removes one element of a set in the same way. */
DWORD devnode_remove(HDEVINFO set, SP_DEVINFO_DATA *device, BOOL *reboot);

/* GetLastError after a set-up function has failed: never 0, which some of them leave behind. */
static inline DWORD setup_error(void)
{
    DWORD error = GetLastError();

    return error ? error : ERROR_GEN_FAILURE;
}

#endif
