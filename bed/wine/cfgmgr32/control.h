/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bed's cfgmgr32.dll. Wine's own ends the calling program in the functions that matter here, and its device tree
 * does not know what a bus driver reports; so questions about the bed's adapters and disks go to \\.\BedControl, all
 * others to Wine's setupapi. A device of the bed has a node number of ours, which stands for its instance id.
 */
#ifndef WNBD_BED_WINE_CFGMGR32_CONTROL_H
#define WNBD_BED_WINE_CFGMGR32_CONTROL_H

#include <windows.h>
#include <winioctl.h>
#include <cfgmgr32.h>
#include <stdbool.h>

#include "bed/port/control.h"

/* All devices of the bed. */
struct control_list {
    struct bed_device *devices; /* for free() */
    unsigned count;
};

/* False: no bed driver, or no memory; then there is nothing to be freed. */
bool control_list_read(struct control_list *list);

/* The bed's device with that instance id, in any case of letters; false: there is none, or no bed driver. */
bool control_find(const wchar_t *instance, struct bed_device *device);

/* A BedControl ioctl about one device. Answers a Win32 error. */
DWORD control_ask(DWORD code, const wchar_t *instance, struct bed_verdict *verdict);

/* Our node number for an instance id, 0 when the table is full. The same id always has the same number. */
DEVINST node_of(const wchar_t *instance);

/* The instance id of a node, ours or setupapi's; false: no such node. */
bool node_instance(DEVINST node, wchar_t instance[BED_INSTANCE_LENGTH]);

/* Whether the number is one of ours. */
bool node_is_ours(DEVINST node);

#endif
