/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The low-level functions, as another process than the disk's may call them, and functions called wrongly. */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static DWORD ping(HANDLE adapter, struct arguments *arguments)
{
    (void)arguments;
    return WnbdIoctlPing(adapter, NULL);
}

static DWORD reload(HANDLE adapter, struct arguments *arguments)
{
    (void)arguments;
    return WnbdIoctlReloadConfig(adapter, NULL);
}

/* create NAME BLOCKS BLOCK-SIZE: without anybody who serves it, and gone with the handle. */
static DWORD create(HANDLE adapter, struct arguments *arguments)
{
    WNBD_PROPERTIES properties = {0};
    WNBD_CONNECTION_INFO info;
    const char *name = name_of(arguments);

    if (name)
        strncpy(properties.InstanceName, name, sizeof(properties.InstanceName));
    properties.BlockCount = arguments_word_number(arguments, "the blocks");
    properties.BlockSize = (UINT32)arguments_word_number(arguments, "the block size");
    return WnbdIoctlCreate(adapter, &properties, &info, NULL);
}

/* create-many PREFIX COUNT: one after the other, all gone with the handle; how many there were before one failed. */
static DWORD create_many(HANDLE adapter, struct arguments *arguments)
{
    WNBD_PROPERTIES properties = {.BlockCount = 2048, .BlockSize = 512};
    WNBD_CONNECTION_INFO info;
    const char *prefix = arguments_word(arguments, "the prefix");
    DWORD count = (DWORD)arguments_word_number(arguments, "how many");
    DWORD error = ERROR_SUCCESS;
    DWORD made;

    for (made = 0; made < count && error == ERROR_SUCCESS; made += error == ERROR_SUCCESS) {
        snprintf(properties.InstanceName, sizeof(properties.InstanceName), "%s%lu", prefix, made);
        error = WnbdIoctlCreate(adapter, &properties, &info, NULL);
    }
    printf("made: %lu\n", made);
    return error;
}

static DWORD remove_at_once(HANDLE adapter, struct arguments *arguments)
{
    return WnbdIoctlRemove(adapter, name_of(arguments), NULL, NULL);
}

static DWORD show(HANDLE adapter, struct arguments *arguments)
{
    WNBD_CONNECTION_INFO info;

    return WnbdIoctlShow(adapter, name_of(arguments), &info, NULL);
}

static DWORD stats(HANDLE adapter, struct arguments *arguments)
{
    WNBD_DRV_STATS stats;

    return WnbdIoctlStats(adapter, name_of(arguments), &stats, NULL);
}

/* fetch ID [--size BYTES] [--null] */
static DWORD fetch(HANDLE adapter, struct arguments *arguments)
{
    DWORD size = (DWORD)arguments_number(arguments, "--size", WNBD_DEFAULT_MAX_TRANSFER_LENGTH);
    void *buffer = arguments_flag(arguments, "--null") ? NULL : malloc(size);
    WNBD_IO_REQUEST request = {0};
    DWORD error =
        WnbdIoctlFetchRequest(adapter, arguments_word_number(arguments, "the disk's id"), &request, buffer, size, NULL);

    printf("type: %s\n", WnbdRequestTypeToStr(request.RequestType));
    free(buffer);
    return error;
}

/* send ID HANDLE [--size BYTES]: of no data, if a size is given. */
static DWORD send(HANDLE adapter, struct arguments *arguments)
{
    DWORD size = (DWORD)arguments_number(arguments, "--size", 0);
    WNBD_CONNECTION_ID id = arguments_word_number(arguments, "the disk's id");
    WNBD_IO_RESPONSE response = {.RequestHandle = strtoull(arguments_word(arguments, "the handle"), NULL, 16),
                                 .RequestType = WnbdReqTypeWrite};

    return WnbdIoctlSendResponse(adapter, id, &response, NULL, size, NULL);
}

static DWORD set_size(HANDLE adapter, struct arguments *arguments)
{
    WNBD_CONNECTION_ID id = arguments_word_number(arguments, "the disk's id");

    return WnbdIoctlSetDiskSize(adapter, id, arguments_word_number(arguments, "the blocks"), NULL);
}

static DWORD remove_all(HANDLE adapter, struct arguments *arguments)
{
    (void)arguments;
    return WnbdRemoveAllDisks(adapter);
}

