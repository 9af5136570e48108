/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removing a disk. Soft: Plug and Play asks everybody who uses the disk device and removes it, then the driver ends the
 * mapping. Hard: the driver ends the mapping, and Windows finds the disk gone.
 */
#include "libwnbd/adapter.h"
#include "libwnbd/deadline.h"
#include "libwnbd/log.h"

#include <stddef.h>
#include <string.h>
#include <stdio.h>

struct veto {
    PNP_VETO_TYPE type;
    WCHAR name[MAX_PATH]; /* of the device, driver, service or window that objected; may be empty */
    CONFIGRET other;      /* no veto, but a failure */
};

static const char *veto_reason(PNP_VETO_TYPE type)
{
    switch (type) {
    case PNP_VetoPendingClose:
    case PNP_VetoOutstandingOpen:
        return "it is in use";
    case PNP_VetoWindowsApp:
    case PNP_VetoWindowsService:
    case PNP_VetoNonDisableable:
    case PNP_VetoDriver:
    case PNP_VetoDevice:
        return "it was refused";
    case PNP_VetoInsufficientRights:
        return "administrator rights are needed";
    default:
        return "Windows refused";
    }
}

static void describe_veto(const struct veto *veto, char *text, int size)
{
    char name[MAX_PATH * 3 + 1] = "";

    WideCharToMultiByte(CP_UTF8, 0, veto->name, -1, name, sizeof(name), NULL, NULL);
    snprintf(text, (size_t)size, "%s%s%s%s", veto_reason(veto->type), name[0] ? " (vetoed by " : "", name,
             name[0] ? ")" : "");
}

/* An empty id names the root of the device tree, so it never gets this far. */
static DWORD find_node(const WNBD_CONNECTION_INFO *info, DEVINST *node)
{
    WCHAR id[WNBD_MAX_NAME_LENGTH];

    if (!info->PNPDeviceID[0])
        return ERROR_OPEN_FAILED;
    memcpy(id, info->PNPDeviceID, sizeof(id));
    return CM_Locate_DevNodeW(node, id, CM_LOCATE_DEVNODE_NORMAL) == CR_SUCCESS ? ERROR_SUCCESS : ERROR_OPEN_FAILED;
}

/* ERROR_BUSY: vetoed. CM_REMOVE_NO_RESTART: the device must not come back before the driver has ended the mapping. */
static DWORD ask_windows(DEVINST node, struct veto *veto)
{
    CONFIGRET result;

    veto->type = PNP_VetoTypeUnknown;
    veto->name[0] = 0;
    result = CM_Query_And_Remove_SubTreeW(node, &veto->type, veto->name, ARRAYSIZE(veto->name), CM_REMOVE_NO_RESTART);
    if (result == CR_SUCCESS)
        return ERROR_SUCCESS;
    if (result == CR_REMOVE_VETOED)
        return ERROR_BUSY;
    veto->other = result;
    return ERROR_REMOVE_FAILED;
}

static DWORD remove_device(DEVINST node, const WNBD_REMOVE_OPTIONS *options, struct veto *veto)
{
    struct deadline deadline;
    DWORD error;

    deadline_start(&deadline, options->SoftRemoveTimeoutMs ? options->SoftRemoveTimeoutMs : DEADLINE_NEVER_MS);
    for (;;) {
        error = ask_windows(node, veto);
        if (error != ERROR_BUSY)
            return error;
        if (!deadline_sleep(&deadline, options->SoftRemoveRetryIntervalMs))
            return ERROR_TIMEOUT;
    }
}

static void explain(const WNBD_CONNECTION_INFO *info, DWORD error, const struct veto *veto, char *text, int size)
{
    if (error == ERROR_TIMEOUT)
        describe_veto(veto, text, size);
    else if (error == ERROR_OPEN_FAILED)
        snprintf(text, (size_t)size, "%s",
                 info->PNPDeviceID[0] ? "its disk device is gone" : "Windows has no disk device for it");
    else
        snprintf(text, (size_t)size, "Plug and Play could not remove its disk device (configuration manager code %lu)",
                 (unsigned long)veto->other);
}

/* The PnP half of a soft removal. Tells the logger why it failed, as an error unless the hard way follows. */
static DWORD soft_remove(const WNBD_CONNECTION_INFO *info, const WNBD_REMOVE_OPTIONS *options)
{
    struct veto veto = {.type = PNP_VetoTypeUnknown};
    const CHAR *name = info->Properties.InstanceName;
    char why[1024];
    DEVINST node;
    DWORD error = find_node(info, &node);

    if (error == ERROR_SUCCESS)
        error = remove_device(node, options, &veto);
    if (error == ERROR_SUCCESS)
        return error;
    explain(info, error, &veto, why, sizeof(why));
    if (options->Flags.HardRemoveFallback)
        log_message(MESSAGE_UNMAPPED_HARD, "'%s' was unmapped the hard way: %s", name, why);
    else
        log_message(MESSAGE_NOT_UNMAPPED, "cannot unmap '%s': %s", name, why);
    return error;
}

/* Ends the mapping. It was there when this began: if it is gone now, somebody else did what we wanted. */
static DWORD remove_softly(HANDLE adapter, const char *name, const WNBD_REMOVE_OPTIONS *options)
{
    WNBD_CONNECTION_INFO info;
    DWORD error = WnbdIoctlShow(adapter, name, &info, NULL);

    if (error != ERROR_SUCCESS)
        return error;
    error = soft_remove(&info, options);
    if (error != ERROR_SUCCESS && !options->Flags.HardRemoveFallback)
        return error;
    error = WnbdIoctlRemove(adapter, name, NULL, NULL);
    return error == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : error;
}

DWORD WnbdRemoveEx(const char *InstanceName, PWNBD_REMOVE_OPTIONS RemoveOptions)
{
    const WNBD_REMOVE_OPTIONS defaults = {.Flags.HardRemoveFallback = 1,
                                          .SoftRemoveTimeoutMs = WNBD_DEFAULT_RM_TIMEOUT_MS,
                                          .SoftRemoveRetryIntervalMs = WNBD_DEFAULT_RM_RETRY_INTERVAL_MS};
    const WNBD_REMOVE_OPTIONS *options = RemoveOptions ? RemoveOptions : &defaults;
    HANDLE adapter;
    DWORD error = adapter_open(&adapter);

    if (error != ERROR_SUCCESS)
        return error;
    /* The hard way does not touch the disk device at all: it must work when everybody who does hangs. */
    if (options->Flags.HardRemove)
        error = WnbdIoctlRemove(adapter, InstanceName, NULL, NULL);
    else
        error = remove_softly(adapter, InstanceName, options);
    CloseHandle(adapter);
    return error;
}
