/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wnbd-client/commands.h"
#include "wnbd-client/help.h"
#include "wnbd-client/reference.h"
#include "wnbd-client/report.h"

#include <stdio.h>
#include <stdlib.h>

static int report_unknown(const char *name)
{
    char meant[GUESS_TEXT_SIZE];

    if (command_suggest(commands, name, meant))
        return report_misuse("there is no command '%s'; did you mean %s?", name, meant);
    return report_misuse("there is no command '%s'; 'wnbd-client help' lists those there are", name);
}

int command_help(const struct arguments *arguments)
{
    const char *name = argument_text(arguments, "command-name", NULL);
    const struct command *command = name ? command_find(commands, name) : NULL;

    if (name && !command)
        return report_unknown(name);
    if (argument_flag(arguments, "markdown"))
        reference_print(stdout, commands);
    else if (command)
        help_print_command(stdout, command);
    else
        help_print_commands(stdout, commands);
    return ERROR_SUCCESS;
}

static int run(const struct command *command, int argc, char **argv)
{
    char problem[ARGUMENTS_PROBLEM_SIZE];
    struct arguments arguments;

    if (!arguments_parse(&arguments, command, argc, argv, problem))
        return report_misuse("%s", problem);
    if (arguments.help) {
        help_print_command(stdout, command);
        return ERROR_SUCCESS;
    }
    report_start(arguments.debug);
    return command->run(&arguments);
}

static int run_words(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        help_print_commands(stdout, commands);
        return ERROR_SUCCESS;
    }
    command = command_find(commands, argv[1]);
    return command ? run(command, argc - 1, argv + 1) : report_unknown(argv[1]);
}

/* Gives a string for free(); NULL: no memory, or not text at all. */
static char *to_utf8(const wchar_t *word)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, word, -1, NULL, 0, NULL, NULL);
    char *text = size > 0 ? malloc((size_t)size) : NULL;

    if (text)
        WideCharToMultiByte(CP_UTF8, 0, word, -1, text, size, NULL, NULL);
    return text;
}

static int convert_and_run(int argc, wchar_t **words)
{
    char **argv = calloc((size_t)argc + 1, sizeof(*argv));
    int code = argv ? ERROR_SUCCESS : ERROR_OUTOFMEMORY;

    for (int i = 0; code == ERROR_SUCCESS && i < argc; i++) {
        argv[i] = to_utf8(words[i]);
        code = argv[i] ? ERROR_SUCCESS : ERROR_OUTOFMEMORY;
    }
    if (code != ERROR_SUCCESS)
        return report_failure((DWORD)code, "cannot start");
    /* The words are not freed: the library and the exit code outlive them by nothing. */
    return run_words(argc, argv);
}

int wmain(int argc, wchar_t **words)
{
    UINT code_page = GetConsoleOutputCP();
    int code;

    SetConsoleOutputCP(CP_UTF8);
    code = report_end(convert_and_run(argc, words));
    fflush(stderr);
    if (code_page)
        SetConsoleOutputCP(code_page);
    return code;
}
