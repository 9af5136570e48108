/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/help.h"

#include <string.h>

#define LINE_WIDTH   80
#define ENTRY_INDENT 2
#define TEXT_COLUMN  36

struct wrap {
    FILE *file;
    size_t column; /* where the next character goes */
    size_t indent; /* of the lines after the first */
    bool is_begun; /* something stands before on this line, to be parted by a space */
};

static void wrap_newline(struct wrap *wrap)
{
    fprintf(wrap->file, "\n%*s", (int)wrap->indent, "");
    wrap->column = wrap->indent;
    wrap->is_begun = false;
}

/* Prints a piece that is not broken, after a space or on a new line. */
static void wrap_piece(struct wrap *wrap, const char *piece, size_t length)
{
    if (wrap->is_begun && wrap->column + 1 + length > LINE_WIDTH)
        wrap_newline(wrap);
    if (wrap->is_begun) {
        fputc(' ', wrap->file);
        wrap->column++;
    }
    fwrite(piece, 1, length, wrap->file);
    wrap->column += length;
    wrap->is_begun = true;
}

static void wrap_text(struct wrap *wrap, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, " ");

        wrap_piece(wrap, text, length);
        text += length;
        text += strspn(text, " ");
    }
}

/* An entry of a list: a name, and its explanation in a column of its own. */
static void print_entry(FILE *file, const char *name, const char *text, const char *default_text)
{
    struct wrap wrap = {file, TEXT_COLUMN, TEXT_COLUMN, false};
    char note[64];

    fprintf(file, "%*s%-*s", ENTRY_INDENT, "", TEXT_COLUMN - ENTRY_INDENT, name);
    if (ENTRY_INDENT + strlen(name) >= TEXT_COLUMN)
        wrap_newline(&wrap);
    wrap_text(&wrap, text);
    if (default_text) {
        snprintf(note, sizeof(note), "(default: %s)", default_text);
        wrap_text(&wrap, note);
    }
    fputc('\n', file);
}

static void join_names(const struct command *command, char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < COMMAND_MAX_NAMES && command->names[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " | " : "", command->names[i]);
}

void help_print_commands(FILE *file, const struct command *table)
{
    char names[TEXT_COLUMN * 2];

    fputs("Usage: wnbd-client <command> [<arguments>]\n\n", file);
    for (; table->names[0]; table++) {
        join_names(table, names, sizeof(names));
        print_entry(file, names, table->help, NULL);
    }
    fputs("\n'wnbd-client help <command>' explains a command and its arguments.\n", file);
}

static const char *value_name(const struct parameter *parameter)
{
    switch (parameter->kind) {
    case PARAMETER_FLAG:
        return "";
    case PARAMETER_NUMBER:
        return " <number>";
    case PARAMETER_PERIOD:
        return " [<seconds>]";
    case PARAMETER_SIZE:
        return " <size>";
    case PARAMETER_TEXT:
        break;
    }
    return " <text>";
}

static void name_option(const struct parameter *parameter, char *text, size_t size)
{
    snprintf(text, size, "--%s%s", parameter->name, value_name(parameter));
}

static void usage_start(struct wrap *wrap, FILE *file, const char *lead, const struct command *command)
{
    fputs(lead, file);
    *wrap = (struct wrap){file, strlen(lead), strlen(lead), false};
    wrap_text(wrap, "wnbd-client");
    wrap_text(wrap, command->names[0]);
    wrap->indent = wrap->column + 1;
}

static void print_usage(FILE *file, const struct command *command)
{
    size_t count = command_parameter_count(command);
    struct wrap wrap;
    char name[64];
    char piece[80];

    usage_start(&wrap, file, "Usage: ", command);
    for (size_t i = 0; i < count; i++) {
        const struct parameter *parameter = &command->parameters[i];
        bool is_required = parameter->place == PLACE_REQUIRED;

        if (parameter->place == PLACE_OPTION)
            name_option(parameter, name, sizeof(name));
        else
            snprintf(name, sizeof(name), parameter->place == PLACE_REPEATED ? "<%s> ..." : "<%s>", parameter->name);
        snprintf(piece, sizeof(piece), is_required ? "%s" : "[%s]", name);
        wrap_piece(&wrap, piece, strlen(piece));
    }
    fputc('\n', file);
}

/* The form of WNBD 2020, where options are operands. */
static void print_long_form(FILE *file, const struct command *command)
{
    size_t count = command_parameter_count(command);
    struct wrap wrap;
    char piece[80];

    if (command->long_form_operands == 0)
        return;
    usage_start(&wrap, file, "   or: ", command);
    for (size_t i = 0; i < count && command->parameters[i].in_long_form; i++) {
        snprintf(piece, sizeof(piece), i < command->long_form_operands ? "<%s>" : "[<%s>]",
                 command->parameters[i].name);
        wrap_piece(&wrap, piece, strlen(piece));
    }
    fputc('\n', file);
}

void help_print_usage(FILE *file, const struct command *command)
{
    print_usage(file, command);
    print_long_form(file, command);
}

static void print_operands(FILE *file, const struct command *command)
{
    size_t count = command_parameter_count(command);
    bool is_first = true;

    for (size_t i = 0; i < count; i++) {
        const struct parameter *parameter = &command->parameters[i];

        if (parameter->place == PLACE_OPTION)
            continue;
        if (is_first)
            fputs("\nPositional arguments:\n", file);
        is_first = false;
        print_entry(file, parameter->name, parameter->help, parameter->default_text);
    }
}

static void print_options(FILE *file, const struct command *command)
{
    size_t count = command_parameter_count(command);
    bool is_first = true;
    char name[64];

    for (size_t i = 0; i < count; i++) {
        const struct parameter *parameter = &command->parameters[i];

        if (parameter->place != PLACE_OPTION)
            continue;
        if (is_first)
            fputs("\nOptional arguments:\n", file);
        is_first = false;
        name_option(parameter, name, sizeof(name));
        print_entry(file, name, parameter->help, parameter->default_text);
    }
}

void help_print_command(FILE *file, const struct command *command)
{
    struct wrap wrap = {file, 0, 0, false};

    help_print_usage(file, command);
    fputc('\n', file);
    wrap_text(&wrap, command->help);
    fputc('\n', file);
    fprintf(file, "\nExample: wnbd-client %s\n", command->example);
    print_operands(file, command);
    print_options(file, command);
    fputs("\nCommon arguments:\n", file);
    print_entry(file, "--debug", "Print the library's messages on stderr as they come.", NULL);
    print_entry(file, "--help | -h", "Print this text.", NULL);
}
