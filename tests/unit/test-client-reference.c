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
    char *text = NULL;
    size_t size = 0;
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

static void reference_has_every_command_and_argument(void **state)
{
    char *text = made();
    char heading[128];

    (void)state;
    for (const struct command *command = commands; command->names[0]; command++) {
        char *place;

        snprintf(heading, sizeof(heading), "\n## %s\n", command->names[0]);
        place = strstr(text, heading);
        assert_non_null(place);
        for (size_t i = 0; i < command_parameter_count(command); i++) {
            assert_non_null(strstr(place, command->parameters[i].name));
            assert_true(strlen(command->parameters[i].help) > 4);
        }
    }
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_is_as_it_would_be_made),
        cmocka_unit_test(reference_has_every_command_and_argument),
    };

    if (argc > 1 && strcmp(argv[1], "-") == 0) {
        reference_print(stdout, commands);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
