/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/adapter.h"

#include <wnbd.h>

#ifdef __MINGW32__ /* mingw-w64's cfgmgr32.h has their types alone */
CMAPI CONFIGRET WINAPI CM_Register_Notification(PCM_NOTIFY_FILTER filter, PVOID context, PCM_NOTIFY_CALLBACK callback,
                                                PHCMNOTIFICATION notification);
CMAPI CONFIGRET WINAPI CM_Unregister_Notification(HCMNOTIFICATION notification);
CMAPI DWORD WINAPI CM_MapCrToWin32Err(CONFIGRET result, DWORD otherwise);
#endif

/* GUID_DEVINTERFACE_DISK of winioctl.h, which needs a definition somewhere. */
static const GUID disks = {0x53f56307, 0xb6bf, 0x11d0, {0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b}};

static HANDLE come_event;
static HANDLE gone_event;
static LONG volatile turns;
static HCMNOTIFICATION adapter_notification;
static HCMNOTIFICATION disk_notification;

/* ---- What Windows tells ---- */

static void tell(CM_NOTIFY_ACTION action)
{
    if (action == CM_NOTIFY_ACTION_DEVICEINTERFACEARRIVAL)
        SetEvent(come_event);
    else if (action == CM_NOTIFY_ACTION_DEVICEINTERFACEREMOVAL)
        SetEvent(gone_event);
}

static DWORD CALLBACK on_adapter(HCMNOTIFICATION notification, PVOID context, CM_NOTIFY_ACTION action,
                                 PCM_NOTIFY_EVENT_DATA data, DWORD size)
{
    (void)notification;
    (void)context;
    (void)data;
    (void)size;
    InterlockedIncrement(&turns); /* before anybody is told */
    tell(action);
    return ERROR_SUCCESS;
}

static DWORD CALLBACK on_disk(HCMNOTIFICATION notification, PVOID context, CM_NOTIFY_ACTION action,
                              PCM_NOTIFY_EVENT_DATA data, DWORD size)
{
    (void)notification;
    (void)context;
    (void)data;
    (void)size;
    tell(action);
    return ERROR_SUCCESS;
}

static DWORD watch(const GUID *class_guid, PCM_NOTIFY_CALLBACK callback, HCMNOTIFICATION *notification)
{
    CM_NOTIFY_FILTER filter = {
        .cbSize = sizeof(filter),
        .FilterType = CM_NOTIFY_FILTER_TYPE_DEVICEINTERFACE,
        .u.DeviceInterface.ClassGuid = *class_guid,
    };
    CONFIGRET result = CM_Register_Notification(&filter, NULL, callback, notification);

    if (result == CR_SUCCESS)
        return ERROR_SUCCESS;
    *notification = NULL;
    return CM_MapCrToWin32Err(result, ERROR_GEN_FAILURE);
}

DWORD adapter_watch_start(HANDLE come, HANDLE gone)
{
    DWORD error;

    come_event = come;
    gone_event = gone;
    error = watch(&WNBD_GUID, on_adapter, &adapter_notification);
    return error == ERROR_SUCCESS ? watch(&disks, on_disk, &disk_notification) : error;
}

void adapter_watch_end(void)
{
    if (adapter_notification)
        CM_Unregister_Notification(adapter_notification);
    if (disk_notification)
        CM_Unregister_Notification(disk_notification);
}

/* ---- How it stands ---- */

LONG adapter_turns(void)
{
    return InterlockedCompareExchange(&turns, 0, 0);
}

bool adapter_takes_disks(void)
{
    WNBD_OPTION_VALUE allowed;

    return WnbdGetDrvOpt("NewMappingsAllowed", &allowed, FALSE) == ERROR_SUCCESS && allowed.Data.AsBool;
}
