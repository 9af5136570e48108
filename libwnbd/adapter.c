/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/adapter.h"
#include "libwnbd/interfaces.h"
#include "libwnbd/log.h"

static const char *reason(DWORD error)
{
    switch (error) {
    case ERROR_NO_MORE_ITEMS:
        return "the WNBD driver is not installed";
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return "the WNBD driver is installed, but its adapter does not work";
    case ERROR_ACCESS_DENIED:
        return "access was denied; administrator rights are needed";
    default:
        return NULL;
    }
}

static DWORD report(DWORD error)
{
    const char *words = reason(error);

    if (words)
        log_message(MESSAGE_ADAPTER_NOT_OPENED, "cannot open the WNBD adapter: %s", words);
    else
        log_message(MESSAGE_ADAPTER_NOT_OPENED, "cannot open the WNBD adapter: Windows error %lu", error);
    return error;
}

/*
 * Shared for reading and writing: the adapter takes commands of any number of processes at once. The handle carries no
 * position or state that two of them could disturb.
 */
static DWORD open_path(const WCHAR *path, HANDLE *adapter)
{
    HANDLE handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);

    if (handle == INVALID_HANDLE_VALUE)
        return GetLastError();
    *adapter = handle;
    return ERROR_SUCCESS;
}

/* The first interface that opens is the adapter. If none does: why the last one did not. */
static DWORD open_first(HANDLE *adapter, DEVINST *instance)
{
    struct interfaces interfaces;
    DWORD error = interfaces_start(&interfaces, &WNBD_GUID);
    DWORD open_error = ERROR_NO_MORE_ITEMS;

    if (error != ERROR_SUCCESS)
        return error;
    while ((error = interfaces_next(&interfaces)) == ERROR_SUCCESS) {
        open_error = open_path(interfaces.path, adapter);
        if (open_error == ERROR_SUCCESS) {
            *instance = interfaces.device.DevInst;
            break;
        }
    }
    interfaces_end(&interfaces);
    return error == ERROR_NO_MORE_ITEMS ? open_error : error;
}

DWORD adapter_instance_id(WCHAR *id, DWORD length)
{
    struct interfaces interfaces;
    DWORD error = interfaces_start(&interfaces, &WNBD_GUID);

    if (error != ERROR_SUCCESS)
        return error;
    error = interfaces_next(&interfaces);
    if (error == ERROR_SUCCESS)
        error = interfaces_instance_id(&interfaces, id, length);
    interfaces_end(&interfaces);
    return error;
}

BOOL adapter_is_there(void)
{
    WCHAR id[MAX_DEVICE_ID_LEN];

    return adapter_instance_id(id, ARRAYSIZE(id)) == ERROR_SUCCESS;
}

DWORD WnbdOpenAdapter(PHANDLE Handle)
{
    DEVINST instance;
    DWORD error = Handle ? open_first(Handle, &instance) : ERROR_INVALID_PARAMETER;

    return error == ERROR_SUCCESS ? error : report(error);
}

DWORD adapter_open(HANDLE *adapter)
{
    return WnbdOpenAdapter(adapter) == ERROR_SUCCESS ? ERROR_SUCCESS : ERROR_OPEN_FAILED;
}

DWORD WnbdGetAdapterDevInst(PDEVINST DeviceInst)
{
    HANDLE adapter;
    DWORD error = DeviceInst ? open_first(&adapter, DeviceInst) : ERROR_INVALID_PARAMETER;

    if (error != ERROR_SUCCESS)
        return report(error);
    CloseHandle(adapter);
    return ERROR_SUCCESS;
}
