/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client's command line, with the real command table and nothing behind it. */
#include "tests/unit/no_commands.h"
#include "wnbd-client/help.h"
#include "wnbd-client/map_source.h"
#include "wnbd-client/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arguments parsed;
static char problem[ARGUMENTS_PROBLEM_SIZE];

/* Parses a line of words parted by single spaces; an underscore stands for an empty word. */
static bool parse(const char *line)
{
    static char words[1024];
    static char *argv[32]; /* parsed borrows from it */
    int argc = 0;

    assert_true(strlen(line) < sizeof(words));
    strcpy(words, line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "_") == 0 ? word + 1 : word;
    argv[argc] = NULL;
    problem[0] = '\0';
    return arguments_parse(&parsed, command_find(commands, argv[0]), argc, argv, problem);
}

static void assert_refused(const char *line, const char *words)
{
    assert_false(parse(line));
    assert_non_null(strstr(problem, words));
}

#define text(name)   argument_text(&parsed, name, "absent")
#define number(name) argument_number(&parsed, name, 12345)
#define flag(name)   argument_flag(&parsed, name)

static void map_option_form(void **state)
{
    (void)state;
    assert_true(parse("map vol nas --port 10810 --export-name=pool/a --read-only --block-size 4096 --force "
                      "--connections 4"));
    assert_int_equal(number("connections"), 4);
    assert_string_equal(text("instance-name"), "vol");
    assert_string_equal(text("hostname"), "nas");
    assert_int_equal(number("port"), 10810);
    assert_string_equal(text("export-name"), "pool/a");
    assert_true(flag("read-only"));
    assert_int_equal(number("block-size"), 4096);
    assert_int_equal(number("physical-block-size"), 12345);
    assert_true(parse("map vol nas --force --physical-block-size 8192"));
    assert_int_equal(number("physical-block-size"), 8192);
    assert_true(flag("force"));
    assert_false(flag("skip-handshake"));
    assert_int_equal(number("disk-size"), 12345);
}

static void map_options_stand_anywhere(void **state)
{
    (void)state;
    assert_true(parse("map --port 1 vol --read-only nas"));
    assert_string_equal(text("instance-name"), "vol");
    assert_string_equal(text("hostname"), "nas");
    assert_true(parse("map --hostname nas vol"));
    assert_string_equal(text("instance-name"), "vol");
    assert_string_equal(text("hostname"), "nas");
}

static void map_form_of_2020(void **state)
{
    (void)state;
    assert_true(parse("map vol nas 10809 export"));
    assert_int_equal(number("port"), 10809);
    assert_string_equal(text("export-name"), "export");
    assert_false(flag("skip-handshake"));
    assert_true(parse("map vol nas 10809 export TRUE no 1048576 512"));
    assert_true(flag("skip-handshake"));
    assert_false(flag("read-only"));
    assert_int_equal(number("disk-size"), 1048576);
    assert_int_equal(number("block-size"), 512);
    assert_true(parse("map vol nas 10809 export --read-only"));
    assert_true(flag("read-only"));
}

static void map_refuses(void **state)
{
    (void)state;
    assert_refused("map", "instance-name");
    assert_refused("map vol nas 10809", "not 3");
    assert_refused("map vol nas 10809 e 0 0 1M 512 more", "more");
    assert_refused("map vol nas --connections 0", "from 1 to 16");
    assert_refused("map vol nas --connections 17", "from 1 to 16");
    assert_refused("map vol nas --physical-block-size 256", "from 512 to 65536");
    assert_refused("map vol nas --physical-block-size 131072", "from 512 to 65536");
    assert_refused("map vol nas --physical-block-size 4X", "not a size");
    assert_refused("map vol nas --block-size 1E", "from 512 to 4096");
    assert_refused("map vol nas --port 0", "from 1 to 65535");
    assert_refused("map vol nas --port 65536", "from 1 to 65535");
    assert_refused("map vol nas --port 99999999999999999999", "not a number");
    assert_refused("map vol nas --port -1", "not a number");
    assert_refused("map vol nas --port", "--port");
    assert_refused("map vol nas 10809 e --port 10809", "twice");
    assert_refused("map vol nas --read-only=perhaps", "true or false");
    assert_refused("map vol nas 10809 e maybe", "true or false");
    assert_refused("map vol nas --disk-size 5X", "not a size");
    assert_refused("map vol nas --colour red", "--colour");
    assert_refused("map vol nas --prot=1", "'map' has no option --prot=1; did you mean 'port'?");
    assert_refused("map vol nas --read-onyl", "did you mean 'read-only'?");
    assert_refused("unmap vol --soft", "'soft-disconnect-timeout' or 'soft-disconnect-retry-interval'");
    assert_refused("map vol nas -x", "-x");
    assert_refused("map _ nas", "empty");
}

