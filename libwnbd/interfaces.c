/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/interfaces.h"

DWORD interfaces_start(struct interfaces *interfaces, const GUID *class_guid)
{
    interfaces->class_guid = class_guid;
    interfaces->index = 0;
    interfaces->set = SetupDiGetClassDevsW(class_guid, NULL, NULL, DIGCF_PRESENT | DIGCF_DEVICEINTERFACE);
    return interfaces->set == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
}

static DWORD read_detail(struct interfaces *interfaces, SP_DEVICE_INTERFACE_DATA *found)
{
    union {
        SP_DEVICE_INTERFACE_DETAIL_DATA_W data;
        BYTE bytes[sizeof(SP_DEVICE_INTERFACE_DETAIL_DATA_W) + INTERFACE_PATH_LENGTH * sizeof(WCHAR)];
    } detail;

    detail.data.cbSize = sizeof(detail.data);
    interfaces->device.cbSize = sizeof(interfaces->device);
    if (!SetupDiGetDeviceInterfaceDetailW(interfaces->set, found, &detail.data, sizeof(detail), NULL,
                                          &interfaces->device))
        return GetLastError();
    lstrcpynW(interfaces->path, detail.data.DevicePath, INTERFACE_PATH_LENGTH);
    return ERROR_SUCCESS;
}

DWORD interfaces_next(struct interfaces *interfaces)
{
    SP_DEVICE_INTERFACE_DATA found = {.cbSize = sizeof(found)};

    /* A device may go while we look: then its details are gone, and so it is passed over. */
    do {
        if (!SetupDiEnumDeviceInterfaces(interfaces->set, NULL, interfaces->class_guid, interfaces->index, &found))
            return GetLastError();
        interfaces->index++;
    } while (!(found.Flags & SPINT_ACTIVE) || read_detail(interfaces, &found) != ERROR_SUCCESS);
    return ERROR_SUCCESS;
}

DWORD interfaces_instance_id(struct interfaces *interfaces, WCHAR *id, DWORD length)
{
    if (!SetupDiGetDeviceInstanceIdW(interfaces->set, &interfaces->device, id, length, NULL))
        return GetLastError();
    return ERROR_SUCCESS;
}

void interfaces_end(struct interfaces *interfaces)
{
    SetupDiDestroyDeviceInfoList(interfaces->set);
}
