/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding devices, their ids, parents and states. Unprefixed names without CM_ are exported under the CM_ name. */
#include "bed/wine/cfgmgr32/control.h"
#include "bed/wine/cfgmgr32/exports.h"

#include <wchar.h>

CONFIGRET WINAPI locate_devnode_w(DEVINST *node, DEVINSTID_W instance, ULONG flags)
{
    struct bed_device device;

    if (!node) {
        return CR_INVALID_POINTER;
    }
    if (instance && *instance && control_find(instance, &device)) {
        *node = node_of(device.instance);
        return *node != 0 ? CR_SUCCESS : CR_OUT_OF_MEMORY;
    }
    /* setupapi still knows disks that are gone. */
    if (instance && _wcsnicmp(instance, L"SCSI\\", 5) == 0) {
        return CR_NO_SUCH_DEVNODE;
    }
    return CM_Locate_DevNodeW(node, instance, flags);
}

CONFIGRET WINAPI locate_devnode_a(DEVINST *node, DEVINSTID_A instance, ULONG flags)
{
    wchar_t wide[BED_INSTANCE_LENGTH];

    if (!instance) {
        return locate_devnode_w(node, NULL, flags);
    }
    if (!MultiByteToWideChar(CP_ACP, 0, instance, -1, wide, BED_INSTANCE_LENGTH)) {
        return CR_INVALID_DEVICE_ID;
    }
    return locate_devnode_w(node, wide, flags);
}

CONFIGRET WINAPI get_device_id_w(DEVINST node, WCHAR *buffer, ULONG length, ULONG flags)
{
    wchar_t instance[BED_INSTANCE_LENGTH];

    if (!node_is_ours(node)) {
        return CM_Get_Device_IDW(node, buffer, length, flags);
    }
    if (!node_instance(node, instance)) {
        return CR_INVALID_DEVNODE;
    }
    if (!buffer) {
        return CR_INVALID_POINTER;
    }
    wcsncpy(buffer, instance, length);
    return wcslen(instance) < length ? CR_SUCCESS : CR_BUFFER_SMALL;
}

CONFIGRET WINAPI get_device_id_a(DEVINST node, CHAR *buffer, ULONG length, ULONG flags)
{
    wchar_t instance[BED_INSTANCE_LENGTH];

    if (!node_is_ours(node)) {
        return CM_Get_Device_IDA(node, buffer, length, flags);
    }
    if (!node_instance(node, instance)) {
        return CR_INVALID_DEVNODE;
    }
    return WideCharToMultiByte(CP_ACP, 0, instance, -1, buffer, (int)length, NULL, NULL) ? CR_SUCCESS : CR_BUFFER_SMALL;
}

CONFIGRET WINAPI get_device_id_size(ULONG *length, DEVINST node, ULONG flags)
{
    wchar_t instance[BED_INSTANCE_LENGTH];

    if (!node_is_ours(node)) {
        return CM_Get_Device_ID_Size(length, node, flags);
    }
    if (!node_instance(node, instance)) {
        return CR_INVALID_DEVNODE;
    }
    *length = (ULONG)wcslen(instance);
    return CR_SUCCESS;
}

CONFIGRET WINAPI get_parent(DEVINST *parent, DEVINST node, ULONG flags)
{
    wchar_t instance[BED_INSTANCE_LENGTH];
    struct bed_device device;

    if (!node_instance(node, instance)) {
        return CR_INVALID_DEVNODE;
    }
    if (control_find(instance, &device) && !device.is_adapter) {
        *parent = node_of(device.parent);
        return *parent != 0 ? CR_SUCCESS : CR_OUT_OF_MEMORY;
    }
    return node_is_ours(node) ? CR_NO_SUCH_DEVNODE : CM_Get_Parent(parent, node, flags);
}

CONFIGRET WINAPI get_devnode_status(ULONG *status, ULONG *problem, DEVINST node, ULONG flags)
{
    wchar_t instance[BED_INSTANCE_LENGTH];
    struct bed_device device;

    if (!node_instance(node, instance)) {
        return CR_INVALID_DEVNODE;
    }
    if (!control_find(instance, &device)) {
        return node_is_ours(node) ? CR_NO_SUCH_DEVNODE : CM_Get_DevNode_Status(status, problem, node, flags);
    }
    *status = DN_DRIVER_LOADED | DN_DISABLEABLE | (device.started ? DN_STARTED : DN_HAS_PROBLEM) |
              (device.is_adapter ? DN_ROOT_ENUMERATED : DN_REMOVABLE);
    *problem = device.started ? 0 : CM_PROB_DISABLED;
    return CR_SUCCESS;
}
