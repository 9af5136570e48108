/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wnbd-service: maps the recorded disks when the machine starts. */
#include "wnbd-service/install.h"
#include "wnbd-service/service.h"
#include "wnbd-service/words.h"

#include <winsock2.h>

#include <stdio.h>
#include <wchar.h>

static const char usage[] = "Usage: wnbd-service install | uninstall | stop | run\n\n"
                            "  install     Install this program as a service, or set its path anew, and start it.\n"
                            "  uninstall   Stop the service and remove it. The records stay.\n"
                            "  stop        Stop the service. It stays installed.\n"
                            "  run         Do the service's work here, until Ctrl-C; what it logs is printed.\n";

static DWORD fail(const char *what, DWORD error)
{
    char words[WORDS_SIZE];

    words_of_error(error, words);
    fprintf(stderr, "wnbd-service: %s: %s.\n", what, words);
    return error;
}

/* For disks that this process serves. */
static DWORD start_sockets(void)
{
    WSADATA data;

    return (DWORD)WSAStartup(MAKEWORD(2, 2), &data);
}

static DWORD run_here(void)
{
    DWORD error = start_sockets();

    if (error == ERROR_SUCCESS)
        error = service_serve_in_foreground();
    return error == ERROR_SUCCESS ? error : fail("cannot run", error);
}

static DWORD run_as_service(void)
{
    DWORD error = start_sockets();

    if (error == ERROR_SUCCESS)
        error = service_serve();
    if (error == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
        fputs(usage, stdout);
        return ERROR_SUCCESS;
    }
    return error == ERROR_SUCCESS ? error : fail("cannot run as a service", error);
}

int wmain(int count, WCHAR **words)
{
    SetConsoleOutputCP(CP_UTF8);
    if (count == 1)
        return (int)run_as_service();
    if (count == 2 && wcscmp(words[1], L"install") == 0)
        return (int)install_service();
    if (count == 2 && wcscmp(words[1], L"uninstall") == 0)
        return (int)uninstall_service();
    if (count == 2 && wcscmp(words[1], L"stop") == 0)
        return (int)stop_service();
    if (count == 2 && wcscmp(words[1], L"run") == 0)
        return (int)run_here();
    fprintf(stderr, "wnbd-service: 'install', 'uninstall', 'stop' or 'run' is expected, and nothing behind it.\n");
    return ERROR_INVALID_PARAMETER;
}
