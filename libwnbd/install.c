/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installing the driver: a root-enumerated device node for the adapter, then the driver of an INF file for it. */
#include "libwnbd/adapter.h"
#include "libwnbd/deadline.h"
#include "libwnbd/devnodes.h"
#include "libwnbd/log.h"
#include "libwnbd/package.h"
#include "libwnbd/performance.h"

#include <newdev.h>
#include <winternl.h>

#define ADAPTER_START_MS   (30 * 1000)
#define ADAPTER_RECHECK_MS 100

typedef NTSTATUS(WINAPI *rtl_get_version)(OSVERSIONINFOEXW *);

/* GetVersionEx tells programs without the right manifest an old version; ntdll tells everybody the true one. */
static DWORD check_windows(void)
{
    OSVERSIONINFOEXW version = {.dwOSVersionInfoSize = sizeof(version)};
    rtl_get_version get_version =
        (rtl_get_version)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion");

    if (!get_version || get_version(&version) < 0)
        return ERROR_NOT_SUPPORTED;
    if (version.dwMajorVersion > WNBD_REQ_WIN_VERSION_MAJOR ||
        (version.dwMajorVersion == WNBD_REQ_WIN_VERSION_MAJOR && version.dwBuildNumber >= WNBD_REQ_WIN_VERSION_BUILD))
        return ERROR_SUCCESS;
    log_message(MESSAGE_WINDOWS_TOO_OLD,
                "cannot install the driver: it needs Windows 10.0.%d or newer, this is %lu.%lu.%lu",
                WNBD_REQ_WIN_VERSION_BUILD, version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber);
    return ERROR_NOT_SUPPORTED;
}

/* The full path of a driver package that is whole. */
static DWORD full_path(const CHAR *file_name, WCHAR *path, DWORD length)
{
    WCHAR name[MAX_PATH];
    DWORD used;

    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, file_name, -1, name, ARRAYSIZE(name)))
        return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ERROR_FILENAME_EXCED_RANGE : ERROR_INVALID_NAME;
    used = GetFullPathNameW(name, length, path, NULL);
    if (used == 0)
        return GetLastError();
    if (used >= length)
        return ERROR_FILENAME_EXCED_RANGE;
    return package_check(path, file_name);
}

static DWORD check_no_adapter(void)
{
    DWORD count;
    DWORD error = devnodes_count(DEVNODES_PRESENT, &count);

    if (error != ERROR_SUCCESS || count == 0)
        return error;
    log_message(MESSAGE_INSTALLED_ALREADY, "cannot install the driver: a WNBD adapter is installed already");
    return ERROR_DUPLICATE_FOUND;
}

static DWORD register_node(HDEVINFO set, const GUID *class_guid, const WCHAR *class_name, SP_DEVINFO_DATA *device)
{
    static const WCHAR ids[] = L"root\\wnbd\0"; /* a list: one NUL more */

    device->cbSize = sizeof(*device);
    if (!SetupDiCreateDeviceInfoW(set, class_name, class_guid, NULL, NULL, DICD_GENERATE_ID, device) ||
        !SetupDiSetDeviceRegistryPropertyW(set, device, SPDRP_HARDWAREID, (const BYTE *)ids, sizeof(ids)) ||
        !SetupDiCallClassInstaller(DIF_REGISTERDEVICE, set, device))
        return setup_error();
    return ERROR_SUCCESS;
}

/* Windows says "installed" when the files are in place; the adapter is what counts. */
static DWORD wait_for_adapter(void)
{
    struct deadline deadline;

    deadline_start(&deadline, ADAPTER_START_MS);
    while (!adapter_is_there()) {
        if (!deadline_sleep(&deadline, ADAPTER_RECHECK_MS)) {
            log_message(MESSAGE_ADAPTER_NOT_STARTED,
                        "cannot install the driver: Windows accepted it, but its adapter did not start");
            return ERROR_NOT_READY;
        }
    }
    return ERROR_SUCCESS;
}

static DWORD give_driver(const WCHAR *inf, BOOL *reboot)
{
    if (!UpdateDriverForPlugAndPlayDevicesW(NULL, L"root\\wnbd", inf, INSTALLFLAG_FORCE, reboot))
        return setup_error();
    return *reboot ? ERROR_SUCCESS : wait_for_adapter();
}

static DWORD install_in(HDEVINFO set, const GUID *class_guid, const WCHAR *class_name, const WCHAR *inf, BOOL *reboot)
{
    SP_DEVINFO_DATA device;
    DWORD error = register_node(set, class_guid, class_name, &device);

    if (error != ERROR_SUCCESS)
        return error;
    error = give_driver(inf, reboot);
    if (error != ERROR_SUCCESS && devnode_remove(set, &device, reboot) != ERROR_SUCCESS)
        log_message(MESSAGE_NODE_STAYS, "the device node of the failed installation could not be removed");
    return error;
}

static DWORD install(const CHAR *file_name, const WCHAR *inf, BOOL *reboot)
{
    WCHAR class_name[MAX_CLASS_NAME_LEN];
    GUID class_guid;
    HDEVINFO set;
    DWORD error;

    if (!SetupDiGetINFClassW(inf, &class_guid, class_name, ARRAYSIZE(class_name), NULL)) {
        error = setup_error();
        log_message(MESSAGE_PACKAGE_UNUSABLE, "cannot install the driver: '%s' is not the INF file of a driver",
                    file_name);
        return error;
    }
    set = SetupDiCreateDeviceInfoList(&class_guid, NULL);
    if (set == INVALID_HANDLE_VALUE)
        return setup_error();
    error = install_in(set, &class_guid, class_name, inf, reboot);
    SetupDiDestroyDeviceInfoList(set);
    return error;
}

static DWORD prepare(BOOL *reboot)
{
    DWORD error = check_windows();

    if (error == ERROR_SUCCESS)
        error = check_no_adapter();
    if (error == ERROR_SUCCESS)
        error = devnodes_remove(DEVNODES_STALE, reboot);
    return error;
}

DWORD WnbdInstallDriver(CONST CHAR *FileName, PBOOL RebootRequired)
{
    WCHAR inf[MAX_PATH];
    DWORD error;

    if (!FileName || !RebootRequired)
        return ERROR_INVALID_PARAMETER;
    *RebootRequired = FALSE;
    error = full_path(FileName, inf, ARRAYSIZE(inf));
    if (error == ERROR_SUCCESS)
        error = prepare(RebootRequired);
    if (error == ERROR_SUCCESS)
        error = install(FileName, inf, RebootRequired);
    if (error == ERROR_SUCCESS)
        performance_register(inf);
    return error;
}
