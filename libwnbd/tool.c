/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libwnbd/tool.h"

#include <stdio.h>

#define PATIENCE_MS (60 * 1000)
#define LINE_LENGTH (MAX_PATH * 4)

static DWORD wait_for(HANDLE process, DWORD *code)
{
    if (WaitForSingleObject(process, PATIENCE_MS) != WAIT_OBJECT_0) {
        TerminateProcess(process, ERROR_TIMEOUT);
        return ERROR_TIMEOUT;
    }
    return GetExitCodeProcess(process, code) ? ERROR_SUCCESS : GetLastError();
}

static HANDLE open_nothing(void)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};

    return CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                       OPEN_EXISTING, 0, NULL);
}

static DWORD run(const WCHAR *path, WCHAR *line, DWORD *code)
{
    HANDLE nothing = open_nothing();
    STARTUPINFOW startup = {.cb = sizeof(startup),
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdInput = nothing,
                            .hStdOutput = nothing,
                            .hStdError = nothing};
    PROCESS_INFORMATION process;
    DWORD error = ERROR_SUCCESS;

    if (!CreateProcessW(path, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &startup, &process))
        error = GetLastError();
    CloseHandle(nothing);
    if (error != ERROR_SUCCESS)
        return error;
    error = wait_for(process.hProcess, code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return error;
}

DWORD tool_run(const WCHAR *name, const WCHAR *arguments, DWORD *code)
{
    WCHAR folder[MAX_PATH];
    WCHAR path[MAX_PATH * 2];
    WCHAR line[LINE_LENGTH];
    UINT length = GetSystemDirectoryW(folder, ARRAYSIZE(folder));

    if (length == 0 || length >= ARRAYSIZE(folder))
        return ERROR_PATH_NOT_FOUND;
    if (swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", folder, name) < 0 ||
        swprintf(line, ARRAYSIZE(line), L"\"%ls\" %ls", path, arguments) < 0)
        return ERROR_FILENAME_EXCED_RANGE;
    return run(path, line, code);
}