#define ADAPTER_ORDER(function)                                                                                        \
    static DWORD order_##function(struct arguments *arguments)                                                         \
    {                                                                                                                  \
        return with_adapter(function, arguments);                                                                      \
    }
ADAPTER_ORDER(ping)
ADAPTER_ORDER(reload)
ADAPTER_ORDER(create)
ADAPTER_ORDER(create_many)
ADAPTER_ORDER(remove_at_once)
ADAPTER_ORDER(show)
ADAPTER_ORDER(stats)
ADAPTER_ORDER(fetch)
ADAPTER_ORDER(send)
ADAPTER_ORDER(set_size)
ADAPTER_ORDER(remove_all)

static DWORD attach(struct arguments *arguments)
{
    PWNBD_DISK disk;
    DWORD error = WnbdAttach(name_of(arguments), NULL, NULL, &disk);

    if (error == ERROR_SUCCESS)
        WnbdClose(disk);
    return error;
}

/* kill PID, and wait until it is dead. */
static DWORD kill(struct arguments *arguments)
{
    HANDLE process =
        OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, (DWORD)arguments_word_number(arguments, "the process"));
    DWORD error = ERROR_SUCCESS;

    if (!process)
        return GetLastError();
    if (!TerminateProcess(process, 77) || WaitForSingleObject(process, 30000) != WAIT_OBJECT_0)
        error = ERROR_TIMEOUT;
    CloseHandle(process);
    return error;
}

/* What is given nothing where something is needed. */
static DWORD nothing(struct arguments *arguments)
{
    WNBD_PROPERTIES properties = {0};
    WNBD_IO_RESPONSE response = {0};
    PVOID context;

    (void)arguments;
    printf("WnbdCreate: %lu\n", WnbdCreate(&properties, NULL, NULL, NULL));
    printf("WnbdRemove: %lu\n", WnbdRemove(NULL, NULL));
    printf("WnbdRemoveEx: %lu\n", WnbdRemoveEx(NULL, NULL));
    printf("WnbdSetDiskSize: %lu\n", WnbdSetDiskSize(NULL, 1));
    printf("WnbdPollDiskNumber: %lu\n", WnbdPollDiskNumber("x", TRUE, TRUE, 0, 0, NULL));
    printf("WnbdList: %lu\n", WnbdList(NULL, NULL));
    printf("WnbdShow: %lu\n", WnbdShow("x", NULL));
    printf("WnbdGetUserspaceStats: %lu\n", WnbdGetUserspaceStats(NULL, NULL));
    printf("WnbdGetUserContext: %lu\n", WnbdGetUserContext(NULL, &context));
    printf("WnbdGetDriverStats: %lu\n", WnbdGetDriverStats("x", NULL));
    printf("WnbdGetConnectionInfo: %lu\n", WnbdGetConnectionInfo(NULL, NULL));
    printf("WnbdGetLibVersion: %lu\n", WnbdGetLibVersion(NULL));
    printf("WnbdStartDispatcher: %lu\n", WnbdStartDispatcher(NULL, 1));
    printf("WnbdStopDispatcher: %lu\n", WnbdStopDispatcher(NULL, NULL));
    printf("WnbdWaitDispatcher: %lu\n", WnbdWaitDispatcher(NULL));
    printf("WnbdSendResponse: %lu\n", WnbdSendResponse(NULL, &response, NULL, 0));
    printf("WnbdGetDrvOpt: %lu\n", WnbdGetDrvOpt("LogLevel", NULL, FALSE));
    printf("WnbdSetDrvOpt: %lu\n", WnbdSetDrvOpt("LogLevel", NULL, FALSE));
    printf("WnbdListDrvOpt: %lu\n", WnbdListDrvOpt(NULL, NULL, FALSE));
    WnbdClose(NULL);
    return ERROR_SUCCESS;
}

const struct order handle_orders[] = {
    {"ping", order_ping},
    {"reload", order_reload},
    {"create", order_create},
    {"create-many", order_create_many},
    {"ioctl-remove", order_remove_at_once},
    {"ioctl-show", order_show},
    {"ioctl-stats", order_stats},
    {"fetch", order_fetch},
    {"send", order_send},
    {"set-size", order_set_size},
    {"remove-all", order_remove_all},
    {"attach", attach},
    {"kill", kill},
    {"nothing", nothing},
    {NULL, NULL},
};