static enum map_source source;

static bool parse_source(const char *line)
{
    return parse(line) && map_source_read(&parsed, &source, problem);
}

static void assert_source_refused(const char *line, const char *words)
{
    assert_true(parse(line));
    assert_false(map_source_read(&parsed, &source, problem));
    assert_non_null(strstr(problem, words));
}

static void map_from_a_server(void **state)
{
    (void)state;
    assert_true(parse_source("map vol nas --read-only --force"));
    assert_int_equal(source, MAP_FROM_SERVER);
    assert_true(parse_source("map vol nas 10809 export yes no 1048577 512")); /* the server's size is not looked at */
    assert_int_equal(source, MAP_FROM_SERVER);
}

static void map_from_a_file(void **state)
{
    (void)state;
    assert_true(parse_source("map vol --file d:\\disk.img --size 3g --block-size 4096 --threads 9"));
    assert_int_equal(source, MAP_FROM_FILE);
    assert_string_equal(text("file"), "d:\\disk.img");
    assert_true(number("size") == 3ull << 30);
    assert_int_equal(number("threads"), 9);
    assert_true(parse_source("map --file=x vol --read-only --physical-block-size 4096"));
    assert_int_equal(source, MAP_FROM_FILE);
    assert_string_equal(text("instance-name"), "vol");
}

static void map_from_memory(void **state)
{
    (void)state;
    assert_true(parse_source("map vol --ram 64M"));
    assert_int_equal(source, MAP_FROM_RAM);
    assert_int_equal(number("ram"), 64 << 20);
    assert_true(parse_source("map vol --ram 512"));
    assert_true(parse_source("map vol --ram 8K --block-size 4096 --threads 255"));
}

static void map_refuses_what_does_not_go_together(void **state)
{
    (void)state;
    assert_source_refused("map vol", "hostname, or --file or --ram");
    assert_source_refused("map vol --size 1M", "hostname, or --file or --ram");
    assert_source_refused("map vol nas --file x", "hostname does not go with file");
    assert_source_refused("map vol nas --ram 1M", "hostname does not go with ram");
    assert_source_refused("map vol --ram 1M --file x", "ram does not go with file");
    assert_source_refused("map vol --file x --port 10809", "port does not go with file");
    assert_source_refused("map vol --file x --disk-size 1M", "disk-size does not go with file");
    assert_source_refused("map vol --ram 1M --connections 2", "connections does not go with ram");
    assert_source_refused("map vol --ram 1M --size 1M", "size does not go with ram");
    assert_source_refused("map vol --ram 1M --read-only", "read-only does not go with ram");
    assert_source_refused("map vol nas --threads 4", "threads does not go with hostname");
    assert_source_refused("map vol nas --size 1M", "size does not go with hostname");
    assert_source_refused("map vol --file x --size 1M --read-only", "neither made nor extended");
}

static void map_refuses_sizes(void **state)
{
    (void)state;
    assert_source_refused("map vol --ram 513", "ram is 513, which is not a multiple of the block size 512");
    assert_source_refused("map vol --file x --size 1025", "size is 1025");
    assert_source_refused("map vol --file x --size 512 --block-size 4096", "block size 4096");
    assert_refused("map vol --ram 0", "from 512");
    assert_refused("map vol --file x --size 511", "from 512");
    assert_refused("map vol --ram 8E", "to 9223372036854775807");
    assert_refused("map vol --ram", "--ram");
    assert_refused("map vol --ram much", "not a size");
    assert_refused("map vol --file=", "empty");
    assert_refused("map vol --ram 1M --threads 0", "from 1 to 255");
    assert_refused("map vol --ram 1M --threads 256", "from 1 to 255");
}

