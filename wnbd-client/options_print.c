/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/options_print.h"

#include "wnbd-client/json.h"
#include "wnbd-client/narrow.h"

#include <stdio.h>
#include <string.h>

static const char *name_of(const WNBD_OPTION *option, char text[NARROW_SIZE])
{
    return narrow(option->Name, WNBD_MAX_OPT_NAME_LENGTH, text);
}

/* ---- As text ---- */

static void print_value(const WNBD_OPTION_VALUE *value)
{
    char text[NARROW_SIZE];

    switch (value->Type) {
    case WnbdOptBool:
        fputs(value->Data.AsBool ? "true" : "false", stdout);
        break;
    case WnbdOptInt64:
        printf("%lld", (long long)value->Data.AsInt64);
        break;
    case WnbdOptWstr:
        fputs(narrow(value->Data.AsWstr, WNBD_MAX_NAME_LENGTH, text), stdout);
        break;
    case WnbdOptUnknown:
        break;
    }
}

static int longest_name(const WNBD_OPTION_LIST *list)
{
    char text[NARROW_SIZE];
    size_t longest = 0;

    for (UINT32 i = 0; i < list->Count; i++) {
        size_t length = strlen(name_of(&list->Options[i], text));

        longest = length > longest ? length : longest;
    }
    return (int)longest;
}

static void print_lines(const WNBD_OPTION_LIST *list)
{
    int width = longest_name(list);
    char text[NARROW_SIZE];

    for (UINT32 i = 0; i < list->Count; i++) {
        printf("%-*s : ", width, name_of(&list->Options[i], text));
        print_value(&list->Options[i].Value);
        fputs(" (Default: ", stdout);
        print_value(&list->Options[i].Default);
        fputs(")\n", stdout);
    }
}

/* ---- As JSON ---- */

static const char *type_word(WnbdOptValType type)
{
    switch (type) {
    case WnbdOptBool:
        return "bool";
    case WnbdOptInt64:
        return "int64";
    case WnbdOptWstr:
        return "text";
    case WnbdOptUnknown:
        break;
    }
    return "unknown";
}

static void print_json_value(const char *member, const WNBD_OPTION_VALUE *value)
{
    char text[NARROW_SIZE];

    switch (value->Type) {
    case WnbdOptBool:
        json_boolean(member, value->Data.AsBool);
        break;
    case WnbdOptInt64:
        json_number(member, value->Data.AsInt64);
        break;
    case WnbdOptWstr:
        json_text(member, narrow(value->Data.AsWstr, WNBD_MAX_NAME_LENGTH, text));
        break;
    case WnbdOptUnknown:
        json_null(member);
        break;
    }
}

static void print_json(const char *name, const WNBD_OPTION_VALUE *value, const WNBD_OPTION_VALUE *initial)
{
    json_begin_object(NULL);
    json_text("name", name);
    json_text("type", type_word(value->Type));
    print_json_value("value", value);
    if (initial)
        print_json_value("default", initial);
    json_end_object();
}

static void print_json_list(const WNBD_OPTION_LIST *list)
{
    char text[NARROW_SIZE];

    json_begin_array(NULL);
    for (UINT32 i = 0; i < list->Count; i++) {
        const WNBD_OPTION *option = &list->Options[i];

        print_json(name_of(option, text), &option->Value, &option->Default);
    }
    json_end_array();
}

/* ---- Either ---- */

void options_print_list(bool json, const WNBD_OPTION_LIST *list)
{
    (json ? print_json_list : print_lines)(list);
}

void options_print_one(bool json, const char *name, const WNBD_OPTION_VALUE *value)
{
    if (json) {
        print_json(name, value, NULL);
        return;
    }
    printf("Name: %s\nValue: ", name);
    print_value(value);
    fputs("\n", stdout);
}
