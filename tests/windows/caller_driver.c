/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver: its version, options and adapter. */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static DWORD version(struct arguments *arguments)
{
    WNBD_VERSION version;
    DWORD error = WnbdGetDriverVersion(arguments_flag(arguments, "--null") ? NULL : &version);

    if (error == ERROR_SUCCESS)
        printf("version: %s\n", version.Description);
    return error;
}

static DWORD open_adapter(struct arguments *arguments)
{
    HANDLE adapter;
    DWORD error = WnbdOpenAdapter(&adapter);

    (void)arguments;
    if (error == ERROR_SUCCESS)
        CloseHandle(adapter);
    return error;
}

static DWORD find_adapter(struct arguments *arguments)
{
    DEVINST node = 0;
    DWORD error = WnbdGetAdapterDevInst(&node);

    (void)arguments;
    if (error == ERROR_SUCCESS)
        printf("found: %d\n", node != 0);
    return error;
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

/* As programs of 2020 do it. */
static DWORD find_adapter_as_before(struct arguments *arguments)
{
    DEVINST node = 0;
    DEVINST again = 0;
    HANDLE adapter;
    DWORD error = WnbdOpenAdapterEx(&adapter, &node);

    (void)arguments;
    if (error != ERROR_SUCCESS)
        return error;
    CloseHandle(adapter);
    error = WnbdOpenAdapterCMDeviceInstance(&again);
    if (error == ERROR_SUCCESS)
        printf("found: %d\n", node != 0 && again != 0);
    return error;
}

static DWORD raise_log_level(struct arguments *arguments)
{
    return WnbdRaiseDrvLogLevel((USHORT)arguments_number(arguments, "--level", 1));
}

#pragma clang diagnostic pop

static void print_value(const char *name, const WNBD_OPTION_VALUE *value)
{
    switch (value->Type) {
    case WnbdOptUnknown:
        printf("%s: unknown\n", name);
        return;
    case WnbdOptBool:
        printf("%s: bool %s\n", name, value->Data.AsBool ? "true" : "false");
        return;
    case WnbdOptInt64:
        printf("%s: int64 %lld\n", name, (long long)value->Data.AsInt64);
        return;
    case WnbdOptWstr:
        printf("%s: text %ls\n", name, value->Data.AsWstr);
        return;
    }
}

/* A number, true or false, or text that the driver is to convert. */
static void take_value(const char *text, PWNBD_OPTION_VALUE value)
{
    char *end;

    value->Data.AsInt64 = strtoll(text, &end, 0);
    value->Type = WnbdOptInt64;
    if (*end == '\0')
        return;
    value->Type = WnbdOptBool;
    value->Data.AsBool = strcmp(text, "true") == 0;
    if (value->Data.AsBool || strcmp(text, "false") == 0)
        return;
    value->Type = WnbdOptWstr;
    MultiByteToWideChar(CP_UTF8, 0, text, -1, value->Data.AsWstr, WNBD_MAX_NAME_LENGTH);
}

static BOOLEAN is_stored(struct arguments *arguments)
{
    return arguments_flag(arguments, "--stored");
}

static DWORD get_option(struct arguments *arguments)
{
    BOOLEAN stored = is_stored(arguments);
    WNBD_OPTION_VALUE value;
    DWORD error = WnbdGetDrvOpt(name_of(arguments), &value, stored);

    if (error == ERROR_SUCCESS)
        print_value("value", &value);
    return error;
}

static DWORD set_option(struct arguments *arguments)
{
    BOOLEAN stored = is_stored(arguments);
    const char *name = name_of(arguments);
    WNBD_OPTION_VALUE value = {0};

    take_value(arguments_word(arguments, "the value"), &value);
    return WnbdSetDrvOpt(name, &value, stored);
}

static DWORD reset_option(struct arguments *arguments)
{
    BOOLEAN stored = is_stored(arguments);

    return WnbdResetDrvOpt(name_of(arguments), stored);
}

static void print_options(const WNBD_OPTION_LIST *list)
{
    for (UINT32 i = 0; i < list->Count; i++) {
        char name[WNBD_MAX_OPT_NAME_LENGTH + 16];

        snprintf(name, sizeof(name), "%ls", list->Options[i].Name);
        print_value(name, &list->Options[i].Value);
        strcat(name, ".default");
        print_value(name, &list->Options[i].Default);
    }
}

/* Steps of the caller's loop: nothing, one byte, enough. */
static DWORD list_options(struct arguments *arguments)
{
    BOOLEAN stored = is_stored(arguments);
    PWNBD_OPTION_LIST list;
    DWORD needed = 0;
    DWORD error = WnbdListDrvOpt(NULL, &needed, stored);
    DWORD small = 1;
    DWORD used = needed;

    list = calloc(1, needed + sizeof(*list));
    if (error == ERROR_SUCCESS)
        error = WnbdListDrvOpt(list, &small, stored);
    if (error == ERROR_SUCCESS)
        error = WnbdListDrvOpt(list, &used, stored);
    printf("needed: %lu\ntoo_small: %lu\nused: %lu\nelement: %u\ncount: %u\n", needed, small, used, list->ElementSize,
           list->Count);
    if (error == ERROR_SUCCESS)
        print_options(list);
    free(list);
    return error;
}

/* reset-adapter [TIMEOUT INTERVAL] */
static DWORD reset_adapter(struct arguments *arguments)
{
    DWORD timeout_ms = (DWORD)arguments_number(arguments, "--timeout", 0);

    if (timeout_ms == 0)
        return WnbdResetAdapter();
    return WnbdResetAdapterEx(timeout_ms, (DWORD)arguments_number(arguments, "--interval", 500));
}

/* install FILE */
static DWORD install(struct arguments *arguments)
{
    BOOL reboot = FALSE;

    return WnbdInstallDriver(name_of(arguments), &reboot);
}

static DWORD uninstall(struct arguments *arguments)
{
    BOOL reboot = FALSE;

    (void)arguments;
    return WnbdUninstallDriver(&reboot);
}

const struct order driver_orders[] = {
    {"version", version},
    {"open-adapter", open_adapter},
    {"find-adapter", find_adapter},
    {"find-adapter-as-before", find_adapter_as_before},
    {"raise-log-level", raise_log_level},
    {"get-opt", get_option},
    {"set-opt", set_option},
    {"reset-opt", reset_option},
    {"list-opt", list_options},
    {"reset-adapter", reset_adapter},
    {"install", install},
    {"uninstall", uninstall},
    {NULL, NULL},
};
