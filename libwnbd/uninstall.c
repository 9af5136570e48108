/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking the driver off the machine: disks, device nodes, driver packages. */
#include "libwnbd/adapter.h"
#include "libwnbd/devnodes.h"
#include "libwnbd/log.h"
#include "libwnbd/performance.h"

#include <stdio.h>
#include <wchar.h>

static const WCHAR catalog[] = L"wnbd.cat";

static void keep_last(DWORD *result, DWORD error)
{
    if (error != ERROR_SUCCESS)
        *result = error;
}

/* Without disks the adapter can be removed without a restart. No adapter: nothing to do. */
static DWORD remove_disks(void)
{
    HANDLE adapter;
    DWORD error;

    if (!adapter_is_there())
        return ERROR_SUCCESS;
    error = adapter_open(&adapter);
    if (error != ERROR_SUCCESS)
        return error;
    error = WnbdRemoveAllDisks(adapter);
    CloseHandle(adapter);
    if (error != ERROR_SUCCESS)
        log_message(MESSAGE_DISKS_NOT_REMOVED, "cannot remove all disks before uninstalling: Windows error %lu", error);
    return error;
}

static BOOL names_our_catalog(HINF inf, const WCHAR *key)
{
    WCHAR name[MAX_PATH];
    INFCONTEXT line;

    return SetupFindFirstLineW(inf, L"Version", key, &line) &&
           SetupGetStringFieldW(&line, 1, name, ARRAYSIZE(name), NULL) && _wcsicmp(name, catalog) == 0;
}

static BOOL is_our_package(const WCHAR *path)
{
    HINF inf = SetupOpenInfFileW(path, NULL, INF_STYLE_WIN4, NULL);
    BOOL is_ours;

    if (inf == INVALID_HANDLE_VALUE)
        return FALSE;
    is_ours = names_our_catalog(inf, L"CatalogFile") || names_our_catalog(inf, L"CatalogFile.NT") ||
              names_our_catalog(inf, L"CatalogFile.NTamd64") || names_our_catalog(inf, L"CatalogFile.NTarm64");
    SetupCloseInfFile(inf);
    return is_ours;
}

static DWORD uninstall_package(const WCHAR *name)
{
    if (SetupUninstallOEMInfW(name, SUOI_FORCEDELETE, NULL))
        return ERROR_SUCCESS;
    log_message(MESSAGE_PACKAGE_NOT_REMOVED, "cannot remove the driver package %ls: Windows error %lu", name,
                GetLastError());
    return GetLastError();
}

static DWORD remove_package_if_ours(const WCHAR *folder, const WCHAR *name)
{
    WCHAR path[MAX_PATH * 2];

    swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", folder, name);
    return is_our_package(path) ? uninstall_package(name) : ERROR_SUCCESS;
}

static DWORD remove_packages(void)
{
    WCHAR folder[MAX_PATH];
    WCHAR pattern[MAX_PATH + 16];
    WIN32_FIND_DATAW found;
    HANDLE search;
    DWORD result = ERROR_SUCCESS;
    UINT length = GetWindowsDirectoryW(folder, ARRAYSIZE(folder) - 4);

    if (length == 0 || length >= ARRAYSIZE(folder) - 4)
        return ERROR_PATH_NOT_FOUND;
    wcscat(folder, L"\\INF");
    swprintf(pattern, ARRAYSIZE(pattern), L"%ls\\oem*.inf", folder);
    search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : GetLastError();
    do {
        keep_last(&result, remove_package_if_ours(folder, found.cFileName));
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return result;
}

DWORD WnbdUninstallDriver(PBOOL RebootRequired)
{
    DWORD result = ERROR_SUCCESS;

    if (!RebootRequired)
        return ERROR_INVALID_PARAMETER;
    keep_last(&result, remove_disks());
    keep_last(&result, devnodes_remove(DEVNODES_ALL, RebootRequired));
    keep_last(&result, remove_packages());
    performance_unregister();
    return result;
}
