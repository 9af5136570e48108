/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * consumer --name NAME [options]: makes a disk in memory, or takes over one (--attach), and serves it until it is told
 * to stop on stdin (consumer_orders.c) or the disk is gone. Lines: `created ID`, `started`, `ended ERROR`, `closed`;
 * `failed WHAT ERROR`; `early ...` with --early; with --log one for each callback (consumer_callbacks.c).
 */
#include "consumer.h"

#include "arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct consumer consumer;

void say(const char *format, ...)
{
    char text[4608];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    printf("%s\n", text);
    fflush(stdout);
}

static VOID tell_log(WnbdLogLevel level, const char *message, const char *file, UINT32 line, const char *function)
{
    (void)file, (void)line, (void)function;
    say("log %s %u %s", WnbdLogLevelToStr(level), WnbdGetLogMessageId(), message);
}

static void take_flags(struct arguments *arguments, PWNBD_FLAGS flags)
{
    flags->ReadOnly = arguments_flag(arguments, "--read-only");
    flags->FlushSupported = arguments_flag(arguments, "--flush");
    flags->FUASupported = arguments_flag(arguments, "--fua");
    flags->UnmapSupported = !arguments_flag(arguments, "--no-unmap");
    flags->PersistResSupported = arguments_flag(arguments, "--reservations");
    flags->KeepDisk = arguments_flag(arguments, "--keep");
    flags->LargeBlocksAllowed = arguments_flag(arguments, "--large-blocks");
}

static void take_naa(const char *digits, PWNBD_PROPERTIES properties)
{
    unsigned byte;

    if (!digits)
        return;
    properties->Flags.NaaIdSpecified = 1;
    for (int i = 0; i < WNBD_NAA_ID_LENGTH && sscanf(digits + 2 * i, "%2x", &byte) == 1; i++)
        properties->NaaIdentifier.data[i] = (BYTE)byte;
}

static void take_properties(struct arguments *arguments, PWNBD_PROPERTIES properties)
{
    take_flags(arguments, &properties->Flags);
    take_naa(arguments_text(arguments, "--naa", NULL), properties);
    strncpy(properties->SerialNumber, arguments_text(arguments, "--serial", ""), sizeof(properties->SerialNumber) - 1);
    strncpy(properties->Owner, arguments_text(arguments, "--owner", "WnbdTests"), sizeof(properties->Owner) - 1);
    properties->BlockCount = arguments_number(arguments, "--blocks", 1u << 20);
    properties->BlockSize = (UINT32)arguments_number(arguments, "--block-size", 512);
    properties->MaxUnmapDescCount = (UINT32)arguments_number(arguments, "--unmap-descriptors", 1);
    properties->QueueDepth = (UINT32)arguments_number(arguments, "--queue-depth", 0);
    properties->ArenaSize = (UINT32)arguments_number(arguments, "--arena", 0);
}

static DWORD WINAPI order_main(void *parameter)
{
    orders_follow(parameter);
    return 0;
}

static void fail(const char *what, DWORD error)
{
    say("failed %s %lu", what, error);
    exit(1);
}

/* A callback that the program does not have. */
static void take_away(PWNBD_INTERFACE interface_of_disk, WnbdRequestType type)
{
    if (type == WnbdReqTypeFlush)
        interface_of_disk->Flush = NULL;
    else if (type == WnbdReqTypeUnmap)
        interface_of_disk->Unmap = NULL;
}

static void make_disk(PWNBD_PROPERTIES properties, BOOL attach, WnbdRequestType lacks)
{
    WNBD_INTERFACE *interface_of_disk = malloc(sizeof(*interface_of_disk));
    DWORD error;

    *interface_of_disk = callbacks;
    take_away(interface_of_disk, lacks);
    if (attach)
        error = WnbdAttach(properties->InstanceName, interface_of_disk, &consumer, &consumer.disk);
    else
        error = WnbdCreate(properties, interface_of_disk, &consumer, &consumer.disk);
    if (error != ERROR_SUCCESS)
        fail("create", error);
    consumer.keeper = threads_find_other();
    say("created %llu", (unsigned long long)consumer.disk->ConnectionInfo.ConnectionId);
    consumer.store = store_new(consumer.disk->Properties.BlockCount * consumer.disk->Properties.BlockSize);
}

/* Functions for which a dispatcher must run. */
static void call_early(void)
{
    WNBD_IO_RESPONSE response = {.RequestHandle = 1, .RequestType = WnbdReqTypeRead};

    say("early %lu %lu %lu", WnbdWaitDispatcher(consumer.disk), WnbdSendResponse(consumer.disk, &response, NULL, 0),
        WnbdSendResponseEx(consumer.disk, &response, NULL, 0, NULL));
}

static DWORD serve_with_dispatcher(DWORD threads, BOOL early, BOOL wait)
{
    DWORD error;

    if (early)
        call_early();
    error = WnbdStartDispatcher(consumer.disk, threads);
    if (error != ERROR_SUCCESS)
        fail("start", error);
    say("started");
    return wait ? WnbdWaitDispatcher(consumer.disk) : ERROR_SUCCESS;
}

static DWORD serve(struct arguments *arguments)
{
    DWORD threads = (DWORD)arguments_number(arguments, "--threads", 2);
    BOOL singly = arguments_flag(arguments, "--singly");
    BOOL early = arguments_flag(arguments, "--early");
    BOOL wait = !arguments_flag(arguments, "--no-wait"); /* for `close`, while it serves */
    HANDLE orders;
    DWORD error = ERROR_SUCCESS;

    arguments_check_all_used(arguments);
    answers_start(&consumer);
    orders = CreateThread(NULL, 0, order_main, &consumer, 0, NULL);
    if (singly)
        serve_singly(&consumer);
    else
        error = serve_with_dispatcher(threads, early, wait);
    /* An order that is being followed uses the disk: the test ends the orders, and may ask for counters until then. */
    say("ended %lu", error);
    WaitForSingleObject(orders, INFINITE);
    CloseHandle(orders);
    return error;
}

int main(int argc, char **argv)
{
    WNBD_PROPERTIES properties = {0};
    struct arguments arguments;
    WnbdRequestType lacks;
    DWORD error;
    BOOL attach;

    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    WnbdSetLogger(tell_log);
    arguments_take(&arguments, argc, argv);
    manner_take(&arguments, &consumer.manner);
    consumer.room = (uint32_t)arguments_number(&arguments, "--room", WNBD_DEFAULT_MAX_TRANSFER_LENGTH);
    consumer.manner.answer_threads = (uint32_t)arguments_number(&arguments, "--answer-threads", 0);
    consumer.synchronous = arguments_flag(&arguments, "--synchronous");
    take_properties(&arguments, &properties);
    attach = arguments_flag(&arguments, "--attach");
    lacks = type_named(arguments_text(&arguments, "--lacks", ""));
    consumer.generation = 0x0F0F0F0F;
    strncpy(properties.InstanceName, arguments_text(&arguments, "--name", ""), sizeof(properties.InstanceName) - 1);
    make_disk(&properties, attach, lacks);
    error = serve(&arguments);
    WnbdClose(consumer.disk);
    say("closed");
    return error == ERROR_SUCCESS ? 0 : 1;
}
