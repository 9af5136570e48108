/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-service/install.h"

#include "wnbd-service/event.h"
#include "wnbd-service/run.h"
#include "wnbd-service/service.h"
#include "wnbd-service/words.h"

#include <stdio.h>
#include <wchar.h>

#define SOURCE_KEY       L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" EVENT_SOURCE
#define RESTART_AFTER_MS 5000
#define FORGIVE_AFTER_S  (24 * 60 * 60)
#define PRESHUTDOWN_MS   (RUN_UNMAP_MS + 30 * 1000)
#define STOP_MS          (RUN_UNMAP_MS + 60 * 1000)
#define LOOK_EVERY_MS    200

static DWORD fail(const char *what, DWORD error)
{
    char words[WORDS_SIZE];

    words_of_error(error, words);
    if (error == ERROR_DEPENDENT_SERVICES_RUNNING)
        snprintf(words, sizeof(words), "services that depend on it run; stop them first");
    if (error == ERROR_ACCESS_DENIED)
        snprintf(words, sizeof(words), "access was denied; administrator rights are needed");
    if (error == ERROR_SERVICE_MARKED_FOR_DELETE)
        snprintf(words, sizeof(words), "it has been removed, and a program still shows it; close that (services.msc?)");
    fprintf(stderr, "wnbd-service: %s: %s.\n", what, words);
    return error;
}

/* ---- Event source ---- */

static DWORD set_source_values(HKEY key, const WCHAR *program)
{
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    DWORD size = (DWORD)((wcslen(program) + 1) * sizeof(WCHAR));
    LSTATUS error = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)program, size);

    if (error == ERROR_SUCCESS)
        error = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types, sizeof(types));
    return (DWORD)error;
}

/* The event log takes the messages' texts from this program. */
static DWORD register_source(const WCHAR *program)
{
    HKEY key;
    DWORD error = (DWORD)RegCreateKeyExW(HKEY_LOCAL_MACHINE, SOURCE_KEY, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);

    if (error == ERROR_SUCCESS) {
        error = set_source_values(key, program);
        RegCloseKey(key);
    }
    return error == ERROR_SUCCESS ? error : fail("cannot register the source of events", error);
}

/* ---- Settings of the service ---- */

static bool configure_restart(SC_HANDLE service)
{
    SC_ACTION actions[] = {{SC_ACTION_RESTART, RESTART_AFTER_MS}}; /* the last one holds for all further failures */
    SERVICE_FAILURE_ACTIONSW failure = {
        .dwResetPeriod = FORGIVE_AFTER_S, .cActions = ARRAYSIZE(actions), .lpsaActions = actions};
    SERVICE_FAILURE_ACTIONS_FLAG stopped_too = {.fFailureActionsOnNonCrashFailures = TRUE};

    return ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure) &&
           ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &stopped_too);
}

static bool configure_description(SC_HANDLE service)
{
    WCHAR text[] = L"Maps the recorded WNBD disks when the machine starts, and unmaps them when it is shut down.";
    SERVICE_DESCRIPTIONW description = {text};

    return ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
}

static bool configure_shutdown(SC_HANDLE service)
{
    SERVICE_PRESHUTDOWN_INFO preshutdown = {PRESHUTDOWN_MS};

    return ChangeServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown);
}

/* The service works without these, so what cannot be set is a remark. Delayed automatic start is off by default. */
static void configure(SC_HANDLE service)
{
    char words[WORDS_SIZE];

    if (configure_description(service) && configure_shutdown(service) && configure_restart(service))
        return;
    words_of_error(GetLastError(), words);
    fprintf(stderr, "wnbd-service: note: the service is installed, but its recovery actions cannot be set: %s.\n",
            words);
}

/* ---- Installing ---- */

static const WCHAR display_name[] = L"WNBD persistent disks";
static const WCHAR needed[] = L"Tcpip\0"; /* a list: one NUL more */

/* How it starts and what it waits for may have been changed by an administrator. */
static SC_HANDLE update(SC_HANDLE services, const WCHAR *command)
{
    SC_HANDLE service = OpenServiceW(services, SERVICE_NAME, SERVICE_ALL_ACCESS);

    if (service && !ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE,
                                         command, NULL, NULL, NULL, NULL, NULL, display_name)) {
        CloseServiceHandle(service);
        return NULL;
    }
    return service;
}

