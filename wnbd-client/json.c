/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/json.h"

#include "wnbd-client/report.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

int json_read_format(const struct arguments *arguments, bool *json)
{
    const char *format = argument_text(arguments, "format", "text");

    *json = strcmp(format, "json") == 0;
    if (*json || strcmp(format, "text") == 0)
        return ERROR_SUCCESS;
    return report_misuse("format is '%s', but must be text or json", format);
}

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

void json_print_bytes(const char *bytes, size_t length)
{
    putchar('"');
    for (size_t at = 0; at < length;)
        at += print_character((const uint8_t *)bytes + at, length - at);
    putchar('"');
}

void json_print_text(const char *text)
{
    json_print_bytes(text, strlen(text));
}
