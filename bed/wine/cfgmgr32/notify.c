/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CM_Register_Notification: a thread looks again and again which interfaces there are. */
#include "bed/wine/cfgmgr32/notify.h"
#include "bed/wine/cfgmgr32/control.h"

#include <setupapi.h>
#include <stdlib.h>
#include <wchar.h>

#define LOOK_MS     100
#define PRESENT_MAX 256
#define PATH_LENGTH (BED_INSTANCE_LENGTH + 64)

/* An interface whose device has gone and come again between two looks is another one by its arrival. */
struct present {
    ULONG arrival;
    wchar_t path[PATH_LENGTH];
};

struct snapshot {
    unsigned count;
    struct present present[PRESENT_MAX];
};

struct notification {
    GUID class_guid;
    PCM_NOTIFY_CALLBACK callback;
    void *context;
    HANDLE stop;
    HANDLE thread;
    struct snapshot *known;
};

/* ---- What there is ---- */

static ULONG arrival_of(const struct control_list *list, const wchar_t *instance)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (_wcsicmp(list->devices[i].instance, instance) == 0) {
            return list->devices[i].arrival;
        }
    }
    return 0;
}

/* Of a device that the bed has. */
static void add(struct snapshot *snapshot, const struct control_list *list, HDEVINFO set,
                SP_DEVICE_INTERFACE_DATA *data)
{
    struct {
        SP_DEVICE_INTERFACE_DETAIL_DATA_W detail;
        wchar_t more[PATH_LENGTH];
    } path = {.detail.cbSize = sizeof(path.detail)};
    struct present *present = &snapshot->present[snapshot->count];
    SP_DEVINFO_DATA device = {.cbSize = sizeof(device)};
    wchar_t id[BED_INSTANCE_LENGTH];

    if (snapshot->count == PRESENT_MAX ||
        !SetupDiGetDeviceInterfaceDetailW(set, data, &path.detail, sizeof(path), NULL, &device) ||
        !SetupDiGetDeviceInstanceIdW(set, &device, id, BED_INSTANCE_LENGTH, NULL)) {
        return;
    }
    present->arrival = arrival_of(list, id);
    wcsncpy(present->path, path.detail.DevicePath, PATH_LENGTH - 1);
    snapshot->count += present->arrival != 0;
}

/* NULL: no memory, or the bed is not to be asked just now. */
static struct snapshot *look(const GUID *class_guid)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    SP_DEVICE_INTERFACE_DATA data = {.cbSize = sizeof(data)};
    struct control_list list;
    HDEVINFO set;

    if (!snapshot || !control_list_read(&list)) {
        free(snapshot);
        return NULL;
    }
    set = SetupDiGetClassDevsW(class_guid, NULL, NULL, DIGCF_DEVICEINTERFACE | DIGCF_PRESENT);
    for (DWORD i = 0; SetupDiEnumDeviceInterfaces(set, NULL, class_guid, i, &data); i++) {
        add(snapshot, &list, set, &data);
    }
    SetupDiDestroyDeviceInfoList(set);
    free(list.devices);
    return snapshot;
}

static bool has(const struct snapshot *snapshot, const struct present *present)
{
    for (unsigned i = 0; i < snapshot->count; i++) {
        if (snapshot->present[i].arrival == present->arrival &&
            _wcsicmp(snapshot->present[i].path, present->path) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- Telling ---- */

static void tell(struct notification *notification, CM_NOTIFY_ACTION action, const wchar_t *path)
{
    union {
        CM_NOTIFY_EVENT_DATA data;
        BYTE bytes[sizeof(CM_NOTIFY_EVENT_DATA) + PATH_LENGTH * sizeof(wchar_t)];
    } event = {.data.FilterType = CM_NOTIFY_FILTER_TYPE_DEVICEINTERFACE};
    size_t size = offsetof(CM_NOTIFY_EVENT_DATA, u.DeviceInterface.SymbolicLink) + (wcslen(path) + 1) * sizeof(wchar_t);

    event.data.u.DeviceInterface.ClassGuid = notification->class_guid;
    memcpy(event.data.u.DeviceInterface.SymbolicLink, path, (wcslen(path) + 1) * sizeof(wchar_t));
    notification->callback((HCMNOTIFICATION)notification, notification->context, action, &event.data, (DWORD)size);
}

/* What is in the first one and not in the second. */
static void tell_difference(struct notification *notification, CM_NOTIFY_ACTION action, const struct snapshot *of,
                            const struct snapshot *against)
{
    for (unsigned i = 0; i < of->count; i++) {
        if (!has(against, &of->present[i])) {
            tell(notification, action, of->present[i].path);
        }
    }
}

static DWORD WINAPI watch(void *context)
{
    struct notification *notification = context;

    while (WaitForSingleObject(notification->stop, LOOK_MS) == WAIT_TIMEOUT) {
        struct snapshot *now = look(&notification->class_guid);

        if (now) {
            tell_difference(notification, CM_NOTIFY_ACTION_DEVICEINTERFACEREMOVAL, notification->known, now);
            tell_difference(notification, CM_NOTIFY_ACTION_DEVICEINTERFACEARRIVAL, now, notification->known);
            free(notification->known);
            notification->known = now;
        }
    }
    return 0;
}

/* ---- Registrations ---- */

static void destroy(struct notification *notification)
{
    if (notification->thread) {
        SetEvent(notification->stop);
        WaitForSingleObject(notification->thread, INFINITE);
        CloseHandle(notification->thread);
    }
    if (notification->stop) {
        CloseHandle(notification->stop);
    }
    free(notification->known);
    free(notification);
}

static bool start(struct notification *notification)
{
    notification->known = look(&notification->class_guid);
    if (!notification->known) { /* no driver of the bed runs: there is nothing */
        notification->known = calloc(1, sizeof(*notification->known));
    }
    notification->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!notification->known || !notification->stop) {
        return false;
    }
    notification->thread = CreateThread(NULL, 0, watch, notification, 0, NULL);
    return notification->thread != NULL;
}

CONFIGRET WINAPI register_notification(PCM_NOTIFY_FILTER filter, PVOID context, PCM_NOTIFY_CALLBACK callback,
                                       PHCMNOTIFICATION result)
{
    struct notification *notification;

    if (!filter || !callback || !result) {
        return CR_INVALID_POINTER;
    }
    if (filter->cbSize != sizeof(*filter) || filter->Flags != 0 || filter->Reserved != 0) {
        return CR_INVALID_DATA;
    }
    if (filter->FilterType != CM_NOTIFY_FILTER_TYPE_DEVICEINTERFACE) {
        return CR_CALL_NOT_IMPLEMENTED;
    }
    notification = calloc(1, sizeof(*notification));
    if (!notification) {
        return CR_OUT_OF_MEMORY;
    }
    notification->class_guid = filter->u.DeviceInterface.ClassGuid;
    notification->callback = callback;
    notification->context = context;
    if (!start(notification)) {
        destroy(notification);
        return CR_OUT_OF_MEMORY;
    }
    *result = (HCMNOTIFICATION)notification;
    return CR_SUCCESS;
}

/* Waits for a callback that runs, so a callback must not call it. */
CONFIGRET WINAPI unregister_notification(HCMNOTIFICATION notification)
{
    if (!notification) {
        return CR_INVALID_DATA;
    }
    destroy((struct notification *)notification);
    return CR_SUCCESS;
}
