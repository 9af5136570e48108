/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kernelrun FILE.sys [NAME=NUMBER ...]: loads a driver that is no miniport as the kernel service `kernelrun`, with the
 * numbers in its Parameters key, and unloads it. The driver does its work in DriverEntry; exit code 0 when that
 * succeeded, else 1.
 * kernelrun exit NUMBER: ends with that code.  kernelrun sleep SECONDS: sleeps.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "kernelrun"

static void set_parameter(const char *assignment)
{
    const char *sign = strchr(assignment, '=');
    DWORD value = sign ? (DWORD)strtoul(sign + 1, NULL, 0) : 0;
    char name[64];

    snprintf(name, sizeof(name), "%.*s", sign ? (int)(sign - assignment) : 0, assignment);
    if (RegSetKeyValueA(HKEY_LOCAL_MACHINE, "SYSTEM\\CurrentControlSet\\Services\\" SERVICE "\\Parameters", name,
                        REG_DWORD, &value, sizeof(value))) {
        printf("%s cannot be set\n", name);
    }
}

static SC_HANDLE make_service(const char *file)
{
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    char path[MAX_PATH];

    snprintf(path, sizeof(path), "\\??\\%s", file);
    return CreateServiceA(manager, SERVICE, SERVICE, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                          SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL, NULL, NULL);
}

int main(int argc, char **argv)
{
    SC_HANDLE service;
    SERVICE_STATUS status;

    if (argc == 3 && !strcmp(argv[1], "exit")) {
        return (int)strtoul(argv[2], NULL, 0);
    }
    if (argc == 3 && !strcmp(argv[1], "sleep")) {
        Sleep(1000 * (DWORD)strtoul(argv[2], NULL, 0));
        return 0;
    }
    service = argc > 1 ? make_service(argv[1]) : NULL;
    if (!service) {
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        set_parameter(argv[i]);
    }
    if (!StartServiceA(service, 0, NULL)) {
        printf("the driver did not start (error %lu)\n", GetLastError());
        return 1;
    }
    return ControlService(service, SERVICE_CONTROL_STOP, &status) ? 0 : 1;
}
