/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/json.h"

#include "wnbd-client/report.h"

#include "core/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8

static bool has_values[DEPTH_MAX]; /* of the objects and arrays that are open */
static size_t depth;

int json_read_format(const struct arguments *arguments, bool *json)
{
    const char *format = argument_text(arguments, "format", "text");

    *json = strcmp(format, "json") == 0;
    if (*json || strcmp(format, "text") == 0)
        return ERROR_SUCCESS;
    return report_misuse("format is '%s', but must be text or json", format);
}

/* ---- Strings ---- */

/* One character of a string. Answers its length. */
static size_t print_character(const uint8_t *bytes, size_t length)
{
    uint32_t character = 0;
    size_t count = text_utf8_character(bytes, length, &character);

    if (count == 0) {
        printf("\\ufffd");
        return 1;
    }
    if (character < 0x20)
        printf("\\u%04x", (unsigned)character);
    else if (character == '"' || character == '\\')
        printf("\\%c", (int)character);
    else
        fwrite(bytes, 1, count, stdout);
    return count;
}

static void print_string(const char *bytes, size_t length)
{
    putchar('"');
    for (size_t at = 0; at < length;)
        at += print_character((const uint8_t *)bytes + at, length - at);
    putchar('"');
}

/* ---- Values ---- */

/* What stands before a value. The elements of the outermost array have a line each. */
static void begin_value(const char *name)
{
    if (depth == 0)
        return;
    if (has_values[depth - 1])
        fputs(depth == 1 && !name ? "," : ", ", stdout);
    if (depth == 1 && !name)
        fputs("\n  ", stdout);
    has_values[depth - 1] = true;
    if (name) {
        print_string(name, strlen(name));
        fputs(": ", stdout);
    }
}

static void begin(const char *name, char bracket)
{
    begin_value(name);
    putchar(bracket);
    assert(depth < DEPTH_MAX);
    has_values[depth++] = false;
}

static void end(const char *bracket)
{
    depth--;
    if (depth == 0 && *bracket == ']' && has_values[0])
        putchar('\n');
    fputs(bracket, stdout);
    if (depth == 0)
        putchar('\n');
}

void json_begin_object(const char *name)
{
    begin(name, '{');
}

void json_end_object(void)
{
    end("}");
}

void json_begin_array(const char *name)
{
    begin(name, '[');
}

void json_end_array(void)
{
    end("]");
}

void json_bytes(const char *name, const char *bytes, size_t length)
{
    begin_value(name);
    print_string(bytes, length);
}

void json_text(const char *name, const char *text)
{
    json_bytes(name, text, strlen(text));
}

void json_number(const char *name, int64_t number)
{
    begin_value(name);
    printf("%lld", (long long)number);
}

void json_unsigned(const char *name, uint64_t number)
{
    begin_value(name);
    printf("%llu", (unsigned long long)number);
}

void json_boolean(const char *name, bool value)
{
    begin_value(name);
    fputs(value ? "true" : "false", stdout);
}

void json_null(const char *name)
{
    begin_value(name);
    fputs("null", stdout);
}

void json_known(const char *name, int64_t number)
{
    if (number >= 0)
        json_number(name, number);
    else
        json_null(name);
}
