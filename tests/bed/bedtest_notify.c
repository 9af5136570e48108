/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What CM_Register_Notification tells of a disk that goes and comes again. */
#include "tests/bed/bedtest.h"

#include <cfgmgr32.h>

#define PATIENCE_MS (20 * 1000)

/* GUID_DEVINTERFACE_DISK */
static const GUID disks = {0x53f56307, 0xb6bf, 0x11d0, {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b}};

/* Which mingw-w64's cfgmgr32.h lacks. */
CMAPI CONFIGRET WINAPI CM_Register_Notification(PCM_NOTIFY_FILTER filter, PVOID context, PCM_NOTIFY_CALLBACK callback,
                                                PHCMNOTIFICATION notification);
CMAPI CONFIGRET WINAPI CM_Unregister_Notification(HCMNOTIFICATION notification);

static HANDLE arrived;
static BOOL removed; /* before that */

static DWORD CALLBACK note(HCMNOTIFICATION notification, PVOID context, CM_NOTIFY_ACTION action,
                           PCM_NOTIFY_EVENT_DATA data, DWORD size)
{
    (void)notification;
    if (context != &removed || !IsEqualGUID(&data->u.DeviceInterface.ClassGuid, &disks) ||
        size <= offsetof(CM_NOTIFY_EVENT_DATA, u.DeviceInterface.SymbolicLink)) {
        return ERROR_SUCCESS;
    }
    if (action == CM_NOTIFY_ACTION_DEVICEINTERFACEREMOVAL) {
        removed = TRUE;
    } else if (action == CM_NOTIFY_ACTION_DEVICEINTERFACEARRIVAL && removed) {
        SetEvent(arrived);
    }
    return ERROR_SUCCESS;
}

void command_notified(const char *number)
{
    CM_NOTIFY_FILTER filter = {.cbSize = sizeof(filter), .u.DeviceInterface.ClassGuid = disks};
    HCMNOTIFICATION notification;

    CloseHandle(open_disk(number, 0));
    arrived = CreateEventA(NULL, TRUE, FALSE, NULL);
    if (CM_Register_Notification(&filter, &removed, note, &notification) != CR_SUCCESS) {
        fail("CM_Register_Notification");
        return;
    }
    command_cycle_adapter(number);
    if (WaitForSingleObject(arrived, PATIENCE_MS) == WAIT_OBJECT_0) {
        printf("notified: disk removal, disk arrival\n");
    } else {
        fail("notifications");
    }
    if (CM_Unregister_Notification(notification) != CR_SUCCESS) {
        fail("CM_Unregister_Notification");
    }
    CloseHandle(arrived);
}
