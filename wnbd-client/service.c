/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/service.h"

#include "wnbd-client/report.h"

#include <stdio.h>
#include <wchar.h>

#define PATH_LENGTH 32768

static const WCHAR program_name[] = L"wnbd-service.exe";

/* False: it is not there. */
static bool find_program(WCHAR path[PATH_LENGTH])
{
    DWORD length = GetModuleFileNameW(NULL, path, PATH_LENGTH - ARRAYSIZE(program_name));
    WCHAR *end = wcsrchr(path, L'\\');

    if (length == 0 || !end)
        return false;
    wcscpy(end + 1, program_name);
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

/* It says itself why it fails. */
static DWORD wait_for(const PROCESS_INFORMATION *process)
{
    DWORD code = ERROR_PROCESS_ABORTED;

    WaitForSingleObject(process->hProcess, INFINITE);
    GetExitCodeProcess(process->hProcess, &code);
    CloseHandle(process->hThread);
    CloseHandle(process->hProcess);
    return code;
}

static int run(const WCHAR *command)
{
    static WCHAR path[PATH_LENGTH];
    static WCHAR line[PATH_LENGTH + 32];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;

    if (!find_program(path))
        return ERROR_SUCCESS;
    swprintf(line, ARRAYSIZE(line), L"\"%ls\" %ls", path, command);
    if (!CreateProcessW(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return report_failure(GetLastError(), "cannot start '%ls'", path);
    return (int)wait_for(&process);
}

int service_install(void)
{
    return run(L"install");
}

int service_uninstall(void)
{
    return run(L"uninstall");
}

int service_stop(void)
{
    return run(L"stop");
}
