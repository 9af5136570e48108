/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notifications of device interfaces that come and go. */
#ifndef WNBD_BED_WINE_CFGMGR32_NOTIFY_H
#define WNBD_BED_WINE_CFGMGR32_NOTIFY_H

#include <windows.h>
#include <cfgmgr32.h>
#include <assert.h>
#include <stddef.h>

static_assert(sizeof(CM_NOTIFY_FILTER) == 416 && offsetof(CM_NOTIFY_FILTER, u) == 16, "cfgmgr32.h");

/* Interfaces of a class, and of the bed's devices, alone. */
CONFIGRET WINAPI register_notification(PCM_NOTIFY_FILTER filter, PVOID context, PCM_NOTIFY_CALLBACK callback,
                                       PHCMNOTIFICATION notification);
CONFIGRET WINAPI unregister_notification(HCMNOTIFICATION notification);

#endif
