/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/reference.md is as the program would make it. `test-client-reference -` prints it. */
#include "tests/unit/no_commands.h"
#include "wnbd-client/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *made(void)
{
    static char *text; /* not of this function: gcc 12 takes what it points to for a local variable */
    static size_t size;
    FILE *file = open_memstream(&text, &size);

    reference_print(file, commands);
    fclose(file);
    return text;
}

static char *committed(void)
{
    static char text[256 * 1024];
    FILE *file = fopen(REFERENCE, "rb");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void reference_is_as_it_would_be_made(void **state)
{
    char *expected = made();

    (void)state;
    assert_string_equal(committed(), expected); /* else: test-client-reference - >docs/reference.md */
    free(expected);
}

static void has_command(const char *text, const struct command *command)
{
    char heading[128];
    const char *place;

    snprintf(heading, sizeof(heading), "\n## %s\n", command->names[0]);
    place = strstr(text, heading);
    assert_non_null(place);
    for (size_t i = 0; i < command_parameter_count(command); i++) {
        assert_non_null(strstr(place, command->parameters[i].name));
        assert_true(strlen(command->parameters[i].help) > 4);
    }
}

static void reference_has_every_command_and_argument(void **state)
{
    char *text = made();

    (void)state;
    for (const struct command *command = commands; command->names[0]; command++) {
        has_command(text, command);
    }
    free(text);
}

/* By the reader that reads what a person types. */
static void example_can_be_typed(const struct command *command)
{
    static char words[256];
    static char *argv[16];
    static struct arguments parsed;
    char problem[ARGUMENTS_PROBLEM_SIZE];
    int argc = 0;

    assert_true(strlen(command->example) < sizeof(words));
    strcpy(words, command->example);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    assert_ptr_equal(command_find(commands, argv[0]), command);
    if (!arguments_parse(&parsed, command, argc, argv, problem))
        fail_msg("%s: %s", command->example, problem);
}

static void every_example_can_be_typed(void **state)
{
    (void)state;
    for (const struct command *command = commands; command->names[0]; command++)
        example_can_be_typed(command);
}

static void codes_ascend_and_say_something(void **state)
{
    (void)state;
    for (const struct command *command = commands; command->names[0]; command++) {
        const struct exit_code *codes = command->codes;

        for (size_t i = 0; codes[i].code != 0; i++) {
            assert_true(i + 1 < COMMAND_MAX_CODES);
            assert_true(codes[i].meaning != NULL && strlen(codes[i].meaning) > 4);
            assert_true(i == 0 || codes[i - 1].code < codes[i].code);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_is_as_it_would_be_made),
        cmocka_unit_test(reference_has_every_command_and_argument),
        cmocka_unit_test(every_example_can_be_typed),
        cmocka_unit_test(codes_ascend_and_say_something),
    };

    if (argc > 1 && strcmp(argv[1], "-") == 0) {
        reference_print(stdout, commands);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
