/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(int code, const char *format, ...)
{
    va_list list;

    fflush(stdout);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    fflush(stderr);
    exit(code);
}

void arguments_take(struct arguments *arguments, int argc, char **argv)
{
    memset(arguments, 0, sizeof(*arguments));
    if (argc - 1 > ARGUMENTS_MAX)
        die(EXIT_CODE_USE, "more than %d arguments", ARGUMENTS_MAX);
    for (int i = 1; i < argc; i++)
        arguments->words[arguments->count++] = argv[i];
}

void arguments_split(struct arguments *arguments, char *line)
{
    memset(arguments, 0, sizeof(*arguments));
    for (char *word = strtok(line, " \r\n"); word; word = strtok(NULL, " \r\n")) {
        if (arguments->count == ARGUMENTS_MAX)
            die(EXIT_CODE_USE, "more than %d words", ARGUMENTS_MAX);
        arguments->words[arguments->count++] = word;
    }
}

static uint64_t number(const char *text, const char *what)
{
    char *end;
    uint64_t value = strtoull(text, &end, 0);

    if (end == text || *end != '\0' || *text == '-')
        die(EXIT_CODE_USE, "%s: '%s' is not a number", what, text);
    return value;
}

const char *arguments_word(struct arguments *arguments, const char *what)
{
    for (int i = 0; i < arguments->count; i++) {
        if (arguments->used[i])
            continue;
        if (strncmp(arguments->words[i], "--", 2) == 0)
            die(EXIT_CODE_USE, "unknown option %s", arguments->words[i]);
        arguments->used[i] = true;
        return arguments->words[i];
    }
    die(EXIT_CODE_USE, "%s is missing", what);
}

uint64_t arguments_word_number(struct arguments *arguments, const char *what)
{
    return number(arguments_word(arguments, what), what);
}

static int find(struct arguments *arguments, const char *option)
{
    for (int i = 0; i < arguments->count; i++) {
        if (!arguments->used[i] && strcmp(arguments->words[i], option) == 0) {
            arguments->used[i] = true;
            return i;
        }
    }
    return -1;
}

const char *arguments_text(struct arguments *arguments, const char *option, const char *otherwise)
{
    int i = find(arguments, option);

    if (i < 0)
        return otherwise;
    if (i + 1 == arguments->count)
        die(EXIT_CODE_USE, "%s needs a value", option);
    arguments->used[i + 1] = true;
    return arguments->words[i + 1];
}

uint64_t arguments_number(struct arguments *arguments, const char *option, uint64_t otherwise)
{
    const char *text = arguments_text(arguments, option, NULL);

    return text ? number(text, option) : otherwise;
}

bool arguments_flag(struct arguments *arguments, const char *option)
{
    return find(arguments, option) >= 0;
}

void arguments_check_all_used(const struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++) {
        if (!arguments->used[i])
            die(EXIT_CODE_USE, "'%s' means nothing here", arguments->words[i]);
    }
}
