/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/performance.h"
#include "libwnbd/log.h"
#include "libwnbd/tool.h"

#include <stdio.h>
#include <wchar.h>

/* The provider of driver/wnbd.man. */
#define PROVIDER L"{b41d33e2-82f7-435f-a93e-819fd33fc9e0}"

static const WCHAR registration[] =
    L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Perflib\\_V2Providers\\" PROVIDER;

static void cut_to_folder(WCHAR *path)
{
    WCHAR *end = wcsrchr(path, L'\\');

    if (end)
        *end = L'\0';
}

/* ---- Where the installed driver lies: the names of its counters are in it ---- */

/* The image path of a driver as a path of Windows': it may be one of the kernel's, or relative to Windows' folder. */
static BOOL image_path(const WCHAR *image, WCHAR *path, DWORD length)
{
    static const WCHAR object[] = L"\\??\\";
    static const WCHAR root[] = L"\\SystemRoot\\";
    WCHAR windows[MAX_PATH];
    UINT used = GetSystemWindowsDirectoryW(windows, ARRAYSIZE(windows));

    if (used == 0 || used >= ARRAYSIZE(windows))
        return FALSE;
    if (_wcsnicmp(image, object, ARRAYSIZE(object) - 1) == 0)
        return swprintf(path, length, L"%ls", image + ARRAYSIZE(object) - 1) > 0;
    if (_wcsnicmp(image, root, ARRAYSIZE(root) - 1) == 0)
        return swprintf(path, length, L"%ls\\%ls", windows, image + ARRAYSIZE(root) - 1) > 0;
    if (image[0] != L'\0' && image[1] == L':')
        return swprintf(path, length, L"%ls", image) > 0;
    return swprintf(path, length, L"%ls\\%ls", windows, image) > 0;
}

static BOOL query_image(SC_HANDLE service, WCHAR *path, DWORD length)
{
    struct {
        QUERY_SERVICE_CONFIGW config;
        BYTE texts[8 * 1024 - sizeof(QUERY_SERVICE_CONFIGW)]; /* as much as is ever needed */
    } answer;
    DWORD needed;

    return QueryServiceConfigW(service, &answer.config, sizeof(answer), &needed) &&
           image_path(answer.config.lpBinaryPathName, path, length);
}

/* FALSE: it is not known. */
static BOOL installed_folder(WCHAR *folder, DWORD length)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = manager ? OpenServiceW(manager, L"wnbd", SERVICE_QUERY_CONFIG) : NULL;
    BOOL is_known =
        service && query_image(service, folder, length) && GetFileAttributesW(folder) != INVALID_FILE_ATTRIBUTES;

    if (service)
        CloseServiceHandle(service);
    if (manager)
        CloseServiceHandle(manager);
    if (is_known)
        cut_to_folder(folder);
    return is_known;
}

/* ---- lodctr and unlodctr ---- */

static BOOL is_registered(void)
{
    HKEY key;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, registration, 0, KEY_READ, &key) != ERROR_SUCCESS)
        return FALSE;
    RegCloseKey(key);
    return TRUE;
}

static void unload(DWORD *error, DWORD *code)
{
    *code = 0;
    *error = tool_run(L"unlodctr.exe", L"/g:" PROVIDER, code);
}

/* An exit code of 0 says that the command line was understood, and no more. */
static void load(const WCHAR *manifest, const WCHAR *folder)
{
    WCHAR arguments[MAX_PATH * 3];
    DWORD error;
    DWORD code = 0;

    swprintf(arguments, ARRAYSIZE(arguments), L"/m:\"%ls\" \"%ls\"", manifest, folder);
    error = tool_run(L"lodctr.exe", arguments, &code);
    if (error != ERROR_SUCCESS)
        log_message(MESSAGE_COUNTERS_NOT_REGISTERED,
                    "the performance counters are not registered: lodctr.exe does not run: Windows error %lu", error);
    else if (code != 0 || !is_registered())
        log_message(MESSAGE_COUNTERS_NOT_REGISTERED,
                    "the performance counters are not registered: lodctr.exe %ls ended with code %lu", arguments, code);
}

void performance_register(const WCHAR *inf)
{
    WCHAR folder[MAX_PATH * 2];
    WCHAR manifest[MAX_PATH + 16];
    WCHAR package[MAX_PATH];
    DWORD error;
    DWORD code;

    swprintf(package, ARRAYSIZE(package), L"%ls", inf);
    cut_to_folder(package);
    swprintf(manifest, ARRAYSIZE(manifest), L"%ls\\wnbd.man", package);
    if (GetFileAttributesW(manifest) == INVALID_FILE_ATTRIBUTES) {
        log_message(MESSAGE_COUNTERS_NOT_REGISTERED,
                    "the performance counters are not registered: there is no file wnbd.man beside the INF file");
        return;
    }
    if (is_registered())
        unload(&error, &code); /* an older one would be in the way; if it stays, lodctr.exe says so */
    load(manifest, installed_folder(folder, ARRAYSIZE(folder)) ? folder : package);
}

void performance_unregister(void)
{
    DWORD error;
    DWORD code;

    if (!is_registered())
        return;
    unload(&error, &code);
    if (error != ERROR_SUCCESS)
        log_message(MESSAGE_COUNTERS_STAY,
                    "the performance counters stay registered: unlodctr.exe does not run: Windows error %lu", error);
    else if (code != 0 || is_registered())
        log_message(MESSAGE_COUNTERS_STAY, "the performance counters stay registered: unlodctr.exe ended with code %lu",
                    code);
}
