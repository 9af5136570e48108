/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping the adapter and starting it again, as disabling and enabling it in the device manager would. */
#include "libwnbd/adapter.h"
#include "libwnbd/deadline.h"
#include "libwnbd/log.h"

/* ERROR_BUSY: vetoed. Of the codes for that, the documentation of CM_Disable_DevNode names none. */
static DWORD disable(DEVINST adapter)
{
    CONFIGRET result = CM_Disable_DevNode(adapter, CM_DISABLE_UI_NOT_OK);

    switch (result) {
    case CR_SUCCESS:
        return ERROR_SUCCESS;
    case CR_REMOVE_VETOED:
    case CR_NOT_DISABLEABLE:
        return ERROR_BUSY;
    case CR_ACCESS_DENIED:
        return ERROR_ACCESS_DENIED;
    default:
        log_message(
            MESSAGE_NOT_DISABLED,
            "cannot reset the WNBD adapter: Plug and Play could not disable it (configuration manager code %lu)",
            (unsigned long)result);
        return ERROR_REMOVE_FAILED;
    }
}

static DWORD enable(DEVINST adapter)
{
    CONFIGRET result = CM_Enable_DevNode(adapter, 0);

    if (result == CR_SUCCESS)
        return ERROR_SUCCESS;
    log_message(MESSAGE_NOT_ENABLED,
                "the WNBD adapter is disabled and cannot be enabled again (configuration manager code %lu)",
                (unsigned long)result);
    return ERROR_NOT_READY;
}

/* By its id: that SetupAPI's handle outlives the set it came from is not documented. */
static DWORD find(DEVINST *adapter)
{
    WCHAR id[MAX_DEVICE_ID_LEN];
    DWORD error =
        WnbdGetAdapterDevInst(adapter); /* says why it does not work; leaves it closed, so as to veto nothing */

    if (error == ERROR_SUCCESS)
        error = adapter_instance_id(id, ARRAYSIZE(id));
    if (error == ERROR_SUCCESS && CM_Locate_DevNodeW(adapter, id, CM_LOCATE_DEVNODE_NORMAL) != CR_SUCCESS)
        error = ERROR_FILE_NOT_FOUND;
    return error;
}

static DWORD try(void)
{
    DEVINST adapter;
    DWORD error = find(&adapter);

    if (error == ERROR_SUCCESS)
        error = disable(adapter);
    return error == ERROR_SUCCESS ? enable(adapter) : error;
}

DWORD WnbdResetAdapterEx(DWORD TimeoutMs, DWORD RetryIntervalMs)
{
    struct deadline deadline;
    DWORD error;

    deadline_start(&deadline, TimeoutMs ? TimeoutMs : DEADLINE_NEVER_MS);
    do {
        error = try();
    } while (error == ERROR_BUSY && deadline_sleep(&deadline, RetryIntervalMs));
    if (error == ERROR_BUSY)
        log_message(MESSAGE_RESET_VETOED, "cannot reset the WNBD adapter: it or one of its disks is in use");
    return error;
}

DWORD WnbdResetAdapter(void)
{
    DWORD error = try();

    if (error == ERROR_BUSY)
        log_message(MESSAGE_RESET_VETOED, "cannot reset the WNBD adapter: it or one of its disks is in use");
    return error;
}
