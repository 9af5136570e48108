/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/reference.h"

#include "wnbd-client/help.h"

#include <string.h>

static const char introduction[] =
    "# wnbd-client: reference\n"
    "\n"
    "Made by `wnbd-client help --markdown` from the table that the program parses its command line with.\n"
    "\n"
    "```\n"
    "wnbd-client <command> [<arguments>]\n"
    "```\n"
    "\n"
    "* An option is `--name value` or `--name=value`; its name may be shortened as long as it stays the only one. A "
    "flag "
    "needs no value; `--flag=false` is the same as leaving it out. Options and other arguments may be mixed; after "
    "`--` "
    "nothing is an option.\n"
    "* An argument without a name may be given as an option too: `--instance-name vol1`.\n"
    "* A size is a number of bytes, or one with K, M, G, T, P or E, which are powers of 1024 (KiB, MiB ... are the "
    "same).\n"
    "* A boolean is 1, t, true, y or yes, or 0, f, false, n or no, in any case of letters.\n"
    "* Names and output are UTF-8.\n"
    "* Every command has `--debug`, which prints the library's [messages](messages.md) and their ids on stderr as they "
    "come, and `--help` or `-h`.\n"
    "* What `--format json` prints is promised in [schema/wnbd-client.json](schema/wnbd-client.json); its keys stay.\n"
    "\n"
    "## Exit codes\n"
    "\n"
    "0 is success. Anything else is a Win32 error, and the reason is one sentence on stderr. Remarks on what has "
    "worked "
    "begin with `note:`. What a command's own chapter does not list comes from this table, or from Windows.\n"
    "\n"
    "| exit code | meaning |\n"
    "|---|---|\n"
    "| 8, 14 | there is not enough memory |\n"
    "| 29 | the output could not be written |\n"
    "| 87 | the command line is wrong |\n"
    "| 110 | the adapter cannot be opened: there is no driver, it does not work, or you are no administrator |\n"
    "| 259 | from `map` and `reset-adapter` in its place: there is no driver; 2: it does not work; 5: you are no "
    "administrator |\n"
    "| 1450 | the driver or Windows lacks memory |\n";

static void print_range(FILE *file, const struct parameter *parameter)
{
    switch (parameter->kind) {
    case PARAMETER_NUMBER:
    case PARAMETER_PERIOD:
    case PARAMETER_SIZE:
        break;
    case PARAMETER_TEXT:
    case PARAMETER_FLAG:
        return;
    }
    if (parameter->maximum >= UINT32_MAX)
        fprintf(file, "%llu and more", (unsigned long long)parameter->minimum);
    else
        fprintf(file, "%llu to %llu", (unsigned long long)parameter->minimum, (unsigned long long)parameter->maximum);
}

static const char *kind_word(const struct parameter *parameter)
{
    switch (parameter->kind) {
    case PARAMETER_TEXT:
        return "text";
    case PARAMETER_FLAG:
        return parameter->place == PLACE_OPTION ? "flag" : "boolean";
    case PARAMETER_NUMBER:
        return "number";
    case PARAMETER_PERIOD:
        return "seconds";
    case PARAMETER_SIZE:
        return "size";
    }
    return "";
}

static const char *place_word(const struct parameter *parameter)
{
    switch (parameter->place) {
    case PLACE_REQUIRED:
        return "";
    case PLACE_OPTIONAL:
        return " (may be left out)";
    case PLACE_REPEATED:
        return " (one or several)";
    case PLACE_OPTION:
        break;
    }
    return "";
}

/* A text for a cell, in which a bar would be the cell's end. */
static void print_cell(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', file);
        fputc(*text, file);
    }
}

static void print_parameter(FILE *file, const struct parameter *parameter)
{
    bool is_option = parameter->place == PLACE_OPTION;

    fprintf(file, "| `%s%s`%s | %s | ", is_option ? "--" : "", parameter->name, place_word(parameter),
            kind_word(parameter));
    print_range(file, parameter);
    fprintf(file, " | %s | ", parameter->default_text ? parameter->default_text : "");
    print_cell(file, parameter->help);
    fputs(" |\n", file);
}

static void print_aliases(FILE *file, const struct command *command)
{
    for (size_t i = 1; i < COMMAND_MAX_NAMES && command->names[i]; i++)
        fprintf(file, "%s`%s`", i == 1 ? "\nAlso: " : ", ", command->names[i]);
    if (command->names[1])
        fputs("\n", file);
}

static void print_codes(FILE *file, const struct command *command)
{
    if (command->codes[0].code != 0)
        fputs("\n| exit code | meaning |\n|---|---|\n", file);
    for (size_t i = 0; i < COMMAND_MAX_CODES && command->codes[i].code != 0; i++)
        fprintf(file, "| %lu | %s |\n", (unsigned long)command->codes[i].code, command->codes[i].meaning);
}

static void print_command(FILE *file, const struct command *command)
{
    size_t count = command_parameter_count(command);

    fprintf(file, "\n## %s\n\n%s\n", command->names[0], command->help);
    print_aliases(file, command);
    fputs("\n```\n", file);
    help_print_usage(file, command);
    fprintf(file, "```\n\nExample: `wnbd-client %s`\n", command->example);
    if (count != 0)
        fputs("\n| argument | kind | range | default | meaning |\n|---|---|---|---|---|\n", file);
    for (size_t i = 0; i < count; i++)
        print_parameter(file, &command->parameters[i]);
    print_codes(file, command);
}

void reference_print(FILE *file, const struct command *table)
{
    fputs(introduction, file);
    for (; table->names[0]; table++)
        print_command(file, table);
}