static void names_of_255_bytes_fit_and_256_do_not(void **state)
{
    char line[1024] = "show ";

    (void)state;
    memset(line + 5, 'n', 255);
    assert_true(parse(line));
    line[5 + 255] = 'n';
    assert_refused(line, "256 bytes");
}

static void unmap_both_forms(void **state)
{
    (void)state;
    assert_true(parse("unmap vol"));
    assert_false(flag("hard-disconnect"));
    assert_true(parse("unmap vol 1"));
    assert_true(flag("hard-disconnect"));
    assert_true(parse("unmap vol no"));
    assert_false(flag("hard-disconnect"));
    assert_true(parse("unmap vol --no-hard-disconnect-fallback --soft-disconnect-timeout 0"));
    assert_true(flag("no-hard-disconnect-fallback"));
    assert_int_equal(number("soft-disconnect-timeout"), 0);
    assert_refused("unmap vol 1 2", "'2'");
}

static void unmap_of_several(void **state)
{
    (void)state;
    assert_true(parse("unmap vol perhaps"));
    assert_string_equal(text("instance-name"), "vol");
    assert_int_equal(parsed.more_count, 1);
    assert_string_equal(parsed.more[0], "perhaps");
    assert_true(parse("unmap a --hard-disconnect b c"));
    assert_true(flag("hard-disconnect"));
    assert_int_equal(parsed.more_count, 2);
    assert_string_equal(parsed.more[1], "c");
    assert_true(parse("unmap --instance-name a b"));
    assert_string_equal(text("instance-name"), "a");
    assert_int_equal(parsed.more_count, 1);
    assert_true(parse("unmap --all"));
    assert_string_equal(text("instance-name"), "absent");
    assert_int_equal(parsed.more_count, 0);
    assert_refused("unmap a b _", "empty");
}

static void period_may_be_left_out(void **state)
{
    (void)state;
    assert_true(parse("list"));
    assert_int_equal(number("watch"), 12345);
    assert_true(parse("list --watch"));
    assert_int_equal(number("watch"), 1);
    assert_true(parse("list --watch 5"));
    assert_int_equal(number("watch"), 5);
    assert_true(parse("list --watch=7 --count 3"));
    assert_int_equal(number("watch"), 7);
    assert_true(parse("stats --watch vol"));
    assert_string_equal(text("instance-name"), "vol");
    assert_int_equal(number("watch"), 1);
    assert_true(parse("stats vol --watch 9"));
    assert_int_equal(number("watch"), 9);
    assert_refused("list --watch 0", "from 1 to 86400");
    assert_refused("list --watch=soon", "not a number");
    assert_refused("list --watch soon", "no use for 'soon'");
    assert_refused("list --count 0", "from 1");
}

static void common_arguments_work_everywhere(void **state)
{
    (void)state;
    for (const struct command *command = commands; command->names[0]; command++) {
        char line[64] = "";

        strcat(strcat(line, command->names[0]), " --help --debug");
        assert_true(parse(line));
        assert_true(parsed.help);
        assert_true(parsed.debug);
    }
    assert_true(parse("map -h"));
    assert_true(parsed.help);
}

static void words_after_two_hyphens_are_no_options(void **state)
{
    (void)state;
    assert_true(parse("show -- --port"));
    assert_string_equal(text("instance-name"), "--port");
}

static void assert_suggested(const char *word, const char *expected)
{
    char meant[GUESS_TEXT_SIZE];
    const char *found = command_suggest(commands, word, meant);

    assert_int_equal(found != NULL, expected != NULL);
    if (found)
        assert_string_equal(found, expected);
}

