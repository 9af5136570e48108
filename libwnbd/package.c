/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/package.h"
#include "libwnbd/devnodes.h"
#include "libwnbd/log.h"

#include <stdio.h>
#include <wchar.h>

/* Windows' set-up reads a folder as an INF file that it may not open, and says so. */
static DWORD check_file(const WCHAR *inf, const CHAR *shown)
{
    DWORD attributes = GetFileAttributesW(inf);

    if (attributes == INVALID_FILE_ATTRIBUTES) {
        log_message(MESSAGE_PACKAGE_UNUSABLE, "cannot install the driver: there is no file '%s'", shown);
        return ERROR_FILE_NOT_FOUND;
    }
    if (attributes & FILE_ATTRIBUTE_DIRECTORY) {
        log_message(MESSAGE_PACKAGE_UNUSABLE, "cannot install the driver: '%s' is a folder, not an INF file", shown);
        return ERROR_FILE_NOT_FOUND;
    }
    return ERROR_SUCCESS;
}

static BOOL is_beside(const WCHAR *inf, const WCHAR *name)
{
    WCHAR path[MAX_PATH * 2];
    const WCHAR *end = wcsrchr(inf, L'\\');
    int folder_length = end ? (int)(end - inf) : 0;

    swprintf(path, ARRAYSIZE(path), L"%.*ls\\%ls", folder_length, inf, name);
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static DWORD report_missing(const WCHAR *name, const CHAR *shown)
{
    CHAR missing[MAX_PATH * 3] = "?";

    WideCharToMultiByte(CP_UTF8, 0, name, -1, missing, sizeof(missing), NULL, NULL);
    log_message(MESSAGE_PACKAGE_UNUSABLE, "cannot install the driver: there is no file '%s' beside '%s'", missing,
                shown);
    return ERROR_FILE_NOT_FOUND;
}

static DWORD check_files(HINF file, const WCHAR *inf, const CHAR *shown)
{
    WCHAR name[MAX_PATH];
    INFCONTEXT line;

    if (!SetupFindFirstLineW(file, L"SourceDisksFiles", NULL, &line))
        return ERROR_SUCCESS;
    do {
        if (SetupGetStringFieldW(&line, 0, name, ARRAYSIZE(name), NULL) && !is_beside(inf, name))
            return report_missing(name, shown);
    } while (SetupFindNextLine(&line, &line));
    return ERROR_SUCCESS;
}

DWORD package_check(const WCHAR *inf, const CHAR *shown)
{
    DWORD error = check_file(inf, shown);
    HINF file;

    if (error != ERROR_SUCCESS)
        return error;
    file = SetupOpenInfFileW(inf, NULL, INF_STYLE_WIN4, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        error = setup_error();
        log_message(MESSAGE_PACKAGE_UNUSABLE, "cannot install the driver: '%s' is not the INF file of a driver", shown);
        return error;
    }
    error = check_files(file, inf, shown);
    SetupCloseInfFile(file);
    return error;
}
