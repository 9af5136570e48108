/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <winsock2.h>

#include "caller.h"

#include "commands.h"
#include "faults.h"

#include <stdio.h>
#include <string.h>

static char long_name[WNBD_MAX_NAME_LENGTH + 1];

static VOID tell_log(WnbdLogLevel level, const char *message, const char *file, UINT32 line, const char *function)
{
    (void)file, (void)line, (void)function;
    printf("log: %s %u %s\n", WnbdLogLevelToStr(level), WnbdGetLogMessageId(), message);
}

DWORD with_adapter(adapter_function *function, struct arguments *arguments)
{
    HANDLE adapter;
    DWORD error = WnbdOpenAdapter(&adapter);

    if (error != ERROR_SUCCESS) {
        printf("adapter: %lu\n", error);
        return error;
    }
    error = function(adapter, arguments);
    CloseHandle(adapter);
    return error;
}

const char *name_of(struct arguments *arguments)
{
    const char *name = arguments_word(arguments, "the name");

    if (strcmp(name, "null") == 0)
        return NULL;
    if (strcmp(name, "empty") == 0)
        return "";
    return strcmp(name, "long") == 0 ? long_name : name;
}

/* The commands of diskio: disk COMMAND ... */
static DWORD disk(struct arguments *arguments)
{
    return (DWORD)disk_run(arguments);
}

/* log-level NUMBER */
static DWORD log_level(struct arguments *arguments)
{
    WnbdSetLogLevel((WnbdLogLevel)arguments_word_number(arguments, "the level"));
    return ERROR_SUCCESS;
}

/* The id of a message where there is none. */
static DWORD message_id(struct arguments *arguments)
{
    (void)arguments;
    return WnbdGetLogMessageId();
}

static const struct order own_orders[] = {
    {"disk", disk},
    {"log-level", log_level},
    {"message-id", message_id},
    {"let-fail", fault_let_fail},
    {"heal", fault_heal},
    {NULL, NULL},
};

static const struct order *find(const char *name)
{
    const struct order *lists[] = {own_orders,    disk_orders,     driver_orders,
                                   handle_orders, own_disk_orders, daemon_orders};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const struct order *order = lists[i]; order->name; order++) {
            if (strcmp(order->name, name) == 0)
                return order;
        }
    }
    die(EXIT_CODE_USE, "no order '%s'", name);
}

static void follow(struct arguments *arguments)
{
    const struct order *order = find(arguments_word(arguments, "the order"));

    printf("= %lu\n", order->run(arguments));
    fflush(stdout);
}

int main(void)
{
    struct arguments arguments;
    char line[4096];
    WSADATA sockets; /* for the NBD client: its caller's task */

    if (WSAStartup(MAKEWORD(2, 2), &sockets) != 0)
        die(EXIT_CODE_FAIL, "no sockets");
    memset(long_name, 'n', sizeof(long_name) - 1);
    WnbdSetLogger(tell_log);
    while (fgets(line, sizeof(line), stdin)) {
        arguments_split(&arguments, line);
        if (arguments.count != 0)
            follow(&arguments);
    }
    return 0;
}