static void commands_are_found_by_alias_and_guessed(void **state)
{
    (void)state;
    assert_ptr_equal(command_find(commands, "rm"), command_find(commands, "unmap"));
    assert_ptr_equal(command_find(commands, "ls"), command_find(commands, "list"));
    assert_null(command_find(commands, "Map"));
    assert_null(command_find(commands, ""));
    assert_suggested("lits", "'list'");
    assert_suggested("lis", "'list' or 'list-opt'");
    assert_suggested("inst", "'install-driver'");
    assert_suggested("maps", "'map'");
    assert_suggested("LIST", "'list' or 'list-opt'");
    assert_suggested("UnMaps", "'unmap'");
    assert_suggested("re", "'reset-opt' or 'reset-adapter'");
    assert_suggested("frobnicate", NULL);
    assert_suggested("xyz", NULL);
    assert_suggested("", NULL);
    assert_suggested("a-word-that-is-much-longer-than-any-command-could-ever-be", NULL);
}

static void sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"512", 512},
                {"64M", 64ull << 20},
                {"64MiB", 64ull << 20},
                {"3g", 3ull << 30},
                {"2t", 2ull << 40},
                {"1P", 1ull << 50},
                {"15E", 15ull << 60},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"", "M", "-1", " 1", "1 ", "1.5G", "64MB", "64X", "16E", "18446744073709551616"};
    uint64_t value;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(value_parse_size(good[i].text, &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(value_parse_size(bad[i], &value));
}

static void booleans_are_read(void **state)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "y", "Yes"};
    static const char *const no[] = {"0", "f", "false", "False", "n", "NO"};
    static const char *const neither[] = {"", "2", "tr", "truely", "on"};
    uint64_t value;

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(value_parse_boolean(yes[i], &value) && value == 1);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_true(value_parse_boolean(no[i], &value) && value == 0);
    for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
        assert_false(value_parse_boolean(neither[i], &value));
}

static void assert_size(uint64_t bytes, const char *expected)
{
    char size[VALUE_SIZE_TEXT];

    assert_string_equal(value_format_size(bytes, size), expected);
}

static void sizes_are_written(void **state)
{
    (void)state;
    assert_size(0, "0 bytes");
    assert_size(1023, "1023 bytes");
    assert_size(1024, "1 KiB");
    assert_size(64 << 20, "64 MiB");
    assert_size((1 << 20) + 1, "1.0 MiB");
    assert_size(3ull << 29, "1.5 GiB");
    assert_size(1023ull << 50, "1023 PiB");
    assert_size((1ull << 63) - 512, "7.9 EiB");
    assert_size(UINT64_MAX, "15.9 EiB");
}

/* All lines of help end within 80 columns, and every argument is in it. */
static void help_is_complete_and_narrow(void **state)
{
    (void)state;
    for (const struct command *command = commands; command->names[0]; command++) {
        char *shown = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&shown, &size);

        help_print_commands(file, commands);
        help_print_command(file, command);
        fclose(file);
        for (size_t i = 0; i < command_parameter_count(command); i++)
            assert_non_null(strstr(shown, command->parameters[i].name));
        for (char *line = strtok(shown, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(strlen(line) <= 80);
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_option_form),
        cmocka_unit_test(map_options_stand_anywhere),
        cmocka_unit_test(map_form_of_2020),
        cmocka_unit_test(map_refuses),
        cmocka_unit_test(map_from_a_server),
        cmocka_unit_test(map_from_a_file),
        cmocka_unit_test(map_from_memory),
        cmocka_unit_test(map_refuses_what_does_not_go_together),
        cmocka_unit_test(map_refuses_sizes),
        cmocka_unit_test(names_of_255_bytes_fit_and_256_do_not),
        cmocka_unit_test(unmap_both_forms),
        cmocka_unit_test(unmap_of_several),
        cmocka_unit_test(period_may_be_left_out),
        cmocka_unit_test(common_arguments_work_everywhere),
        cmocka_unit_test(words_after_two_hyphens_are_no_options),
        cmocka_unit_test(commands_are_found_by_alias_and_guessed),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(booleans_are_read),
        cmocka_unit_test(sizes_are_written),
        cmocka_unit_test(help_is_complete_and_narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
