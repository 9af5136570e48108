/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of device interfaces, made from setupapi's enumeration. */
#include "bed/wine/cfgmgr32/control.h"
#include "bed/wine/cfgmgr32/exports.h"

#include <setupapi.h>
#include <wchar.h>

struct list {
    wchar_t *at;  /* NULL: only count */
    ULONG room;   /* characters left */
    ULONG needed; /* characters altogether */
};

static void list_add(struct list *list, const wchar_t *text)
{
    ULONG length = (ULONG)wcslen(text) + 1;

    list->needed += length;
    if (list->at && length <= list->room) {
        wmemcpy(list->at, text, length);
        list->at += length;
        list->room -= length;
    }
}

static bool wanted(HDEVINFO set, SP_DEVINFO_DATA *device, const wchar_t *instance)
{
    wchar_t id[BED_INSTANCE_LENGTH];

    return !instance ||
           (SetupDiGetDeviceInstanceIdW(set, device, id, BED_INSTANCE_LENGTH, NULL) && _wcsicmp(id, instance) == 0);
}

static void collect(const GUID *class_guid, const wchar_t *instance, ULONG flags, struct list *list)
{
    DWORD present = flags & CM_GET_DEVICE_INTERFACE_LIST_ALL_DEVICES ? 0 : DIGCF_PRESENT;
    HDEVINFO set = SetupDiGetClassDevsW(class_guid, NULL, NULL, DIGCF_DEVICEINTERFACE | present);
    SP_DEVICE_INTERFACE_DATA data = {.cbSize = sizeof(data)};

    for (DWORD i = 0; SetupDiEnumDeviceInterfaces(set, NULL, class_guid, i, &data); i++) {
        struct {
            SP_DEVICE_INTERFACE_DETAIL_DATA_W detail;
            wchar_t more[BED_INSTANCE_LENGTH + 64];
        } path = {.detail.cbSize = sizeof(path.detail)};
        SP_DEVINFO_DATA device = {.cbSize = sizeof(device)};

        if (SetupDiGetDeviceInterfaceDetailW(set, &data, &path.detail, sizeof(path), NULL, &device) &&
            wanted(set, &device, instance)) {
            list_add(list, path.detail.DevicePath);
        }
    }
    SetupDiDestroyDeviceInfoList(set);
    list_add(list, L"");
}

CONFIGRET WINAPI get_device_interface_list_size_w(PULONG length, LPGUID class_guid, DEVINSTID_W instance, ULONG flags)
{
    struct list list = {0};

    if (!length || !class_guid) {
        return CR_INVALID_POINTER;
    }
    collect(class_guid, instance, flags, &list);
    *length = list.needed;
    return CR_SUCCESS;
}

CONFIGRET WINAPI get_device_interface_list_w(LPGUID class_guid, DEVINSTID_W instance, WCHAR *buffer, ULONG length,
                                             ULONG flags)
{
    struct list list = {.at = buffer, .room = length};

    if (!buffer || !class_guid) {
        return CR_INVALID_POINTER;
    }
    collect(class_guid, instance, flags, &list);
    return list.needed <= length ? CR_SUCCESS : CR_BUFFER_SMALL;
}
