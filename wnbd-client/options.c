/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list-opt, get-opt, set-opt, reset-opt and set-debug. Programs read this output, so its shape is fixed. */
#include "wnbd-client/commands.h"
#include "wnbd-client/options_list.h"
#include "wnbd-client/options_print.h"
#include "wnbd-client/json.h"
#include "wnbd-client/report.h"

#include <stdio.h>
#include <stdlib.h>

#define DEBUG_LEVEL 4

static BOOLEAN is_persistent(const struct arguments *arguments)
{
    return argument_flag(arguments, "persistent");
}

/* ---- Why not ---- */

/* The same code for two reasons: is there such an option at all? */
static bool exists(const char *name)
{
    WNBD_OPTION_VALUE value;

    return WnbdGetDrvOpt(name, &value, FALSE) == ERROR_SUCCESS;
}

static void report_unknown(const char *name)
{
    char meant[GUESS_TEXT_SIZE];

    if (options_suggest(name, meant))
        report_sentence("there is no option '%s'; did you mean %s?", name, meant);
    else
        report_sentence("there is no option '%s'; wnbd-client list-opt shows those there are", name);
}

static int report_option(DWORD error, const char *what, const char *name)
{
    if (error != ERROR_FILE_NOT_FOUND)
        return report_failure(error, "cannot %s the option '%s'", what, name);
    if (exists(name))
        report_sentence("no value is stored for the option '%s'", name);
    else
        report_unknown(name);
    return (int)error;
}

static int report_value(DWORD error, const char *name, const char *value)
{
    if (error != ERROR_INVALID_PARAMETER)
        return report_option(error, "set", name);
    report_sentence("the option '%s' cannot have the value '%s'", name, value);
    return (int)error;
}

/* ---- Commands ---- */

int command_list_opt(const struct arguments *arguments)
{
    PWNBD_OPTION_LIST list;
    bool json;
    int code = json_read_format(arguments, &json);
    DWORD error;

    if (code != ERROR_SUCCESS)
        return code;
    error = options_list(&list, is_persistent(arguments));
    if (error == ERROR_SUCCESS)
        options_print_list(json, list);
    free(list);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_failure(error, "cannot list the options");
}

int command_get_opt(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "name", "");
    WNBD_OPTION_VALUE value;
    bool json;
    int code = json_read_format(arguments, &json);
    DWORD error;

    if (code != ERROR_SUCCESS)
        return code;
    error = WnbdGetDrvOpt(name, &value, is_persistent(arguments));
    if (error != ERROR_SUCCESS)
        return report_option(error, "read", name);
    options_print_one(json, name, &value);
    return ERROR_SUCCESS;
}

/* The driver makes of the text what the option wants. */
int command_set_opt(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "name", "");
    const char *text = argument_text(arguments, "value", "");
    WNBD_OPTION_VALUE value = {.Type = WnbdOptWstr};
    DWORD error;

    if (MultiByteToWideChar(CP_UTF8, 0, text, -1, value.Data.AsWstr, WNBD_MAX_NAME_LENGTH) == 0)
        return report_value(ERROR_INVALID_PARAMETER, name, text);
    error = WnbdSetDrvOpt(name, &value, is_persistent(arguments));
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_value(error, name, text);
}

int command_reset_opt(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "name", "");
    DWORD error = WnbdResetDrvOpt(name, is_persistent(arguments));

    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_option(error, "reset", name);
}

/* WNBD 2020 stored it too. */
int command_set_debug(const struct arguments *arguments)
{
    WNBD_OPTION_VALUE value = {.Type = WnbdOptInt64, .Data.AsInt64 = DEBUG_LEVEL};
    DWORD error;

    if (argument_flag(arguments, "debug-mode"))
        error = WnbdSetDrvOpt("LogLevel", &value, TRUE);
    else
        error = WnbdResetDrvOpt("LogLevel", TRUE);
    if (error == ERROR_FILE_NOT_FOUND) /* nothing was stored: what holds now is left */
        error = WnbdResetDrvOpt("LogLevel", FALSE);
    return error == ERROR_SUCCESS ? ERROR_SUCCESS : report_option(error, "set", "LogLevel");
}