static SC_HANDLE create(SC_HANDLE services, const WCHAR *program)
{
    WCHAR command[MAX_PATH + 3];
    SC_HANDLE service;

    swprintf(command, ARRAYSIZE(command), L"\"%ls\"", program);
    service = CreateServiceW(services, SERVICE_NAME, display_name, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                             SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, command, NULL, NULL, needed, NULL, NULL);
    return service || GetLastError() != ERROR_SERVICE_EXISTS ? service : update(services, command);
}

static DWORD start(SC_HANDLE service)
{
    if (StartServiceW(service, 0, NULL) || GetLastError() == ERROR_SERVICE_ALREADY_RUNNING)
        return ERROR_SUCCESS;
    if (GetLastError() != ERROR_SERVICE_DISABLED)
        return fail("the service is installed, but cannot be started", GetLastError());
    fprintf(stderr, "wnbd-service: note: the service is disabled, and is not started.\n");
    return ERROR_SUCCESS;
}

static DWORD install_in(SC_HANDLE services, const WCHAR *program)
{
    SC_HANDLE service = create(services, program);
    DWORD error;

    if (!service)
        return fail("cannot install the service", GetLastError());
    configure(service);
    error = register_source(program);
    if (error == ERROR_SUCCESS)
        error = start(service);
    CloseServiceHandle(service);
    return error;
}

DWORD install_service(void)
{
    WCHAR program[MAX_PATH];
    DWORD length = GetModuleFileNameW(NULL, program, ARRAYSIZE(program));
    SC_HANDLE services;
    DWORD error;

    if (length == 0 || length >= ARRAYSIZE(program))
        return fail("cannot install the service", ERROR_FILENAME_EXCED_RANGE);
    services = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    if (!services)
        return fail("cannot install the service", GetLastError());
    error = install_in(services, program);
    CloseServiceHandle(services);
    return error;
}

/* ---- Stopping and uninstalling ---- */

/* One that is being started cannot be told to stop yet. */
static DWORD ask_to_stop(SC_HANDLE service)
{
    SERVICE_STATUS status;

    if (ControlService(service, SERVICE_CONTROL_STOP, &status))
        return ERROR_SUCCESS;
    return GetLastError() == ERROR_SERVICE_CANNOT_ACCEPT_CTRL ? ERROR_SUCCESS : GetLastError();
}

static DWORD stop(SC_HANDLE service)
{
    ULONGLONG end_ms = GetTickCount64() + STOP_MS;
    SERVICE_STATUS status;
    DWORD error;

    do {
        error = ask_to_stop(service);
        if (error == ERROR_SERVICE_NOT_ACTIVE)
            return ERROR_SUCCESS;
        if (error != ERROR_SUCCESS)
            return error;
        Sleep(LOOK_EVERY_MS);
        if (!QueryServiceStatus(service, &status))
            return GetLastError();
        if (status.dwCurrentState == SERVICE_STOPPED)
            return ERROR_SUCCESS;
    } while (GetTickCount64() < end_ms);
    return ERROR_SERVICE_REQUEST_TIMEOUT;
}

static DWORD stop_in(SC_HANDLE service)
{
    DWORD error = stop(service);

    return error == ERROR_SUCCESS ? error : fail("cannot stop the service", error);
}

static DWORD remove_in(SC_HANDLE service)
{
    DWORD error = stop_in(service);

    if (error != ERROR_SUCCESS)
        return error;
    if (!DeleteService(service) && GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE)
        return fail("cannot remove the service", GetLastError());
    RegDeleteKeyExW(HKEY_LOCAL_MACHINE, SOURCE_KEY, KEY_WOW64_64KEY, 0);
    return ERROR_SUCCESS;
}

/* Does it to the service, if there is one. */
static DWORD with_service(DWORD access, DWORD (*act)(SC_HANDLE), const char *what)
{
    SC_HANDLE services = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service;
    DWORD error;

    if (!services)
        return fail(what, GetLastError());
    service = OpenServiceW(services, SERVICE_NAME, access);
    if (service) {
        error = act(service);
        CloseServiceHandle(service);
    } else {
        error = GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST ? ERROR_SUCCESS : fail(what, GetLastError());
    }
    CloseServiceHandle(services);
    return error;
}

DWORD uninstall_service(void)
{
    return with_service(SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE, remove_in, "cannot remove the service");
}

DWORD stop_service(void)
{
    return with_service(SERVICE_STOP | SERVICE_QUERY_STATUS, stop_in, "cannot stop the service");
}
